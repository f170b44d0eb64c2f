"""Call paths: the names of an eager body's calls, timers and drawn values.

A *scope* is an eager body, or one asyncio task spawned (however deep) from it. A call is named by its scope and its
number in that scope, in program order: the number is taken when the call is made, not when it is awaited. A child
scope is named by its coroutine and the number of such coroutines spawned before it in the parent scope, so that a
library's background tasks shift nobody else's names. ``gather``, ``TaskGroup`` and comprehensions spawn in program
order: names do not depend on timing.

Knows nothing of asyncio, journals or entities.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^\w.<>-]")


class Scope:
    """Where names are given out.

    ``parent`` is the logical path of the eager call whose body this is; ``prefix`` is the path of asyncio tasks
    below the body ("" for the body itself). Keys look like ``3``, ``chain.1:3`` (third call in the first task
    running ``chain``), ``t2`` (a timer), ``v1`` (a value), ``=pin`` (a call pinned by hand, named in the whole body).

    ``trail`` is for people: where the scope stands in the program, with what spawned its tasks together, as
    ``gather#1/chain.1``. No name is made of it.
    """

    __slots__ = ("_calls", "_spawned", "_timers", "_values", "parent", "prefix", "trail")

    def __init__(self, parent: str, prefix: str = "", trail: str | None = None) -> None:
        self.parent = parent
        self.prefix = prefix
        self.trail = prefix if trail is None else trail
        self._calls = 0
        self._timers = 0
        self._values = 0
        self._spawned: dict[str, int] = {}

    def next_call(self, pin: str | None = None) -> str:
        """The key of the call that is being made."""
        if pin is not None:
            return f"={_UNSAFE.sub('_', pin)}"
        self._calls += 1
        return self._key(str(self._calls))

    def next_timer(self) -> str:
        """The key of the timer that is being set."""
        self._timers += 1
        return self._key(f"t{self._timers}")

    def next_value(self) -> str:
        """The key of the value that is being drawn."""
        self._values += 1
        return self._key(f"v{self._values}")

    def spawn(self, name: str, group: str | None = None, bare: bool = False) -> Scope:
        """The scope of an asyncio task that is being created to run a coroutine called ``name``; ``group`` is the
        trail of what creates it together with others. A ``bare`` one is a call and no more: it is no place of its
        own on the trail."""
        name = _UNSAFE.sub("_", name)
        own = self._numbered(name, ".")
        trail = self.trail if group is None else group
        return Scope(
            self.parent,
            f"{self.prefix}:{own}" if self.prefix else own,
            trail if bare else f"{trail}/{own}" if trail else own,
        )

    def group(self, kind: str) -> str:
        """The trail of the tasks that are about to be created together, by a ``gather`` or the like."""
        own = self._numbered(kind, "#")
        return f"{self.trail}/{own}" if self.trail else own

    def _numbered(self, name: str, mark: str) -> str:
        # Names of coroutines have no mark in them.
        counted = name if mark == "." else f"{name}{mark}"
        number = self._spawned[counted] = self._spawned.get(counted, 0) + 1
        return f"{name}{mark}{number}"

    def _key(self, tail: str) -> str:
        return f"{self.prefix}:{tail}" if self.prefix else tail


def trail_of(key: str) -> str:
    """The trail of a key's scope, as far as the key tells."""
    return scope_of(key).replace(":", "/")


def scope_of(key: str) -> str:
    """The scope part of a key: everything that calls of one scope share."""
    return key.rpartition(":")[0]
