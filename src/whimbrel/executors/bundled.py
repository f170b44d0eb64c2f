"""Code from bundles: attempts whose code root is `bundle:…` are launched with the directory that it means.

Workers are bound to their code root, so two versions of a module never meet in one process. What workers say of further
code (the calls of an eager body, the graph of a dynamic task) is told with `bundle:…` again, and tracebacks name files
as they are in the bundle: no event names a directory of this machine.

Knows: launches and reports. Must not know: where bundles are kept, how another executor runs what it is given.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from whimbrel.controlplane.ports import Executor
from whimbrel.errors import UserError
from whimbrel.model.attempt import AttemptFault, BeginCall, Cancel, Deliver, FinishCall, Launch, Report, Unfolded
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import CodeRef, Program
from whimbrel.model.run import AttemptId, Failed

BUNDLE = "bundle:"
OLDEST = (3, 11)
"""The Python that whimbrel needs itself."""

R = TypeVar("R", bound=BeginCall | Unfolded)


class BundledExecutor:
    """``ports.Executor`` around another. ``root_of`` gives the directory of a ``bundle:…`` (raises ``UserError``),
    ``reference_of`` the ``bundle:…`` of a directory, or the directory itself where it is in none; ``without_place``
    a text in which files of bundles have no directory of this machine's."""

    def __init__(
        self,
        inner: Executor,
        *,
        root_of: Callable[[str], str],
        reference_of: Callable[[str], str],
        without_place: Callable[[str], str],
        python: tuple[int, int] = sys.version_info[:2],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._root_of = root_of
        self._reference_of = reference_of
        self._without_place = without_place
        self._python = python
        self._clock = clock
        self._refused: set[AttemptId] = set()
        self._report: Callable[[Report], None]

    async def start(self, report: Callable[[Report], None]) -> None:
        """See ``Executor``."""
        self._report = report
        await self._inner.start(self._heard)

    def launch(self, launch: Launch) -> None:
        """See ``Executor``. An attempt whose code cannot run here fails at once."""
        code = launch.task.code
        if code.root.startswith(BUNDLE):
            try:
                refusal = unsupported(code.python or "", self._python)
                root = self._root_of(code.root)
            except UserError as error:
                refusal, root = str(error), ""
            if refusal:
                self._refused.add(launch.attempt)
                asyncio.get_running_loop().call_soon(self._refuse, launch, refusal)
                return
            launch = replace(launch, task=replace(launch.task, code=replace(code, root=root)))
        self._inner.launch(launch)

    def cancel(self, cancel: Cancel) -> None:
        """See ``Executor``."""
        self._inner.cancel(cancel)

    def deliver(self, deliver: Deliver) -> None:
        """See ``Executor``."""
        self._inner.deliver(deliver)

    def running(self) -> frozenset[AttemptId]:
        """See ``Executor``."""
        return self._inner.running() | self._refused

    async def close(self) -> None:
        """See ``Executor``."""
        await self._inner.close()

    def _refuse(self, launch: Launch, refusal: str) -> None:
        self._refused.discard(launch.attempt)
        failure = Failure(Fault.USER, f"{launch.task.name} cannot run here: {refusal}", recoverable=False)
        self._report(AttemptFault(launch.attempt, failure, self._clock()))

    def _heard(self, report: Report) -> None:
        if isinstance(report, BeginCall | Unfolded) and report.define is not None:
            report = self._named(report, report.define)
        if isinstance(report, BeginCall):
            report = replace(report, line=self._without_place(report.line))
        elif isinstance(report, AttemptFault):
            report = replace(report, failure=self._placeless(report.failure))
        elif isinstance(report, FinishCall) and isinstance(report.outcome, Failed):
            report = replace(report, outcome=Failed(self._placeless(report.outcome.failure)))
        self._report(report)

    def _placeless(self, failure: Failure) -> Failure:
        return replace(
            failure,
            traceback=self._without_place(failure.traceback),
            line=self._without_place(failure.line),
            cause=self._placeless(failure.cause) if failure.cause is not None else None,
            context=self._placeless(failure.context) if failure.context is not None else None,
            members=tuple(self._placeless(member) for member in failure.members),
        )

    def _named(self, report: R, define: Program) -> R:
        tasks = {
            name: replace(task, code=CodeRef(task.code.module, task.code.name, root))
            for name, task in define.tasks.items()
            if (root := self._reference_of(task.code.root)) != task.code.root
        }
        return replace(report, define=replace(define, tasks={**define.tasks, **tasks})) if tasks else report


def unsupported(wanted: str, ours: tuple[int, int]) -> str:
    """Why code that was registered from the Python ``wanted`` (``"3.12"``, "" if that is not known) does not run in
    ours; "" if it does. Code of an older Python runs in a newer one, of those that whimbrel knows."""
    if not wanted:
        return ""
    major, _, minor = wanted.partition(".")
    there = (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() and len(wanted) < 10 else None
    if there is not None and OLDEST <= there <= ours:
        return ""
    said = ".".join(map(str, ours))
    return (
        f"it was registered from Python {wanted[:20]}, and the workers here are Python {said}. "
        f"Register it from Python {said}, or serve it with a Python {wanted[:20]}."
    )
