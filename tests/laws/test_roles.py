"""Every method and every route, asked by everybody: each may do what their role says, there and nowhere else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import grpc.aio
import httpx
import pytest

from whimbrel.controlplane.access import may, may_somewhere, sees
from whimbrel.model.access import ALL_SCOPES, Action, Grant, Place, Principal, PrincipalKind, Role
from whimbrel.model.run import AttemptId, Phase, RunOrigin, RunSummary
from whimbrel.server.app import Server
from whimbrel.server.auth.accounts import Accounts
from whimbrel.server.auth.tokens import Login, Tokens, new_family
from whimbrel.server.grpc.rights import HERE, Right, right_of
from whimbrel.server.house import Auth, ServerConfig
from whimbrel.server.http.rights import RIGHTS as ROUTES
from whimbrel.server.http.rights import Where
from whimbrel.wire.flyte.services import SERVICES, methods

HOME = Place("flytesnacks", "development")
AWAY = Place("flytesnacks", "production")
RUN = {HOME: "a-run-at-home", AWAY: "a-run-away"}


class Asker(NamedTuple):
    principal: Principal | None
    token: str


async def askers(server: Server) -> dict[str, Asker]:
    """Everybody."""
    house = server.house
    assert house.access is not None
    accounts = Accounts(house.home.store, house.clock.now)
    tokens = Tokens(house.home.store, accounts, house.clock.now)
    found = {"nobody": Asker(None, "")}
    wanted: dict[str, tuple[tuple[Grant, ...], tuple[str, ...]]] = {"stranger": ((), (ALL_SCOPES,))}
    for role in Role:
        wanted[f"{role.value} at home"] = ((Grant(role, HOME),), (ALL_SCOPES,))
        wanted[f"{role.value} of the project"] = ((Grant(role, Place(HOME.project)),), (ALL_SCOPES,))
        wanted[f"{role.value} everywhere"] = ((Grant(role),), (ALL_SCOPES,))
    wanted["admin who may only read"] = ((Grant(Role.ADMIN),), (Action.READ.value,))
    for name, (grants, scopes) in wanted.items():
        id = re.sub(r"\W", "-", name)
        for grant in grants:
            await accounts.grant(f"user:{id}", grant.role, grant.place)
        issued = await tokens.issue(Login(PrincipalKind.USER, id, "c", scopes, new_family()))
        found[name] = Asker(Principal(PrincipalKind.USER, id, grants, frozenset(scopes)), issued.access)
    token = house.access.attempts.issue(AttemptId("r", "n0", 1), HOME, "v1")
    found["an attempt"] = Asker(await house.access.attempts.principal(token), token)
    found["a forger"] = Asker(None, "wat_forged")
    return found


def placed(request: Any, right: Right, place: Place) -> Any:
    """The request, about ``place``."""
    kind, colon, field = right.where.partition(":")
    if kind == "url":
        setattr(request, field, f"flyte://v1/{place.project}/{place.domain}/e/n0/o")
    elif colon:
        *path, last = field.split(".")
        for part in path:
            request_part = getattr(request, part)
            setattr(request_part, last, place.project)
        if not path:
            setattr(request, last, place.project)
    elif right.where not in ("", "*"):
        target = request
        for part in () if right.where == HERE else right.where.split("."):
            target = getattr(target, part)
        target.project, target.domain = place.project, place.domain
    return request


def allowed(principal: Principal, right: Right, place: Place) -> bool:
    """What the table means, in other words than the guard's."""
    if right.where == "":
        return True
    if right.where == "*":
        return may(principal, right.action, Place())
    if right.where.startswith("project:"):
        whole = Place(place.project)
        return sees(principal, whole) if right.action is Action.READ else may(principal, right.action, whole)
    return may(principal, right.action, place)


async def every_method(server: Server, everybody: dict[str, Asker]) -> int:
    count = 0
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        for service in SERVICES:
            for method in methods(service):
                right = right_of(service, method.name)
                call = channel.unary_unary(f"/{service}/{method.name}")
                for name, asker in everybody.items():
                    for place in (HOME, AWAY):
                        request = placed(method.request(), right, place).SerializeToString()
                        sent = (("authorization", f"Bearer {asker.token}"),) if asker.token else ()
                        code = grpc.StatusCode.OK
                        try:
                            await call(request, metadata=sent, timeout=60)
                        except grpc.aio.AioRpcError as error:
                            code = error.code()
                        said = (method.name, name, str(place), code)
                        if right.action is Action.OPEN or (
                            asker.principal is not None and allowed(asker.principal, right, place)
                        ):
                            assert code is not grpc.StatusCode.UNAUTHENTICATED, said
                            assert code is not grpc.StatusCode.PERMISSION_DENIED, said
                        elif asker.principal is None:
                            assert code is grpc.StatusCode.UNAUTHENTICATED, said
                        else:
                            # What is not served is said to everybody who is known.
                            refused = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED)
                            assert code in refused, said
                        assert code not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL), said
                        count += 1
    return count


def may_ask(principal: Principal, action: Action, where: Where, place: Place) -> bool:
    match where:
        case Where.NOWHERE:
            return True
        case Where.ANYWHERE | Where.BODY:
            return may_somewhere(principal, action) or where is Where.BODY
        case Where.EVERYWHERE:
            return may(principal, action, Place())
        case _:
            return may(principal, action, place)


async def every_route(server: Server, everybody: dict[str, Asker]) -> int:
    count = 0
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as http:
        for (method, template), right in ROUTES.items():
            for name, asker in everybody.items():
                for place in (HOME, AWAY):
                    values = {"project": place.project, "domain": place.domain, "run": RUN[place]}
                    path = re.sub(r"{(\w+)(:\w+)?}", lambda found, v=values: v.get(found[1], "x"), template)
                    headers = {"authorization": f"Bearer {asker.token}"} if asker.token else {}
                    query = {"project": place.project, "domain": place.domain} if right.where is Where.QUERY else {}
                    content = {"content": b"{}", "headers": headers | {"content-type": "application/json"}}
                    sent: dict[str, Any] = content if method in ("POST", "PUT") else {"headers": headers}
                    async with http.stream(method, path, params=query, **sent) as answer:
                        status = answer.status_code
                    said = (method, template, name, str(place), status)
                    if right.where is Where.SIGNED:
                        assert status == 401, said
                    elif right.action is Action.OPEN:
                        assert status not in (401, 403), said
                    elif asker.principal is None:
                        assert status == 401, said
                        assert answer.headers["www-authenticate"].startswith("Bearer"), said
                    elif may_ask(asker.principal, right.action, right.where, place):
                        # A body that names no place is refused for that.
                        assert status != 401, said
                        assert status != 403 or right.where is Where.BODY, said
                    else:
                        assert status == 403, said
                    count += 1
    return count


@pytest.mark.slow  # two thousand calls
def test_everybody_may_what_their_role_says_and_nothing_else(tmp_path: Path) -> None:
    async def scenario() -> None:
        server = Server(ServerConfig(tmp_path / "home", port=0, workers=1, drain=0.0, auth=Auth.BUILTIN))
        await server.start()
        try:
            for place, run in RUN.items():
                origin = RunOrigin(project=place.project, domain=place.domain, name=run)
                await server.house.home.store.create(RunSummary(run, "wf", Phase.FAILED, 1.0, origin=origin), [])
            everybody = await askers(server)
            assert await every_method(server, everybody) > 1_000
            assert await every_route(server, everybody) > 300
        finally:
            await server.stop()

    asyncio.run(scenario())


def test_roles_in_so_many_words() -> None:
    def allows(role: Role) -> set[Action]:
        principal = Principal(PrincipalKind.USER, "ada", (Grant(role, HOME),))
        assert not any(may(principal, action, AWAY) for action in Action if action not in (Action.OPEN, Action.SELF))
        return {action for action in Action if may(principal, action, HOME)} - {Action.OPEN, Action.SELF}

    running = {Action.LAUNCH, Action.ANSWER, Action.REGISTER}
    assert allows(Role.VIEWER) == {Action.READ}
    assert allows(Role.RUNNER) == {Action.READ} | running
    assert allows(Role.ADMIN) == {Action.READ, Action.ADMIN} | running
