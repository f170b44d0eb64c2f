"""A ``FlyteRemote`` is data: it can be made, and says clearly that it cannot talk."""

import pytest

import union.remote
from flytekit._adapt import NotInThisRelease, surface
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote


def test_it_keeps_what_it_was_told() -> None:
    remote = FlyteRemote(config=Config.for_sandbox(), default_project="flytesnacks", default_domain="development")
    assert remote.config.platform.endpoint == "localhost:30080"
    assert (remote.default_project, remote.default_domain) == ("flytesnacks", "development")
    assert union.remote.FlyteRemote is union.remote.UnionRemote is FlyteRemote


def test_the_short_ways_to_make_one() -> None:
    assert FlyteRemote.for_sandbox(default_project="p").default_project == "p"
    assert FlyteRemote.for_endpoint("e:1", insecure=True).config.platform.endpoint == "e:1"
    assert FlyteRemote.auto("no-such-file.yaml", "p", "d").default_domain == "d"


@pytest.mark.parametrize("method", surface()["flytekit.remote"]["methods"])
def test_to_talk_is_refused_with_the_way_out(method: str) -> None:
    remote = FlyteRemote.for_sandbox()
    with pytest.raises(NotInThisRelease, match=rf"FlyteRemote\.{method} needs a server.*pyflyte run FILE NAME"):
        getattr(remote, method)


def test_a_method_that_flytekit_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        _ = FlyteRemote.for_sandbox().frobnicate
