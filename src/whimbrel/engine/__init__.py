"""The state machine of a run: events in, commands out, and nothing else.

Knows: `model`, `graph`, `errors`.
Must not know: loops, threads, the clock, chance, disk, network; it is told the time in events.
"""
