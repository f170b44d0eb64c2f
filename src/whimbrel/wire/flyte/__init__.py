"""The model as Flyte's protobuf messages (``flyteidl``), and back.

Knows: `model`, flyteidl, protobuf (both optional: the extra ``flyte``). Nothing outside `wire` imports those, and
nothing imports this package unless it means to.
"""
