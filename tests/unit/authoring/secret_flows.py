"""Tasks that ask for secrets, for the checks and the engine."""

from __future__ import annotations

import asyncio
import os

from whimbrel import Deck, Html, Secret, current_context, eager, progress, task, track, workflow
from whimbrel.authoring.secrets import Secrets

MOUNTED = Secret("tls", "cert", mount_requirement=Secret.MountType.FILE, env_var="CERT_FILE")


def seen(secrets: Secrets) -> str:
    password: str = secrets.get("db", "password")
    return password


@task(secret_requests=[Secret("db", "password"), Secret(key="token", env_var="TOKEN"), MOUNTED, "group"])
def declared() -> int:
    secrets = current_context().secrets
    assert secrets.db.password == secrets.get("db", "password") == secrets.db("password") == seen(secrets)
    assert secrets.get("db", "password", encode_mode="rb").decode() == secrets.get("DB", "Password")
    assert os.environ["TOKEN"] == os.environ[secrets.get_secrets_env_var(key="token")] == secrets.get(key="token")
    path = secrets.get_secrets_file("tls", "cert")
    assert path == os.environ["CERT_FILE"]
    with open(path, encoding="utf-8") as file:
        assert file.read() == secrets.get("tls", "cert")
    assert os.stat(path).st_mode & 0o077 == 0
    assert secrets.group.one == "first-of-group"
    return len(secrets.get("db", "password"))


@task
def undeclared() -> int:
    context = current_context()
    return len(context.secrets.get("db", key="password"))


@task(secret_requests=["db/password"])
def asks_for_another() -> str:
    secrets = current_context().secrets
    name = "api"
    return str(secrets.get(name, "token")) + secrets.other.key + secrets.db.password


@task(secret_requests=[Secret("no", "such", env_var="NO_SUCH")])
def missing() -> None: ...


@task(secret_requests=["db/password"])
def returns_it() -> dict[str, str]:
    return {"connection": f"postgres://u:{current_context().secrets.db.password}@h"}


@task(secret_requests=["db/password"], enable_deck=True)
def tells_it(fail: bool) -> int:
    password = current_context().secrets.db.password
    Deck("mine", Html(f"<b>{password}</b>"))
    Deck("escaped", password)
    Deck.publish()
    progress(1, 2, f"with {password}")
    if fail:
        error = ValueError(f"cannot log in with {password}")
        error.add_note(f"tried {password}")
        raise error
    return 0


@task
def takes(text: str) -> str:
    return text


@eager(secret_requests=["db/password"])
async def passes_it_on() -> str:
    return await takes(text=current_context().secrets.db.password)


@eager(secret_requests=["db/password"])
async def uses_it(fail: bool = False) -> int:
    password = current_context().secrets.db.password
    Deck("body", Html(f"<i>{password}</i>"))
    await asyncio.gather(takes(text="a"), takes(text="b"))
    if fail:
        raise ValueError(f"bad {password}")
    return len(password)


@workflow
def flow() -> int:
    return declared()


@task(enable_deck=True)
def falsy(number: int, text: str, items: list[int]) -> bool:
    return False


@task(enable_deck=True)
def two() -> tuple[int, str]:
    return 0, "<b>"


@task
def quiet() -> int:
    Deck("nobody sees it", "x")
    return 1


@task
def goes_through(count: int) -> int:
    return sum(track(range(count), message="rows"))


@task(enable_deck=True, retries=1)
def fails_with_decks(x: int) -> int:
    Deck("before", f"attempt {current_context().attempt} of <x>")
    raise ValueError("no")


@eager
async def has_a_deck() -> int:
    Deck("Summary", Html("<b>one</b>"))
    await takes(text="x")
    return 0
