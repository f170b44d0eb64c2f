"""Versions: they change with what a program does, and with nothing else."""

from msgspec.structs import replace

from tests.unit.graph.flows import INC, X, node, out, program
from whimbrel.graph.digest import graph_digest, program_digest, task_digest
from whimbrel.model.program import Metadata, Program, SourceLine

BASE = program(node("n0", x=X), node("n1", x=out("n0")), output=out("n1"))
GRAPH = BASE.workflows["wf"]


def test_lines_documents_and_directories_take_no_part() -> None:
    moved = replace(GRAPH, line=SourceLine("elsewhere.py", 99), doc="words")
    moved = replace(moved, nodes=tuple(replace(each, line=None) for each in moved.nodes))
    elsewhere = replace(INC, line=SourceLine("f.py", 1), doc="words", code=replace(INC.code, root="there"))
    assert graph_digest(moved) == graph_digest(GRAPH)
    assert task_digest(elsewhere) == task_digest(INC)
    assert program_digest(Program({**BASE.tasks, "inc": elsewhere}, {"wf": moved})) == program_digest(BASE)


def test_the_order_of_entities_takes_no_part() -> None:
    turned = Program(dict(reversed(BASE.tasks.items())), BASE.workflows)
    assert program_digest(turned) == program_digest(BASE)


def test_what_is_done_takes_part() -> None:
    digests = {
        program_digest(BASE),
        program_digest(Program(BASE.tasks, {"wf": replace(GRAPH, nodes=GRAPH.nodes[:1])})),
        program_digest(Program({**BASE.tasks, "inc": replace(INC, code_digest="other")}, BASE.workflows)),
        program_digest(Program({**BASE.tasks, "inc": replace(INC, metadata=Metadata(retries=1))}, BASE.workflows)),
        program_digest(Program(BASE.tasks, {"wf": replace(GRAPH, outputs={})})),
    }
    assert len(digests) == 5
    assert all(len(digest) == 32 for digest in digests)
