"""The OAuth2 server: what it gives, and everything that it must refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.server.oauth_world import REDIRECT, URL, VERIFIER, World, error, fields, played, query
from whimbrel.model.access import AccessKind, Principal
from whimbrel.server.auth.accounts import Client
from whimbrel.server.auth.oauth import GRANTS, may_redirect


def test_a_client_with_its_secret_in_the_header_or_in_the_body() -> None:
    async def scenario(world: World) -> None:
        for answer in (
            await world.post("token", basic=("ci", world.secret), grant_type="client_credentials", scope="read,launch"),
            await world.post(
                "token",
                client_id="ci",
                client_secret=world.secret,
                grant_type="client_credentials",
                scope="read launch",
            ),
        ):
            assert answer.status_code == 200, answer.text
            assert answer.json()["scope"] == "read launch"
            assert "refresh_token" not in answer.json()
            assert answer.headers["cache-control"] == "no-store"
            principal = await world.tokens.principal(answer.json()["access_token"])
            assert isinstance(principal, Principal)
            assert str(principal) == "client:ci"

    played(scenario)


def test_a_login_in_a_browser_with_a_refresh() -> None:
    async def scenario(world: World) -> None:
        said = query(await world.answer(await world.ask()))
        assert said["state"] == "st"
        assert said["iss"] == URL
        issued = (await world.redeem(said["code"])).json()
        assert await world.is_good(issued["access_token"])
        world.now += issued["expires_in"]
        assert not await world.is_good(issued["access_token"])
        again = (await world.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])).json()
        assert await world.is_good(again["access_token"])
        assert again["refresh_token"] != issued["refresh_token"]

    played(scenario)


def test_without_the_scope_offline_there_is_no_refresh() -> None:
    async def scenario(world: World) -> None:
        assert "refresh_token" not in (await world.redeem(await world.code(scope="read"))).json()

    played(scenario)


def test_a_code_is_good_once_and_what_it_gave_ends_with_its_copy() -> None:
    async def scenario(world: World) -> None:
        code = await world.code()
        issued = (await world.redeem(code)).json()
        assert error(await world.redeem(code)) == "invalid_grant"
        assert not await world.is_good(issued["access_token"])
        refreshed = await world.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
        assert error(refreshed) == "invalid_grant"

    played(scenario)


def test_of_many_who_redeem_a_code_at_once_none_keeps_anything() -> None:
    async def scenario(world: World) -> None:
        code = await world.code()
        answers = await asyncio.gather(*(world.redeem(code) for _ in range(8)))
        assert sum(answer.status_code == 200 for answer in answers) <= 1
        assert await world.store.accesses(AccessKind.TOKEN) == []
        assert await world.store.accesses(AccessKind.REFRESH) == []

    played(scenario)


def test_a_refresh_token_that_comes_twice_ends_the_whole_family() -> None:
    async def scenario(world: World) -> None:
        first = (await world.redeem(await world.code())).json()
        other = (await world.redeem(await world.code())).json()
        second = (await world.token(grant_type="refresh_token", refresh_token=first["refresh_token"])).json()
        assert (
            error(await world.token(grant_type="refresh_token", refresh_token=first["refresh_token"]))
            == "invalid_grant"
        )
        assert not await world.is_good(second["access_token"])
        again = await world.token(grant_type="refresh_token", refresh_token=second["refresh_token"])
        assert error(again) == "invalid_grant"
        assert await world.is_good(other["access_token"])

    played(scenario)


def test_of_many_who_refresh_at_once_none_keeps_anything() -> None:
    async def scenario(world: World) -> None:
        refresh = (await world.redeem(await world.code())).json()["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        answers = await asyncio.gather(*(world.token(**form) for _ in range(8)))
        assert sum(answer.status_code == 200 for answer in answers) <= 1
        assert await world.store.accesses(AccessKind.TOKEN) == []
        assert await world.store.accesses(AccessKind.REFRESH) == []

    played(scenario)


def test_a_refresh_may_narrow_and_never_widens() -> None:
    async def scenario(world: World) -> None:
        issued = (await world.redeem(await world.code(scope="read offline"))).json()
        wider = await world.token(grant_type="refresh_token", refresh_token=issued["refresh_token"], scope="admin")
        assert error(wider) == "invalid_scope"

    played(scenario)


Refused = Callable[[World], Awaitable[httpx.Response]]


async def _late_code(world: World) -> httpx.Response:
    code = await world.code()
    world.now += 1_000
    return await world.redeem(code)


REFUSED: dict[str, tuple[str, Refused]] = {
    "no grant": ("invalid_request", lambda world: world.token()),
    "passwords for programs": ("unsupported_grant_type", lambda world: world.token(grant_type="password")),
    "nobody": ("invalid_client", lambda world: world.post("token", grant_type="client_credentials")),
    "an unknown client": (
        "invalid_client",
        lambda world: world.post("token", basic=("mallory", "x"), grant_type="client_credentials"),
    ),
    "a wrong secret": (
        "invalid_client",
        lambda world: world.post("token", basic=("ci", "x"), grant_type="client_credentials"),
    ),
    "no secret": ("invalid_client", lambda world: world.post("token", client_id="ci", grant_type="client_credentials")),
    "two ways at once": (
        "invalid_request",
        lambda world: world.post(
            "token", basic=("ci", world.secret), client_secret=world.secret, grant_type="client_credentials"
        ),
    ),
    "two clients at once": (
        "invalid_request",
        lambda world: world.post(
            "token", basic=("ci", world.secret), client_id="whimbrel-cli", grant_type="client_credentials"
        ),
    ),
    "credentials of a client that has none": (
        "unauthorized_client",
        lambda world: world.token(grant_type="client_credentials"),
    ),
    "an unknown scope": (
        "invalid_scope",
        lambda world: world.post("token", basic=("ci", world.secret), grant_type="client_credentials", scope="root"),
    ),
    "a forged code": ("invalid_grant", lambda world: world.redeem("wco_forged")),
    "a late code": ("invalid_grant", _late_code),
    "a forged refresh token": (
        "invalid_grant",
        lambda world: world.token(grant_type="refresh_token", refresh_token="wrt_forged"),
    ),
    "a forged device code": (
        "invalid_grant",
        lambda world: world.token(grant_type=GRANTS[-1], device_code="wdc_forged"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    code, ask = REFUSED[name]

    async def scenario(world: World) -> None:
        assert error(await ask(world)) == code

    played(scenario)


@pytest.mark.parametrize(
    "said",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": VERIFIER[:-1]},
        {"redirect_uri": "http://127.0.0.1:1234/other"},
        {"redirect_uri": ""},
    ],
)
def test_a_code_wants_its_verifier_and_its_redirect(said: dict[str, str]) -> None:
    async def scenario(world: World) -> None:
        code = await world.code()
        assert error(await world.redeem(code, **said)) == "invalid_grant"
        # Whoever guessed has spent it.
        assert error(await world.redeem(code)) == "invalid_grant"

    played(scenario)


def test_a_code_of_another_client_is_refused_and_not_spent() -> None:
    async def scenario(world: World) -> None:
        code = await world.code()
        stolen = await world.post(
            "token",
            basic=("ci", world.secret),
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT,
            code_verifier=VERIFIER,
        )
        assert error(stolen) == "invalid_grant"
        assert (await world.redeem(code)).status_code == 200

    played(scenario)


@pytest.mark.parametrize(
    "said",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"response_mode": "fragment"},
        {"request": "a.b.c"},
        {"scope": "root"},
    ],
)
def test_what_is_asked_wrongly_goes_back_as_an_error(said: dict[str, str]) -> None:
    async def scenario(world: World) -> None:
        answered = query(await world.ask(**said))
        assert answered["error"] in ("invalid_request", "unsupported_response_type", "invalid_scope")
        assert answered["state"] == "st"
        assert "code" not in answered

    played(scenario)


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "mallory"},
        {"redirect_uri": "https://evil.example.org/callback"},
        {"redirect_uri": "http://localhost.evil.example.org:1/callback"},
        {"redirect_uri": "http://127.0.0.1:1@evil.example.org/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://127.0.0.1:99999/"},
        {"redirect_uri": ""},
    ],
)
def test_nobody_is_sent_where_a_client_may_not_send_them(said: dict[str, str]) -> None:
    async def scenario(world: World) -> None:
        answer = await world.ask(**said)
        assert answer.status_code == 400
        assert "location" not in answer.headers

    played(scenario)


@given(st.text())
def test_addresses_of_this_machine_alone(text: str) -> None:
    if may_redirect(text, Client("c")):
        assert httpx.URL(text).host in ("127.0.0.1", "localhost", "::1")
        assert httpx.URL(text).scheme == "http"


def test_a_form_of_another_page_or_browser_is_asked_again() -> None:
    async def scenario(world: World) -> None:
        page = await world.ask()
        for said in ({"csrf": ""}, {"csrf": "0" * 64}, {"scope": "admin"}, {"redirect_uri": "http://localhost:1/x"}):
            answer = await world.answer(page, **said)
            assert answer.status_code == 200, said
            assert "Once more" in answer.text
        world.http.cookies.clear()
        assert (await world.answer(page)).status_code == 200
        assert await world.store.accesses(AccessKind.CODE) == []

    played(scenario)


def test_pages_run_nothing_and_show_what_comes_from_outside_as_text() -> None:
    async def scenario(world: World) -> None:
        page = await world.ask(state="\"><script>alert('x')</script>", client_id="whimbrel-cli")
        assert "<script" not in page.text
        assert fields(page.text)["state"] == "\"><script>alert('x')</script>"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        cookie = page.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie

    played(scenario)


def test_a_person_who_says_no_and_one_with_a_wrong_password() -> None:
    async def scenario(world: World) -> None:
        page = await world.ask()
        assert query(await world.answer(page, answer="no"))["error"] == "access_denied"
        wrong = await world.answer(page, password="wrong horse")
        assert wrong.status_code == 401
        assert "wrong horse" not in wrong.text
        unknown = await world.answer(page, username="<b>nobody</b>")
        assert unknown.status_code == 401
        assert "<b>" not in unknown.text

    played(scenario)


def test_guessing_has_to_wait_and_time_forgives() -> None:
    async def scenario(world: World) -> None:
        page = await world.ask()
        statuses = [(await world.answer(page, password="guess number one")).status_code for _ in range(7)]
        assert statuses[:5] == [401] * 5
        assert statuses[-1] == 429
        # The right password has to wait too, or guessing would tell.
        assert (await world.answer(page)).status_code == 429
        world.now += 1_000
        assert (await world.answer(page)).status_code == 303

    played(scenario)


def test_secrets_of_clients_cannot_be_guessed_quickly_either() -> None:
    async def scenario(world: World) -> None:
        ask = {"grant_type": "client_credentials"}
        answers = [await world.post("token", basic=("ci", "guess"), **ask) for _ in range(7)]
        assert error(answers[-1]) == "slow_down"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert error(await world.post("token", basic=("ci", world.secret), **ask)) == "slow_down"

    played(scenario)


def test_a_device_waits_for_its_person() -> None:
    async def scenario(world: World) -> None:
        given = (await world.post("device_authorization", client_id="whimbrel-cli", scope="all offline")).json()

        async def poll() -> httpx.Response:
            world.now += given["interval"]
            return await world.token(grant_type=GRANTS[-1], device_code=given["device_code"])

        assert error(await poll()) == "authorization_pending"
        eager = await world.token(grant_type=GRANTS[-1], device_code=given["device_code"])
        assert error(eager) == "slow_down"
        page = await world.http.get("/oauth2/device", params={"user_code": given["user_code"].lower()})
        assert "is told" in (await world.answer(page, "device")).text
        issued = (await poll()).json()
        assert await world.is_good(issued["access_token"])
        assert error(await poll()) == "invalid_grant"

    played(scenario)


def test_a_device_that_is_refused_or_forgotten() -> None:
    async def scenario(world: World) -> None:
        refused = (await world.post("device_authorization", client_id="whimbrel-cli")).json()
        page = await world.http.get("/oauth2/device", params={"user_code": refused["user_code"]})
        await world.answer(page, "device", answer="no")
        denied = await world.token(grant_type=GRANTS[-1], device_code=refused["device_code"])
        assert error(denied) == "access_denied"
        late = (await world.post("device_authorization", client_id="whimbrel-cli")).json()
        world.now += late["expires_in"]
        gone = await world.token(grant_type=GRANTS[-1], device_code=late["device_code"])
        assert error(gone) == "expired_token"

    played(scenario)


def test_user_codes_cannot_be_guessed_quickly() -> None:
    async def scenario(world: World) -> None:
        statuses = [
            (await world.http.get("/oauth2/device", params={"user_code": f"BBBB-BBB{letter}"})).status_code
            for letter in "BCDFGHJK"
        ]
        assert statuses[-1] == 429

    played(scenario)


def test_revoked_and_introspected() -> None:
    async def scenario(world: World) -> None:
        issued = (await world.redeem(await world.code())).json()
        access, refresh = issued["access_token"], issued["refresh_token"]
        ci = ("ci", world.secret)
        said = (await world.post("introspect", basic=ci, token=access)).json()
        assert (said["active"], said["sub"], said["client_id"]) == (True, "user:ada", "whimbrel-cli")
        assert error(await world.post("introspect", client_id="whimbrel-cli", token=access)) == "invalid_client"
        # Another client's tokens are not its to end.
        assert (await world.post("revoke", basic=ci, token=access)).status_code == 200
        assert await world.is_good(access)
        assert (await world.post("revoke", client_id="whimbrel-cli", token=refresh)).status_code == 200
        assert not await world.is_good(access)
        assert (await world.post("introspect", basic=ci, token=access)).json() == {"active": False}

    played(scenario)


def test_whoever_loses_an_account_loses_what_they_are_logged_in_with() -> None:
    async def scenario(world: World) -> None:
        issued = (await world.redeem(await world.code())).json()
        token = (await world.post("token", basic=("ci", world.secret), grant_type="client_credentials")).json()
        await world.accounts.drop_user("ada")
        await world.accounts.drop_client("ci")
        assert not await world.is_good(issued["access_token"])
        assert not await world.is_good(token["access_token"])
        again = await world.token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
        assert error(again) == "invalid_grant"

    played(scenario)


def test_nothing_that_is_kept_or_noted_is_a_secret() -> None:
    async def scenario(world: World) -> None:
        issued = (await world.redeem(await world.code())).json()
        await world.answer(await world.ask(), password="a wrong password")
        await world.post("token", basic=("ci", world.secret), grant_type="client_credentials")
        kept = b""
        for kind in AccessKind:
            for row in await world.store.accesses(kind):
                kept += f"{row.id} {row.owner} ".encode() + row.body
        noted = repr(await world.store.audited(limit=1_000))
        for secret in (issued["access_token"], issued["refresh_token"], world.secret, "correct horse", "a wrong pass"):
            assert secret.encode() not in kept
            assert secret not in noted
        assert "user:ada" in noted

    played(scenario)


NAMES = ("grant_type", "code", "client_id", "client_secret", "refresh_token", "scope", "device_code", "token", "x")
HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from([*GRANTS, "ci", "whimbrel-cli", "' OR 1=1 --", "<script>", "\x00", "\ud800", "%00", "x" * 5_000]),
)


@settings(max_examples=150)
@given(
    path=st.sampled_from(["token", "revoke", "introspect", "device_authorization", "authorize", "device"]),
    form=st.dictionaries(st.sampled_from(NAMES), HOSTILE, max_size=6),
    authorization=st.one_of(st.none(), st.binary(max_size=60)),
    raw=st.one_of(st.none(), st.binary(max_size=200)),
)
def test_noise_is_refused_in_words(
    path: str, form: dict[str, str], authorization: bytes | None, raw: bytes | None
) -> None:
    async def scenario(world: World) -> httpx.Response:
        headers: list[tuple[bytes, bytes]] = [(b"content-type", b"application/x-www-form-urlencoded")]
        if authorization is not None:
            headers.append((b"authorization", b"Basic " + authorization.replace(b"\n", b"").replace(b"\r", b"")))
        body = raw if raw is not None else str(httpx.QueryParams(_sendable(form))).encode()
        return await world.http.post(f"/oauth2/{path}", content=body, headers=headers)

    async def run() -> httpx.Response:
        world = World()
        try:
            return await scenario(world)
        finally:
            await world.http.aclose()

    answer = asyncio.run(run())
    assert answer.status_code in (200, 400, 401, 429), answer.text
    if answer.status_code != 200 and answer.headers["content-type"] == "application/json":
        assert set(answer.json()) == {"error", "error_description"}
    assert "Traceback" not in answer.text
    assert "wat_" not in answer.text


def _sendable(form: dict[str, str]) -> dict[str, str]:
    return {name: value.encode("utf-8", "replace").decode() for name, value in form.items()}
