"""The model as protobuf and as JSON, there and back. Protobuf's only home.

Knows: `model`, `errors`.
Must not know: transports, services, Python values of users.
"""
