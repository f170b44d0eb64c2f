"""The tables of what calls need: nothing that is served is forgotten, and nothing is in them that is not served."""

from __future__ import annotations

from typing import Any

import pytest

from whimbrel.model.access import EVERYWHERE, Action, Place
from whimbrel.server.grpc.rights import ALL_PLACES, RIGHTS, Right, places_of, right_of
from whimbrel.server.http.application import endpoints
from whimbrel.server.http.rights import RIGHTS as ROUTES
from whimbrel.wire.flyte.services import SERVICES, methods


@pytest.mark.parametrize("service", SERVICES)
def test_every_method_has_its_right(service: str) -> None:
    assert list(RIGHTS[service]) == [method.name for method in methods(service)]
    for method in methods(service):
        # The place of each is where the table says that it is.
        assert places_of(right_of(service, method.name), method.request())


def test_what_nobody_thought_of_needs_everything() -> None:
    assert right_of("flyteidl.service.AdminService", "DropEverything") == Right(Action.ADMIN, ALL_PLACES)


BESIDES = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/v1/openapi.json"),
    ("PUT", "/uploads/{project}/{domain}/{root}/{name}"),
    ("GET", "/downloads/files/{path:path}"),
    ("GET", "/downloads/decks/{project}/{domain}/{execution}/{node}"),
    ("GET", "/decks/{run}/{attempt}/{digest}/{node:path}"),
    ("GET", "/values/{run}/{key}"),
}


class _Anything:
    """Stands for a house of which nothing is asked: the table is made, and not called."""

    def __getattr__(self, name: str) -> Any:
        return _Anything()

    def __call__(self, *arguments: object, **said: object) -> Any:
        return _Anything()

    def __truediv__(self, other: object) -> Any:
        return _Anything()


def test_every_route_has_its_right() -> None:
    house: Any = _Anything()
    served = {(row.method, row.path) for row in endpoints(house)} | BESIDES
    assert set(ROUTES) == served, "say in src/whimbrel/server/http/rights.py what the route needs, and where"


def message(service: str, name: str) -> Any:
    return next(method.request() for method in methods(service) if method.name == name)


def test_a_request_reaches_into_every_place_that_it_names() -> None:
    right = right_of(SERVICES[0], "CreateExecution")
    request = message(SERVICES[0], "CreateExecution")
    request.project, request.domain = "p", "d"
    request.spec.launch_plan.project, request.spec.launch_plan.domain = "other", "d"
    request.spec.metadata.parent_node_execution.execution_id.project = "third"
    request.spec.metadata.parent_node_execution.execution_id.domain = "d"
    found = places_of(right, request)
    assert found[0] == Place("p", "d")
    assert set(found) == {Place("p", "d"), Place("third", "d"), Place("other", "d")}


def test_a_workflow_reaches_into_the_places_of_its_tasks() -> None:
    request = message(SERVICES[0], "CreateWorkflow")
    request.id.project, request.id.domain = "p", "d"
    task = request.spec.template.nodes.add().task_node.reference_id
    task.project, task.domain = "secret", "production"
    nested = request.spec.sub_workflows.add().nodes.add().branch_node.if_else.case.then_node.workflow_node
    nested.launchplan_ref.project, nested.launchplan_ref.domain = "deep", "production"
    found = places_of(right_of(SERVICES[0], "CreateWorkflow"), request)
    assert set(found) == {Place("p", "d"), Place("secret", "production"), Place("deep", "production")}
    assert found[0] == Place("p", "d")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("flyte://v1/p/d/e/n0/o", Place("p", "d")),
        ("flyte://v1/p", EVERYWHERE),
        ("http://p/d", EVERYWHERE),
        ("", EVERYWHERE),
    ],
)
def test_an_address_that_cannot_be_read_is_everywhere(url: str, place: Place) -> None:
    request = message("flyteidl.service.DataProxyService", "GetData")
    request.flyte_url = url
    assert places_of(right_of("flyteidl.service.DataProxyService", "GetData"), request) == [place]


def test_a_list_of_no_project_is_of_all_of_them() -> None:
    request = message(SERVICES[0], "ListExecutions")
    assert places_of(right_of(SERVICES[0], "ListExecutions"), request) == [EVERYWHERE]
    request.id.project = "p"
    assert places_of(right_of(SERVICES[0], "ListExecutions"), request) == [Place("p")]
