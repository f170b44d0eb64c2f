"""The routes of HTTP.

Knows: Starlette, what serves each route. Must not know: ports, engines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from whimbrel.errors import EntityNotFound, WhimbrelError
from whimbrel.model.access import EVERYWHERE, Place
from whimbrel.server.auth.access import Access
from whimbrel.server.auth.routes import OAuthRoutes
from whimbrel.server.downloads import downloads_of
from whimbrel.server.house import House, is_loopback
from whimbrel.server.http import problems
from whimbrel.server.http.admission import Handler, admitted
from whimbrel.server.http.audit import AuditCalls
from whimbrel.server.http.blobs import BlobCalls
from whimbrel.server.http.bundles import BundleCalls
from whimbrel.server.http.console import Console
from whimbrel.server.http.downloads import DownloadRoutes
from whimbrel.server.http.entities import EntityCalls, SecretCalls
from whimbrel.server.http.guard import Guard
from whimbrel.server.http.launching import LaunchCalls
from whimbrel.server.http.limiting import Limiting
from whimbrel.server.http.logs import LogPages
from whimbrel.server.http.me import get_me
from whimbrel.server.http.openapi import Endpoint, document
from whimbrel.server.http.pages import DeckPages, RunPages
from whimbrel.server.http.probes import Probes
from whimbrel.server.http.registering import RegisterCalls
from whimbrel.server.http.run_lists import RunLists
from whimbrel.server.http.runs import DECK_PAGE, Runs
from whimbrel.server.http.schedules import ScheduleCalls
from whimbrel.server.http.uploads import UploadRoute
from whimbrel.server.http.values import VALUE_PAGE, ValueCalls
from whimbrel.server.trees import Trees
from whimbrel.server.uploads import uploads_of
from whimbrel.wire.rest.access import Me
from whimbrel.wire.rest.audit import AuditPage, AuditQuery
from whimbrel.wire.rest.entities import (
    KINDS,
    EntityDetail,
    EntityPage,
    EntityQuery,
    NewProject,
    NewSecret,
    Nothing,
    PlanState,
    ProjectRow,
    SecretShape,
    VersionQuery,
)
from whimbrel.wire.rest.launching import (
    BlobPlace,
    BlobQuery,
    DataQuery,
    Forecasts,
    Foresee,
    Fork,
    Launch,
    Launched,
    PlainData,
    Recover,
    Relaunch,
)
from whimbrel.wire.rest.logs import FindQuery, FoundLines, LinesQuery, TextQuery, WrittenLines
from whimbrel.wire.rest.registering import BUNDLE_MEDIA_TYPE, MSGPACK, BundlePlace, Registered
from whimbrel.wire.rest.runs import (
    Abort,
    Accepted,
    Answer,
    Deck,
    DeckQuery,
    Detail,
    EventsQuery,
    ExecutionPlace,
    FilterQuery,
    Filters,
    Lines,
    ListQuery,
    LogQuery,
    Page,
    Pages,
    PagesQuery,
    Signal,
)
from whimbrel.wire.rest.schedules import (
    BackfillDetail,
    BackfillPage,
    BackfillQuery,
    FiringPage,
    FiringQuery,
    NewBackfill,
    SchedulePage,
    ScheduleQuery,
)
from whimbrel.wire.rest.trees import DecisionQuery, Decisions, Tree, WholeNode
from whimbrel.wire.rest.values import About, AboutQuery, Directory, FileHead, Shown, TableHead, ValueQuery

V1 = "/api/v1"
OCTETS = "application/octet-stream"


def endpoints(house: House, trees: Trees | None = None) -> list[Endpoint]:
    """The table of REST. ``trees`` are the folds that others look at too."""
    trees = trees or Trees(house.home.store)
    runs = Runs(house, trees)
    lists = RunLists(house)
    audit = AuditCalls(house.home.store)
    bundles = BundleCalls(house)
    pages = RunPages(house, trees)
    logs = LogPages(house)
    blobs = BlobCalls(house)
    blob = f"{V1}/blobs/{{key:path}}"
    registering, launching = RegisterCalls(house), LaunchCalls(house)
    place = f"{V1}/projects/{{project}}/domains/{{domain}}"
    one = f"{V1}/runs/{{run}}"
    bundle = f"{V1}/bundles/{{sha256}}"
    schedules = ScheduleCalls(house)
    backfills = f"{place}/backfills/{{backfill}}"
    return [
        Endpoint(
            *("GET", f"{V1}/schedules", schedules.list_schedules, "What is due when."), SchedulePage, ScheduleQuery
        ),
        Endpoint(
            *("GET", f"{V1}/schedules/{{project}}/{{domain}}/{{name:path}}", schedules.list_firings),
            *("What came of the due times of a launch plan.", FiringPage, FiringQuery),
        ),
        Endpoint(
            *("POST", f"{place}/launch-plans/{{name:path}}/{{version}}/backfill", schedules.backfill_plan),
            *("Launch what was due.", BackfillDetail),
            takes=NewBackfill,
        ),
        Endpoint("GET", f"{V1}/backfills", schedules.list_backfills, "Backfills.", BackfillPage, BackfillQuery),
        Endpoint("GET", backfills, schedules.get_backfill, "A backfill, and how far it is.", BackfillDetail),
        Endpoint("POST", f"{backfills}/stop", schedules.stop_backfill, "Launch nothing more of it.", BackfillDetail),
        Endpoint(
            *("POST", f"{place}/register", registering.register, "Register a program.", list[Registered]),
            sends=MSGPACK,
        ),
        *_entity_endpoints(EntityCalls(house), place),
        *_secret_endpoints(SecretCalls(house)),
        Endpoint("GET", f"{V1}/projects", registering.list_projects, "Every project.", list[ProjectRow]),
        Endpoint(
            *("POST", f"{V1}/projects", registering.create_project, "Make a project.", ProjectRow),
            takes=NewProject,
            status=201,
        ),
        Endpoint("HEAD", bundle, bundles.head_bundle, "Whether the code of this digest is here."),
        Endpoint(
            *("PUT", bundle, bundles.put_bundle, "Send code, as a .tar.gz of its root.", BundlePlace),
            status=201,
            sends=BUNDLE_MEDIA_TYPE,
        ),
        Endpoint("GET", f"{V1}/me", get_me, "Who asks, and what they may do.", Me),
        Endpoint("GET", f"{V1}/audit", audit.list_audit, "Who did what, the latest first.", AuditPage, AuditQuery),
        Endpoint("GET", f"{V1}/runs", lists.list_runs, "Runs, the newest first.", Page, ListQuery),
        Endpoint("GET", f"{V1}/run-pages", lists.count_runs, "How long a list of runs is.", Pages, PagesQuery),
        Endpoint("GET", f"{V1}/filters", lists.list_filters, "What runs are filtered by.", Filters, FilterQuery),
        Endpoint(
            *("GET", f"{place}/executions/{{name}}", lists.get_execution, "The run of an execution.", ExecutionPlace)
        ),
        Endpoint("GET", f"{V1}/events", lists.follow_runs, "Rows as they change.", None, ListQuery, streams=True),
        Endpoint("GET", one, runs.get_run, "All of a run.", Detail),
        Endpoint("GET", f"{one}/events", runs.follow_run, "What happens in a run.", None, EventsQuery, streams=True),
        Endpoint("GET", f"{one}/logs", runs.get_logs, "What its tasks wrote.", Lines, LogQuery, streams=True),
        Endpoint("GET", f"{one}/lines", logs.get_lines, "Logs by line.", WrittenLines, LinesQuery, streams=True),
        Endpoint("GET", f"{one}/lines/find", logs.find_lines, "Which lines have a text.", FoundLines, FindQuery),
        Endpoint(
            *("GET", f"{one}/lines/text", logs.get_text, "Logs as a file of text."),
            query=TextQuery,
            answers=("text/plain",),
        ),
        Endpoint("GET", f"{one}/decks", runs.get_decks, "What its tasks show.", list[Deck], DeckQuery),
        Endpoint("GET", f"{one}/tree", pages.get_tree, "Its nodes as rows.", Tree, streams=True),
        Endpoint(
            "GET",
            f"{one}/decisions",
            pages.get_decisions,
            "What an eager body learnt, in order.",
            Decisions,
            DecisionQuery,
        ),
        Endpoint("GET", f"{one}/nodes/{{path:path}}", pages.get_node, "All of a node.", WholeNode),
        *_value_endpoints(ValueCalls(house, trees), one),
        Endpoint("POST", f"{one}/abort", runs.abort_run, "End a run.", Accepted, takes=Abort, status=202),
        Endpoint("POST", f"{one}/approve", runs.approve_gate, "Say yes at a gate.", Accepted, takes=Answer, status=202),
        Endpoint("POST", f"{one}/reject", runs.reject_gate, "Say no at a gate.", Accepted, takes=Answer, status=202),
        Endpoint("POST", f"{one}/signal", runs.signal_gate, "Answer a gate.", Accepted, takes=Signal, status=202),
        Endpoint("GET", blob, blobs.get_blob, "A file or a table, or a range of it.", answers=(OCTETS,)),
        Endpoint("HEAD", blob, blobs.head_blob, "How large it is, if it is here.", answers=(OCTETS,)),
        Endpoint(
            *("PUT", f"{V1}/blobs/{{sha256}}", blobs.put_blob, "Send a file or a table.", BlobPlace, BlobQuery),
            sends=OCTETS,
            status=201,
        ),
        Endpoint(
            *("POST", f"{V1}/runs", launching.launch_run, "Launch what is registered.", Launched),
            takes=Launch,
            status=201,
            packed=True,
        ),
        Endpoint("GET", f"{one}/data", launching.get_data, "Inputs and outputs.", PlainData, DataQuery, packs=True),
        Endpoint(
            *("POST", f"{one}/relaunch", launching.relaunch_run, "Launch it again.", Launched),
            takes=Relaunch,
            status=201,
            packed=True,
        ),
        Endpoint(
            *("POST", f"{one}/recover", launching.recover_run, "Run again what failed.", Launched),
            takes=Recover,
            status=201,
        ),
        Endpoint(
            *("POST", f"{one}/fork", launching.fork_run, "Launch another version of it, keeping what that leaves."),
            Launched,
            takes=Fork,
            status=201,
            packed=True,
        ),
        Endpoint(
            *("POST", f"{one}/forecast", launching.foresee_run, "What a fork or recovery would run, and why."),
            Forecasts,
            takes=Foresee,
            packed=True,
        ),
    ]


def _value_endpoints(values: ValueCalls, run: str) -> Iterator[Endpoint]:
    yield Endpoint("GET", f"{run}/about", values.get_about, "A run or a node as its page shows it.", About, AboutQuery)
    yield Endpoint("GET", f"{run}/value", values.get_value, "More of a value.", Shown, ValueQuery)
    yield Endpoint("GET", f"{run}/value/table", values.get_table, "First rows of a table.", TableHead, ValueQuery)
    yield Endpoint("GET", f"{run}/value/entries", values.get_entries, "Files of a directory.", Directory, ValueQuery)
    yield Endpoint("GET", f"{run}/value/head", values.get_head, "The beginning of a file.", FileHead, ValueQuery)


def _entity_endpoints(entities: EntityCalls, place: str) -> Iterator[Endpoint]:
    for path, kind in KINDS.items():
        noun = kind.replace("_", " ")
        all, one = f"{place}/{path}", f"{place}/{path}/{{name}}"
        yield Endpoint("GET", all, entities.listing(path), f"Each {noun}, by name.", EntityPage, EntityQuery)
        yield Endpoint("GET", one, entities.versions(path), f"Versions of a {noun}.", EntityPage, VersionQuery)
        yield Endpoint(
            *("GET", f"{one}/{{version}}", entities.one(path), f"A {noun}: `latest`, `active`, or by its version."),
            EntityDetail,
            packs=True,
        )
    plan = f"{place}/launch-plans/{{name}}/{{version}}"
    yield Endpoint("POST", f"{plan}/activate", entities.activate_plan, "Make it active.", PlanState, takes=Nothing)
    yield Endpoint("POST", f"{plan}/deactivate", entities.deactivate_plan, "No more.", PlanState, takes=Nothing)


def _secret_endpoints(secrets: SecretCalls) -> Iterator[Endpoint]:
    one = f"{V1}/secrets/{{group}}/{{key}}"
    yield Endpoint("GET", f"{V1}/secrets", secrets.list_secrets, "Secrets by name.", list[SecretShape])
    yield Endpoint("GET", one, secrets.get_secret, "A secret by name; the group `-` is none.", SecretShape)
    yield Endpoint("PUT", one, secrets.put_secret, "Keep a secret.", SecretShape, takes=NewSecret)
    yield Endpoint("DELETE", one, secrets.delete_secret, "Forget a secret.", status=204)


def application(house: House) -> Starlette:
    """Everything that is served over HTTP."""
    probes = Probes(house)
    uploads = UploadRoute(uploads_of(house))
    downloads = DownloadRoutes(house, downloads_of(house))
    trees = Trees(house.home.store)
    table = endpoints(house, trees)
    described = document(table)

    async def openapi(request: Request) -> Response:
        return JSONResponse(described)

    routes: list[tuple[str, str, Handler]] = [
        ("GET", "/healthz", probes.alive),
        ("GET", "/readyz", probes.ready),
        ("GET", "/metrics", probes.metrics),
        ("PUT", "/uploads/{project}/{domain}/{root}/{name}", uploads.put),
        ("GET", "/downloads/files/{path:path}", downloads.file),
        ("GET", "/downloads/decks/{project}/{domain}/{execution}/{node}", downloads.deck),
        ("GET", DECK_PAGE, DeckPages(house).show_deck),
        ("GET", VALUE_PAGE, ValueCalls(house, trees).get_bytes),
        ("GET", f"{V1}/openapi.json", openapi),
        *((row.method, row.path, row.handler) for row in table),
    ]
    return Starlette(
        routes=[
            *(Route(path, _gated(house, method, path, handler), methods=[method]) for method, path, handler in routes),
            *(oauth_routes(house.access, house.url) if house.access is not None else ()),
            *Console(elsewhere=None if house.access is None else house.access.elsewhere).routes,
        ],
        # With authentication the server has names of its own; a page that gives itself one of them has no token.
        middleware=[
            Middleware(Limiting, limits=house.config.limits, trusts_proxy=house.config.behind_proxy),
            Middleware(Guard, is_ours=is_loopback if house.access is None else bool),
        ],
        exception_handlers={
            WhimbrelError: problems.ours,
            HTTPException: problems.of_http,
            ClientDisconnect: problems.left,
            Exception: problems.unexpected,
        },
    )


def _gated(house: House, method: str, path: str, handler: Handler) -> Handler:
    """``handler`` as it is without authentication, else behind the gate."""
    if house.access is None:
        return handler

    async def place_of_run(run: str) -> Place:
        try:
            origin = (await house.home.store.summary(run)).origin
        except EntityNotFound:
            # Only whoever may look everywhere is told that there is no such run.
            return EVERYWHERE
        return Place(origin.project, origin.domain) if origin.project else EVERYWHERE

    return admitted(handler, house.access, method, path, place_of_run)


def oauth_routes(access: Access, url: Callable[[], str]) -> list[Route]:
    """Where to log in, and what the OAuth2 server answers, where there is one."""

    async def resource(request: Request) -> Response:
        return JSONResponse(await access.login(url()))

    login = Route("/.well-known/oauth-protected-resource", resource)
    if access.oauth is None:
        return [login]
    secure = access.oauth.metadata()["issuer"].startswith("https:")
    routes = OAuthRoutes(access.oauth, access.auditor, access.key, secure=secure, trusts_proxy=access.trusts_proxy)
    return [login, *routes.routes()]
