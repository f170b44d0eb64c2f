"""The gate in front of the services of gRPC.

Knows: the gate, the table of rights, where gRPC has a token and an address. Must not know: what a method does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from whimbrel.controlplane.access import must, sees
from whimbrel.errors import NotAllowed, NotAuthenticated
from whimbrel.model.access import Action, Place, Principal
from whimbrel.server.auth.access import Access
from whimbrel.server.grpc.rights import NOWHERE, Right, name_of, places_of, right_of
from whimbrel.server.peers import address_of, forwarded


class Caller(NamedTuple):
    """Who calls what. ``principal`` is ``None`` where nobody is known, which some methods allow."""

    principal: Principal | None
    right: Right
    name: str
    address: str


class RpcGuard:
    """See the module."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._gate = access.gate

    async def who(self, service: str, method: str, context: Any) -> Caller:
        """Who calls. Before the request is read: strangers need not be told what is wrong with it. Raises
        ``NotAuthenticated``."""
        sent = {name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)}
        address = address_of(context.peer())
        if self._access.trusts_proxy:
            address = forwarded(address, sent.get("x-forwarded-for", ""))
        right = right_of(service, method)
        name = f"{service.rpartition('.')[2]}.{method}"
        if right.action is Action.OPEN:
            return Caller(None, right, name, address)
        try:
            principal = await self._gate.who(sent.get("authorization", ""))
            if principal is None:
                raise NotAuthenticated
        except NotAuthenticated as error:
            await self._gate.note(None, name, None, "", type(error).__name__, address)
            raise
        return Caller(principal, right, name, address)

    async def may(self, caller: Caller, request: Any) -> None:
        """Raises ``NotAllowed``. An execution is its caller's, whatever the request says."""
        right, principal = caller.right, caller.principal
        if right.action is Action.OPEN:
            return
        places = places_of(right, request)
        try:
            if right.where.startswith("project:") and right.action is Action.READ and principal is not None:
                if not sees(principal, places[0]):
                    raise NotAllowed(f"{principal} may not read in {places[0]}; ask for a role there.")
            elif right.where != NOWHERE or right.action is Action.SELF:
                version = request.id.version if caller.name == "AdminService.CreateTask" else ""
                must(principal, right.action, places[0], version)
            for place in places[1:]:
                must(principal, Action.READ, place)
        except (NotAllowed, NotAuthenticated) as error:
            await self._gate.note(
                principal, caller.name, places[0], name_of(request), type(error).__name__, caller.address
            )
            raise
        if caller.name == "AdminService.CreateExecution":
            request.spec.metadata.principal = str(principal)

    async def done(self, caller: Caller, request: Any, response: Any, error: Exception | None) -> None:
        """What came of it is noted; what may not be seen is taken out of the answer."""
        await self._gate.done(
            caller.principal,
            caller.right.action,
            places_of(caller.right, request)[0],
            name=caller.name,
            target=name_of(request),
            error=error,
            address=caller.address,
        )
        principal = caller.principal
        if error is None and caller.name == "AdminService.ListProjects" and principal is not None:
            seen = [each for each in response.projects if sees(principal, Place(each.id))]
            del response.projects[:]
            response.projects.extend(seen)
