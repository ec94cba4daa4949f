"""What each query parameter selects, with the real oddities."""

import pytest

from pytest_imagedetail.embedded import RELEASES
from tests.embedded.releases import GLANCE_V2, SCHEMA

STOCK = [release for release in RELEASES if release != "k5"]
GLANCE_V1 = ["essex", "folsom", "grizzly", "havana", "juno"]
SERVER = "9168b536-cd40-4630-b43f-b259807c6e87"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dup", ["dup", "dup"]),
        ("DUP", []),
        ("", []),
        ('Zürich "ハード" & <test>', ['Zürich "ハード" & <test>']),
        ("strangers-secret", []),
    ],
)
def test_name_is_exact(client_of, release, name, found):
    """Equality, case and all; an empty name finds nothing, not even the image without one."""
    assert client_of(release).list(name=name).names == found


@pytest.mark.parametrize("release", RELEASES)
def test_last_of_repeated_parameters_wins(client_of, release):
    """Only the last value counts."""
    assert client_of(release).raw("name=dup&name=cirros-base").names == ["cirros-base"]


@pytest.mark.parametrize("release", GLANCE_V2)
def test_colon_in_name_is_an_operator_since_newton(client_of, release):
    """`in:` is a list query; quotes protect a comma; any other word before a colon is a 400."""
    client = client_of(release)
    assert client.list(name="in:dup,cirros-base").names == ["dup", "dup", "cirros-base"]
    assert client.list(name='in:"a,b",cirros-base').names == ["cirros-base"]
    assert client.list(name="eq:dup").names == ["dup", "dup"]
    assert client.list(name="2024-01-01T00:00:00Z").names == []
    answer = client.list(name="org:dup")
    assert answer.status == 400
    assert answer.message == (
        "HTTP 400 Bad Request: Unable to filter by unknown operator &#x27;org&#x27;."
    )


@pytest.mark.parametrize("release", GLANCE_V1)
def test_colon_in_name_is_a_colon_before_newton(client_of, release):
    """Glance v1 compares the whole text."""
    assert client_of(release).list(name="in:dup,cirros-base").names == []


@pytest.mark.parametrize("release", RELEASES)
def test_status_is_lower_cased_and_given_to_glance(client_of, release):
    """Both cases of ACTIVE work, SAVING misses queued images, Nova's other words find nothing."""
    client = client_of(release)
    active = client.list(status="ACTIVE")
    assert {image["status"] for image in active.images} == {"ACTIVE"}
    assert client.list(status="active").body == active.body
    assert client.list(status="SAVING").names == ["half-uploaded"]
    assert client.list(status="queued").names == ["reserved"]
    assert client.list(status="deactivated").names == ["withdrawn"]
    for status in ("ERROR", "UNKNOWN", "DELETED", "nonsense", ""):
        assert client.list(status=status).names == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("server", "found"),
    [
        (SERVER, ["web-01-nightly"]),
        (f"http://anywhere/v9/servers/{SERVER}", ["web-01-nightly"]),
        (f"http://anywhere/servers/{SERVER}/", []),
        ("web-01", []),
        ("", []),
    ],
)
def test_server_is_what_follows_the_last_slash(client_of, release, server, found):
    """A bare id and any URL that ends in it work; a trailing slash finds nothing."""
    assert client_of(release).list(server=server).names == found


@pytest.mark.parametrize("release", STOCK)
def test_type_is_the_raw_image_type(client_of, release):
    """The documented BASE, SERVER and ALL find nothing on stock Nova; real values do."""
    client = client_of(release)
    for documented in ("BASE", "SERVER", "ALL"):
        assert client.list(type=documented).names == []
    assert client.list(type="base").names == ["cirros-base", "withdrawn"]
    assert client.list(type="snapshot").names == ["web-01-nightly"]


@pytest.mark.parametrize("release", STOCK)
def test_minimums_are_equalities(client_of, release):
    """Both minRam and minDisk compare for equality; no number finds nothing."""
    client = client_of(release)
    assert client.list(minRam=512).names == ["cirros-base"]
    assert client.list(minRam=511).names == []
    assert client.list(minDisk=20).names == ["web-01-nightly"]
    assert client.list(minDisk="abc").names == []
    assert client.list(minRam=-1).names == []


@pytest.mark.parametrize("release", GLANCE_V1)
def test_property_filters_work_before_newton(client_of, release):
    """The prefix is a prefix."""
    client = client_of(release)
    assert client.raw("property-os_distro=x").names == []
    assert client.raw("property-os_distro=cirros").names == ["cirros-base"]
    assert client.raw("property-org:name=Example%20Org").names == ['Zürich "ハード" & <test>']


@pytest.mark.parametrize("release", GLANCE_V2)
def test_property_filters_lose_letters_since_newton(client_of, release):
    """The prefix is a set of letters: os_distro becomes s_distro and finds nothing."""
    client = client_of(release)
    assert client.raw("property-os_distro=cirros").names == []
    assert client.raw("property-architecture=aarch64").names == ["dup"]
    assert client.raw("property-visibility=public").names == ["cirros-base", "volume-backed"]
    assert client.raw("property-visibility=community").names == ["community-built"]
    assert client.raw("property-visibility=nobody").status == 400


@pytest.mark.parametrize("release", RELEASES)
def test_unknown_parameters_are_ignored(client_of, release):
    """A misspelled filter lists everything."""
    client = client_of(release)
    answer = client.raw("foo=1&NAME=dup&sort_key=name&os_hidden=true&deleted=true")
    assert answer.body == client.list().body


@pytest.mark.parametrize("release", STOCK)
def test_filters_compose(client_of, release):
    """Two filters are both obeyed."""
    client = client_of(release)
    assert client.raw("name=dup&property-architecture=aarch64&status=ACTIVE").names == ["dup"]
    assert client.list(name="dup", status="queued").names == []


@pytest.mark.parametrize("release", RELEASES)
def test_query_that_is_not_utf_8(client_of, release):
    """A 400 from Nova 30 (2024.2) on, a 500 before."""
    answer = client_of(release).raw("name=Z%FCrich")
    if release in SCHEMA:
        assert answer.status == 400
        assert answer.message == "Query string is not UTF-8 encoded"
    else:
        assert answer.status == 500
        assert list(answer.json) == ["computeFault"]
        assert ("UnicodeDecodeError" in answer.message) is (release in GLANCE_V2)
