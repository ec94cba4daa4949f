"""Paths, projects, tokens, methods and microversions that are refused, and headers of answers."""

import pytest

from pytest_imagedetail.embedded import RELEASES
from tests.embedded.releases import GLANCE_V2, MAXIMUM

LEGACY = ["essex", "folsom", "grizzly", "havana", "juno"]
STRANGER = "9a1c7d0000000000000000000000beef"


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("token", ["", "gAAAAABwrong"])
def test_without_a_good_token(client_of, release, token):
    """A 401 in the shape of its time, which says where to get a token."""
    answer = client_of(release).get("/v2/{project}/images/detail", x_auth_token=token)
    assert answer.status == 401
    if release in GLANCE_V2:
        assert answer.header("Content-Type") == "application/json"
        assert answer.header("WWW-Authenticate") == 'Keystone uri="http://nova.test:8774/v3"'
        assert answer.json == {
            "error": {
                "code": 401,
                "title": "Unauthorized",
                "message": "The request you have made requires authentication.",
            }
        }
    else:
        assert answer.header("WWW-Authenticate") == "Keystone uri='http://nova.test:8774/v3'"
        assert answer.body == b"Authentication required"


@pytest.mark.parametrize("release", RELEASES)
def test_another_project_in_the_path(client_of, release):
    """A 400, neither 403 nor 404, and the caller's own project leaks into the text."""
    client = client_of(release)
    answer = client.get(f"/v2/{STRANGER}/images/detail")
    assert answer.json == {
        "badRequest": {
            "code": 400,
            "message": (
                f"Malformed request URL: URL's project_id '{STRANGER}' "
                f"doesn't match Context's project_id '{client.project_id}'"
            ),
        }
    }


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("path", ["/v9/images/detail", "/v2/{project}/images/detail/", "/nothing"])
def test_unknown_paths_are_html(client_of, release, path):
    """WebOb answers, not Nova: a page, unless only JSON is accepted."""
    client = client_of(release)
    answer = client.get(path)
    assert (answer.status, answer.header("Content-Type")) == (404, "text/html; charset=UTF-8")
    assert answer.body.startswith(b"<html>")
    assert client.get(path, accept="application/json").json["title"] == "Not Found"


@pytest.mark.parametrize("release", [*LEGACY, "k5"])
def test_old_releases_need_a_project_and_have_no_v2_1(client_of, release):
    """Neither /v2/images/detail nor /v2.1 exist."""
    client = client_of(release)
    assert client.get("/v2/images/detail").status == 404
    assert client.get("/v2.1/{project}/images/detail").status == 404


@pytest.mark.parametrize("release", GLANCE_V2)
def test_later_releases_want_hexadecimal_projects(client_of, release):
    """A project that could not be an id is an unknown path, not another project."""
    assert client_of(release).get("/v2/Demo/images/detail").status == 404
    assert client_of("juno").get("/v2/Demo/images/detail").status == 400


@pytest.mark.parametrize("release", RELEASES)
def test_methods(client_of, release):
    """HEAD is an empty 404, OPTIONS an empty 200, POST an unknown path, DELETE an image id."""
    client = client_of(release)
    path = "/v2/{project}/images/detail"
    assert (client.get(path, method="HEAD").status, client.get(path, method="HEAD").body) == (
        404,
        b"",
    )
    assert client.get(path, method="OPTIONS").status == 200
    assert client.get(path, method="POST").header("Content-Type").startswith("text/html")
    assert client.get(path, method="DELETE").json == {
        "itemNotFound": {"code": 404, "message": "Image not found."}
    }


@pytest.mark.parametrize("release", RELEASES)
def test_json_suffix(client_of, release):
    """It chose the format as long as there was one to choose; now it is part of an image id."""
    answer = client_of(release).get("/v2/{project}/images/detail.json")
    assert answer.status == (404 if release in GLANCE_V2 else 200)


@pytest.mark.parametrize("release", GLANCE_V2)
@pytest.mark.parametrize("path", ["/v2.1/{project}/images/detail", "/v2.1/images/detail"])
def test_v2_1_adds_microversion_headers(client_of, release, path):
    """Two version headers and two separate Vary headers."""
    answer = client_of(release).get(path)
    assert answer.status == 200
    assert answer.header("OpenStack-API-Version") == "compute 2.1"
    assert answer.header("X-OpenStack-Nova-API-Version") == "2.1"
    assert [value for name, value in answer.headers if name == "Vary"] == [
        "OpenStack-API-Version",
        "X-OpenStack-Nova-API-Version",
    ]


@pytest.mark.parametrize("release", GLANCE_V2)
@pytest.mark.parametrize(
    ("asked", "status"),
    [("2.1", 200), ("2.35", 200), ("2.36", 404), ("latest", 404), ("9.9", 406), ("2.0", 406)],
)
def test_microversions(client_of, release, asked, status):
    """The image proxy ends at 2.36; what the release has not is a 406."""
    client = client_of(release)
    for header in (
        {"openstack_api_version": f"compute {asked}"},
        {"x_openstack_nova_api_version": asked},
    ):
        answer = client.get("/v2.1/images/detail", **header)
        assert answer.status == status
        said = MAXIMUM[release] if asked == "latest" else asked
        assert answer.header("X-OpenStack-Nova-API-Version") == said
    if status == 404:
        assert answer.json == {
            "itemNotFound": {"code": 404, "message": "The resource could not be found."}
        }
    if status == 406:
        assert answer.json["computeFault"]["message"] == (
            f"Version {asked} is not supported by the API. "
            f"Minimum is 2.1 and maximum is {MAXIMUM[release]}."
        )


@pytest.mark.parametrize("release", GLANCE_V2)
def test_microversion_that_is_none(client_of, release):
    """A 400 without version headers; another service's version is not ours."""
    client = client_of(release)
    answer = client.get("/v2.1/images/detail", openstack_api_version="compute banana")
    assert answer.status == 400
    assert answer.header("Vary") == ""
    assert client.get("/v2.1/images/detail", openstack_api_version="image 2.36").status == 200


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("asked", ["2.36", "latest", "9.9", "banana"])
def test_v2_ignores_microversions(client_of, release, asked):
    """The legacy path drops the headers, in both directions."""
    answer = client_of(release).get(
        "/v2/{project}/images/detail", x_openstack_nova_api_version=asked
    )
    assert answer.status == 200
    assert answer.header("Vary") == ""


@pytest.mark.parametrize("release", RELEASES)
def test_content_types_and_request_ids(client_of, release):
    """A listing has no charset, an error has one; each answer has its own request id."""
    client = client_of(release)
    first, second = client.list(), client.list()
    assert first.header("Content-Type") == "application/json"
    assert client.get(f"/v2/{STRANGER}/images/detail").header("Content-Type") == (
        "application/json; charset=UTF-8"
    )
    assert first.header("x-compute-request-id").startswith("req-")
    assert first.header("x-compute-request-id") != second.header("x-compute-request-id")
    if release in GLANCE_V2:
        assert first.header("x-openstack-request-id") == first.header("x-compute-request-id")
    assert first.header("Content-Length") == str(len(first.body))


@pytest.mark.parametrize("release", RELEASES)
def test_accept_xml_gets_json(client_of, release):
    """This cloud speaks JSON only."""
    answer = client_of(release).get("/v2/{project}/images/detail", accept="application/xml")
    assert answer.header("Content-Type") == "application/json"


@pytest.mark.parametrize("release", RELEASES)
def test_caching_makes_listings_203(client_of, release):
    """Behind a caching layer every listing is a 203 with the same body, and errors stay."""
    cached = client_of(release, caching=True)
    assert cached.list().status == 203
    assert len(cached.list().images) == 13
    assert cached.get(f"/v2/{STRANGER}/images/detail").status == 400


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("image_id", "status"),
    [
        ("3eb2d8df-0009-487b-8e82-000000000009", 200),
        ("3eb2d8df-0010-487b-8e82-000000000010", 200),
        ("3eb2d8df-0011-487b-8e82-000000000011", 404),
        ("f0e1d2c3-0018-4b5a-9687-000000000018", 404),
    ],
    ids=["hidden", "community", "strangers", "deleted"],
)
def test_single_images_that_no_listing_has(client_of, release, image_id, status):
    """Hidden and community images open to who knows their id; strangers' and deleted do not."""
    client = client_of(release)
    assert client.get(f"/v2/{{project}}/images/{image_id}").status == status
    refused = client.get(f"/v2/{{project}}/images/{image_id}", method="DELETE")
    assert refused.status == (403 if status == 200 else 404)
