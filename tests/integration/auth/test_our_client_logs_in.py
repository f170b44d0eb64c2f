"""Our own client logs in: a secret, a browser, a device, a command, a token; and keeps what a person logged in with."""

from __future__ import annotations

import asyncio
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.auth.upping import LIMIT, PASSWORD, Site, auth, log_in, running
from whimbrel.client.configuration import Config
from whimbrel.client.credentials import Login, mode_of
from whimbrel.client.transport import Transport
from whimbrel.errors import InputInvalid, NotAllowed, NotAuthenticated


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("auth"), "--auth", "builtin") as site:
        yield site


def config(site: Site, **said: object) -> Config:
    return Config(endpoint=site.address, **said)  # type: ignore[arg-type]  # the names are those of the fields


async def asked(config: Config, login: Login, *, path: str = "/api/v1/runs") -> int:
    transport = Transport(config, credentials=login)
    try:
        return (await transport.send("GET", path)).status
    finally:
        await transport.close()


def browse(url: str) -> bool:
    """A person with a browser, whose tab is not waited for."""

    def there() -> None:
        with httpx.Client(timeout=LIMIT) as browser:
            browser.get(log_in(browser, url).headers["location"])

    asyncio.run(asyncio.to_thread(there))
    return True


def test_with_a_secret(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(site.secret + "\n")
    said = config(site, client_id="ci", client_secret_file=str(tmp_path / "secret"))
    assert asyncio.run(asked(said, Login(said, cache=tmp_path / "cache"))) == 200
    assert not (tmp_path / "cache").exists()
    with pytest.raises(NotAllowed, match="admin"):
        asyncio.run(asked(said, Login(said), path="/api/v1/audit"))


def test_without_a_login_it_is_told_to(site: Site) -> None:
    with pytest.raises(NotAuthenticated):
        asyncio.run(asked(config(site), Login(config(site))))
    with pytest.raises(NotAuthenticated):
        asyncio.run(asked(config(site, token="wat_forged"), Login(config(site, token="wat_forged"))))
    wrong = config(site, client_id="ci", client_secret="wsec_wrong")
    with pytest.raises(NotAuthenticated, match="secret"):
        asyncio.run(asked(wrong, Login(wrong)))


def test_in_a_browser_once_and_then_from_what_is_kept(site: Site, tmp_path: Path) -> None:
    said, cache, seen = config(site, auth_mode="Pkce"), tmp_path / "cache" / "logins.json", []

    def opened(url: str) -> bool:
        seen.append(url)
        return browse(url)

    for _ in range(2):
        login = Login(said, cache=cache, browse=opened, tell=lambda text: None)
        assert asyncio.run(asked(said, login)) == 200
    assert len(seen) == 1
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert PASSWORD not in cache.read_text()
    # The clock goes on: what is kept is refreshed, and the one before is good for nothing any more.
    late = Login(said, cache=cache, browse=opened, tell=lambda text: None, now=lambda: 4e9)
    assert asyncio.run(asked(said, late)) == 200
    assert len(seen) == 1


def test_a_login_that_was_taken_away_is_asked_for_again(site: Site, tmp_path: Path) -> None:
    said, cache, seen = config(site, auth_mode="Pkce"), tmp_path / "logins.json", []

    def opened(url: str) -> bool:
        seen.append(url)
        return browse(url)

    assert asyncio.run(asked(said, Login(said, cache=cache, browse=opened, tell=lambda text: None))) == 200
    auth(site.home, "user", "password", "ada", said=PASSWORD + "\n")
    login = Login(said, cache=cache, browse=opened, tell=lambda text: None)

    async def scenario() -> None:
        deadline = asyncio.get_running_loop().time() + LIMIT
        # A running server hears of it within a second.
        while len(seen) < 2 and asyncio.get_running_loop().time() < deadline:
            assert await asked(said, login) == 200
            await asyncio.sleep(0.1)

    asyncio.run(scenario())
    assert len(seen) == 2


def test_on_a_device(site: Site, tmp_path: Path) -> None:
    said = config(site, auth_mode="DeviceFlow")

    def told(text: str) -> None:
        found = re.search(r"at (\S+) with the code (\S+)", text)
        assert found is not None
        with httpx.Client(timeout=LIMIT) as browser:
            assert "is told" in log_in(browser, f"{found[1]}?user_code={found[2]}").text

    assert asyncio.run(asked(said, Login(said, cache=tmp_path / "cache", tell=told))) == 200


def test_a_person_who_says_no(site: Site, tmp_path: Path) -> None:
    said = config(site, auth_mode="Pkce")

    def refusing(url: str) -> bool:
        with httpx.Client(timeout=LIMIT) as browser:
            location = log_in(browser, url, answer="no").headers["location"]

        def go() -> None:
            httpx.get(location, timeout=LIMIT)

        asyncio.run(asyncio.to_thread(go))
        return True

    with pytest.raises(NotAuthenticated, match="said no"):
        asyncio.run(asked(said, Login(said, cache=tmp_path / "cache", browse=refusing, tell=lambda text: None)))


def test_with_a_command(site: Site) -> None:
    token = httpx.post(
        f"{site.url}/oauth2/token", data={"grant_type": "client_credentials"}, auth=("ci", site.secret)
    ).json()["access_token"]
    said = config(site, command=(sys.executable, "-c", f"print({token!r})"))
    assert asyncio.run(asked(said, Login(said))) == 200
    silent = config(site, command=(sys.executable, "-c", ""))
    with pytest.raises(NotAuthenticated, match="print a token"):
        asyncio.run(asked(silent, Login(silent)))


def test_modes_by_the_words_of_flytectl() -> None:
    assert mode_of(Config(auth_mode="pkce")) == "Pkce"
    assert mode_of(Config(auth_mode="client_credentials")) == "ClientSecret"
    assert mode_of(Config(client_id="ci", client_secret="s")) == "ClientSecret"
    assert mode_of(Config()) == ""
    with pytest.raises(InputInvalid, match="none of"):
        mode_of(Config(auth_mode="Kerberos"))
    with pytest.raises(InputInvalid, match="command"):
        mode_of(Config(auth_mode="ExternalCommand"))
