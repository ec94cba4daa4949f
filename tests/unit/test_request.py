"""The request that asks a query of an endpoint."""

import pytest

from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Query
from pytest_imagedetail.transport.request import api_version, headers_of, url_of

ENDPOINT = "http://nova.example/v2/p"


def test_where_a_query_is_asked():
    """Below the endpoint; without filters there is no question mark."""
    assert url_of(ENDPOINT, Query()) == f"{ENDPOINT}/images/detail"
    assert url_of(ENDPOINT, Query.of(name="a b")) == f"{ENDPOINT}/images/detail?name=a%20b"


def test_what_is_sent():
    """Both microversion headers, and neither unless one is asked for."""
    assert dict(headers_of(Query())) == {"Accept": "application/json"}
    assert dict(headers_of(Query.of(microversion="2.35"))) == {
        "Accept": "application/json",
        "OpenStack-API-Version": "compute 2.35",
        "X-OpenStack-Nova-API-Version": "2.35",
    }


@pytest.mark.parametrize("microversion", ["é", "2.1\r\nX-Auth-Token: t", "\x00"])
def test_what_no_header_can_hold(microversion):
    """It is refused by its name; anything else is Nova's to judge."""
    with pytest.raises(UsageError, match="cannot be sent in a header"):
        headers_of(Query.of(microversion=microversion))
    assert headers_of(Query.of(microversion="banana")).all("OpenStack-API-Version")


@pytest.mark.parametrize(
    ("endpoint", "version"),
    [
        (ENDPOINT, "v2"),
        ("https://nova.example/compute/v2.1", "v2.1"),
        ("https://v2.example/compute", None),
    ],
)
def test_the_version_of_an_endpoint(endpoint, version):
    """A segment of its path, not of its host."""
    assert api_version(endpoint) == version
