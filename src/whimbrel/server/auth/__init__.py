"""Who asks, and what they may do: accounts, tokens, the OAuth2 server, tokens of other issuers, the audit log.

Knows: the store of access, cryptography. Must not know: gRPC, what is served.
"""
