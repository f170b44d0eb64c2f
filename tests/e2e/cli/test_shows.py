"""Decks, secrets, logs and progress, as a person meets them."""

from __future__ import annotations

import json
import re
import resource
import signal
from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until

SHOWS = Path(__file__).with_name("shows.py")
SECRETS = {"_FSEC_DB_PASSWORD": "hunter2-the-password", "WHIMBREL_SECRET_API_TOKEN": "tok-en-12345"}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def page_of(shell: Shell, run: str = "latest", *options: str) -> str:
    name = shell("deck", run, "--output", "page.html", *options).out.strip()
    return (shell.directory / name).read_text()


# --- decks -----------------------------------------------------------------------------------------------------------


def test_the_page_of_a_run(shell: Shell) -> None:
    shell("run", SHOWS, "many")
    page = page_of(shell)
    for word in ("many", "SUCCEEDED", "report", "plain", "FAILED", "Calls (5)", "Mine", "Escaped", "Body", "Timeline"):
        assert word in page
    # Nothing is loaded from anywhere.
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "url(" not in page
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    whole = shell("deck", "latest").out.strip()
    assert (shell.directory / whole).exists()


def test_nothing_of_a_run_is_markup_of_the_page(shell: Shell) -> None:
    shell("run", SHOWS, "many")
    page = page_of(shell)
    outer = re.sub(r'srcdoc="[^"]*"', "", page)
    # The one script is ours, and its digest is in the policy; the deck's is text of an attribute.
    assert outer.count("<script>") == 1
    assert "onerror=alert(1)>" not in outer
    assert "&lt;script&gt;document.title" in outer
    frames = re.findall(r"<iframe [^>]*>", page)
    assert len(frames) >= 7
    for frame in frames:
        assert "allow-scripts" not in frame
        assert 'sandbox="' in frame
        assert "default-src &amp;#x27;none" in frame or "default-src &#x27;none&#x27;" in frame
    scripted = page_of(shell, "latest", "--allow-scripts")
    for frame in re.findall(r"<iframe [^>]*>", scripted):
        assert "allow-same-origin" not in frame


def test_the_page_of_a_node(shell: Shell) -> None:
    shell("run", SHOWS, "many")
    page = page_of(shell, "latest", "--node", "n0/1")
    assert 'id="n-n0/1"' in page
    assert 'id="n-n0/2"' not in page
    missing = shell("deck", "latest", "--node", "n7", code=2)
    assert "has no node 'n7'" in missing.err
    refused = shell("deck", "latest", "--output", "/nowhere/page.html", code=2)
    assert "name another file" in refused.err


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_what_a_lost_worker_had_published_is_kept(shell: Shell, how: str) -> None:
    shell("run", SHOWS, "ends_badly", "--how", how, code=1)
    page = page_of(shell)
    assert "published before the end" in page
    nodes = shell("describe", "latest", "--json").json["nodes"]
    assert (nodes[0]["progress"]["done"], nodes[0]["progress"]["message"]) == (3.0, "so far")
    assert "3 of 10 (30%) so far" in shell("describe", "latest").out


def test_decks_are_kept_after_a_time_out(shell: Shell) -> None:
    shell("run", SHOWS, "too_long", code=1)
    assert "published before the end" in page_of(shell)


def test_decks_are_there_while_a_run_goes_on_and_after_its_abort(shell: Shell) -> None:
    with shell.started("run", SHOWS, "ends_badly", "--how", "wait") as running:
        wait_until(lambda: (shell.notes / "begun").exists())
        wait_until(lambda: "published before the end" in page_of(shell))
        assert "RUNNING" in page_of(shell)
        shell("abort", "latest")
        running.wait(30)
    page = page_of(shell)
    assert "ABORTED" in page
    assert "published before the end" in page


def test_a_page_that_follows_its_run_ends_with_it(shell: Shell) -> None:
    with shell.started("run", SHOWS, "ends_badly", "--how", "wait") as running:
        wait_until(lambda: (shell.notes / "begun").exists())
        with shell.started("deck", "latest", "--follow", "--output", "live.html") as following:
            wait_until(lambda: (shell.directory / "live.html").exists())
            assert 'http-equiv="refresh"' in (shell.directory / "live.html").read_text()
            shell("abort", "latest")
            running.wait(30)
            assert following.wait(30) == 0
    assert 'http-equiv="refresh"' not in (shell.directory / "live.html").read_text()


# --- secrets ---------------------------------------------------------------------------------------------------------


def leaked(home: Path) -> list[str]:
    """The files of a home that hold a secret in the clear."""
    wanted = [value.encode() for value in SECRETS.values()]
    files = [file for file in home.rglob("*") if file.is_file()]
    assert len(files) >= 2
    return [str(file) for file in files if any(value in file.read_bytes() for value in wanted)]


@pytest.mark.parametrize(
    ("entity", "how", "code"),
    [
        ("secretive_flow", "succeed", 0),
        ("secretive_flow", "fail", 1),
        ("secretive_flow", "crash", 1),
        ("secretive_flow", "leak", 1),
        ("secretive_body", "succeed", 0),
        ("secretive_body", "fail", 1),
    ],
)
def test_secrets_are_in_no_byte_of_the_home(shell: Shell, entity: str, how: str, code: int) -> None:
    done = shell("run", SHOWS, entity, "--how", how, code=code, **SECRETS, _FSEC_NOT_DECLARED="x")
    assert leaked(shell.directory / ".whimbrel") == []
    logs = shell("logs", "latest").out
    assert "***" in logs
    assert all(value not in done.err + done.out + logs for value in SECRETS.values())


@pytest.mark.parametrize(("entity", "how", "code"), [("secretive_flow", "crash", -9), ("secretive_body", "fail", 1)])
def test_secrets_are_in_no_byte_of_the_home_of_inline_tasks(shell: Shell, entity: str, how: str, code: int) -> None:
    # There the command itself is the worker: it goes down with a task that crashes.
    shell("run", SHOWS, entity, "--how", how, "--executor", "inline", code=code, **SECRETS)
    assert leaked(shell.directory / ".whimbrel") == []


def test_secrets_survive_the_death_of_the_engine_unseen(shell: Shell) -> None:
    with shell.started("run", SHOWS, "secretive_body", "--how", "succeed", **SECRETS) as running:
        wait_until(lambda: bool((shown := shell("runs", "--json", code=None)).code == 0 and shown.json))
        running.send_signal(signal.SIGKILL)
        running.wait(30)
    assert leaked(shell.directory / ".whimbrel") == []
    # It may have been over before it was killed.
    shell("resume", "latest", code=None, **SECRETS)
    assert shell("describe", "latest", "--json").json["phase"] == "SUCCEEDED"
    assert leaked(shell.directory / ".whimbrel") == []


def test_the_store_of_secrets(shell: Shell) -> None:
    for name, value in (("db/password", "hunter2-the-password\n"), ("api/token", "tok-en-12345")):
        (shell.directory / "value").write_text(value.strip())
        shell("secrets", "set", name, "--file", "value")
    (shell.directory / "value").unlink()
    assert [row["key"] for row in shell("secrets", "list", "--json").json] == ["token", "password"]
    assert "hunter2" not in shell("secrets", "list").out
    shell("run", SHOWS, "secretive_flow", "--how", "succeed")
    assert leaked(shell.directory / ".whimbrel") == []
    # What the environment says comes first.
    shell("run", SHOWS, "secretive_flow", "--how", "succeed", WHIMBREL_SECRET_API_TOKEN="from-the-environment")
    shell("secrets", "delete", "db/password")
    failed = shell("run", SHOWS, "secretive_flow", "--how", "succeed", code=1)
    assert "no secret 'db/password'" in failed.err
    assert "whimbrel secrets set db/password" in failed.err
    assert "secrets list" in shell("secrets", "delete", "db/password", code=2).err
    assert "write group/key" in shell("secrets", "set", "a/b/c", "--file", "value", code=2).err


# --- logs and progress -----------------------------------------------------------------------------------------------


def test_prints_and_records_stand_in_the_order_in_which_they_were_made(shell: Shell) -> None:
    shell("run", SHOWS, "ordered")
    said = shell("logs", "latest").out.splitlines()
    expected = [f"n0 | {line}" for n in range(30) for line in (f"{n} out", f"{n} err", f"WARNING lib: {n} log")]
    assert said == expected
    records = [json.loads(line) for line in shell("logs", "latest", "--json").out.splitlines()]
    assert [row["level"] for row in records if row["stream"] == "log"] == ["WARNING"] * 30
    assert all("level" not in row for row in records if row["stream"] != "log")


def test_a_task_that_says_too_much(shell: Shell) -> None:
    shell("run", SHOWS, "plain", "--x", "1")
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    shell("run", SHOWS, "chatty", "--lines", "200000", "--quiet")
    grown = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss - before
    assert grown < 150 * 1024, f"{grown} KiB"
    lines = shell("logs", "latest", "--raw").out.splitlines()
    assert len(lines) == 200_000
    assert lines[199_999].startswith("line 199999 ")


def test_garbage_and_progress_bars(shell: Shell) -> None:
    shell("run", SHOWS, "garbage")
    out = shell("logs", "latest").out
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "n0 | red" in out
    assert out.count("x") >= 3_000_000
    assert [line for line in out.splitlines() if "% done" in line] == ["n0 |  99.9% done"]
    page_of(shell)


def test_progress_is_shown_and_kept(shell: Shell) -> None:
    said = shell("run", SHOWS, "steps", "--count", "5").err
    assert "whimbrel: n0 5 of 5 (100%) rows" in said
    (node,) = shell("describe", "latest", "--json").json["nodes"]
    assert (node["progress"]["done"], node["progress"]["total"]) == (5.0, 5.0)
    assert "rows" not in shell("describe", "latest").out
