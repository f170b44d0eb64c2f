"""What our own protocol says, `/api/v1`: the requests and answers that the server and its clients share, as structs.

Knows: the model, JSON and msgpack through msgspec. Must not know: HTTP, protobuf, who sends what.
"""
