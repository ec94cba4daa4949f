"""Links of images, of their servers, and what versions and projects do to them."""

import pytest

from pytest_imagedetail.embedded import RELEASES
from tests.embedded.releases import GLANCE_V2

COMPUTE = "http://nova.test:8774"
GLANCE = "http://glance.internal:9292"
SNAPSHOT = "155d900f-0002-4e14-8c4c-000000000002"
SERVER = "9168b536-cd40-4630-b43f-b259807c6e87"
STOCK = [release for release in RELEASES if release != "k5"]
LEGACY = ("essex", "folsom", "grizzly", "havana", "juno")


def snapshot(answer):
    (image,) = [image for image in answer.images if image["id"] == SNAPSHOT]
    return image


def hrefs(element):
    return [link["href"] for link in element["links"]]


@pytest.mark.parametrize("release", RELEASES)
def test_three_links_in_fixed_order(client_of, release):
    """Self, bookmark, alternate; only the alternate has a type; all end in the image's id."""
    for image in client_of(release).list().images:
        assert [link["rel"] for link in image["links"]] == ["self", "bookmark", "alternate"]
        assert [link.get("type") for link in image["links"]] == [
            None,
            None,
            "application/vnd.openstack.image",
        ]
        assert {href.rpartition("/")[2] for href in hrefs(image)} == {image["id"]}


@pytest.mark.parametrize("release", STOCK)
def test_project_in_links(client_of, release):
    """Self has the version, bookmark has not; alternate has the project through Juno only."""
    client = client_of(release)
    project = client.project_id
    owner = f"/{project}" if release in LEGACY else ""
    assert hrefs(snapshot(client.list())) == [
        f"{COMPUTE}/v2/{project}/images/{SNAPSHOT}",
        f"{COMPUTE}/{project}/images/{SNAPSHOT}",
        f"{GLANCE}{owner}/images/{SNAPSHOT}",
    ]


@pytest.mark.parametrize("release", STOCK)
def test_server_links(client_of, release):
    """Essex leaves the project out of the server's links; later releases put it in."""
    client = client_of(release)
    project = "" if release == "essex" else f"/{client.project_id}"
    assert hrefs(snapshot(client.list())["server"]) == [
        f"{COMPUTE}/v2{project}/servers/{SERVER}",
        f"{COMPUTE}{project}/servers/{SERVER}",
    ]


@pytest.mark.parametrize("release", LEGACY)
def test_version_1_1_differs_only_in_the_self_link(client_of, release):
    """/v1.1 and /v2 are one application; the answer repeats the version that was asked."""
    client = client_of(release)
    old = client.get("/v1.1/{project}/images/detail")
    assert old.body.replace(b"/v1.1/", b"/v2/") == client.list().body


@pytest.mark.parametrize("release", GLANCE_V2)
@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_links_have_no_project_when_the_request_had_none(client_of, release, version):
    """From Havana on the links repeat the request, and here it may leave the project out."""
    answer = client_of(release).get(f"/{version}/images/detail")
    assert hrefs(snapshot(answer)) == [
        f"{COMPUTE}/{version}/images/{SNAPSHOT}",
        f"{COMPUTE}/images/{SNAPSHOT}",
        f"{GLANCE}/images/{SNAPSHOT}",
    ]
    assert hrefs(snapshot(answer)["server"])[0] == f"{COMPUTE}/{version}/servers/{SERVER}"


@pytest.mark.parametrize("release", RELEASES)
def test_link_hosts_of_images_and_compute_differ(client_of, release):
    """Glance is another origin than Nova, so a mix-up of the two is visible."""
    for image in client_of(release).list().images:
        own, bookmark, alternate = (href.split("/")[2] for href in hrefs(image))
        assert own == bookmark != alternate


@pytest.mark.parametrize("release", RELEASES)
def test_single_image_and_brief_listing_agree_with_the_detail(client_of, release):
    """GET /images/{id} is the element; GET /images has its id, name and links, in that order."""
    client = client_of(release)
    details = client.list().images
    for detail in details:
        assert client.get(f"/v2/{{project}}/images/{detail['id']}").json == {"image": detail}
    brief = client.get("/v2/{project}/images").images
    assert brief == [{key: detail[key] for key in ("id", "name", "links")} for detail in details]
