"""The testing kit: an engine in memory, stand-ins for tasks, skipped time, crashes, schedules, journals kept in files.

Knows: everything below it; it composes, as the command line does. Nothing that runs in production may need it.
"""
