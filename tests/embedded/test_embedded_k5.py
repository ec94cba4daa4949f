"""The vendor cloud behaves as its own manual says, to the letter."""

import pytest


@pytest.fixture
def k5(client_of):
    return client_of("k5")


def ids(answer):
    return {image["id"] for image in answer.images}


def test_types_partition_the_listing(k5):
    """BASE and SERVER have no image in common and are ALL together, which is the default."""
    base, server = ids(k5.list(type="BASE")), ids(k5.list(type="SERVER"))
    assert base
    assert server
    assert not base & server
    assert base | server == ids(k5.list(type="ALL")) == ids(k5.list())


def test_server_type_means_made_from_a_server(k5):
    """Exactly the images with a server object are SERVER."""
    assert all("server" in image for image in k5.list(type="SERVER").images)
    assert not any("server" in image for image in k5.list(type="BASE").images)


@pytest.mark.parametrize("value", ["base", "snapshot", "", "ANY"])
def test_other_types_are_refused(k5, value):
    """The manual gives three valid values; anything else is a 400 in Nova's shape."""
    answer = k5.list(type=value)
    assert answer.status == 400
    assert answer.message == "Invalid input received: type must be one of BASE, SERVER, ALL"


@pytest.mark.parametrize(
    "query", ["limit=1", "limit=x", "marker=nope", "minRam=512", "property-architecture=aarch64"]
)
def test_only_the_documented_parameters_exist(k5, query):
    """What the manual does not list is ignored like any unknown parameter."""
    assert k5.raw(query).body == k5.list().body


def test_sync_status_reason(k5):
    """Every image has it: free text of several lines with an internal URL and the image's id."""
    for image in k5.list().images:
        reason = image["metadata"]["sync_status_reason"]
        assert reason.startswith("ERROR:")
        assert "\n" in reason
        assert "http://10.7.0.210:9292" in reason
        assert reason.endswith(f"image_id={image['id']}")


def test_links_show_internal_addresses_and_the_project(k5):
    """Compute without a port, Glance on 9292, the project in all three."""
    project = k5.project_id
    for image in k5.list().images:
        assert [link["href"] for link in image["links"]] == [
            f"http://10.3.0.210/v2/{project}/images/{image['id']}",
            f"http://10.3.0.210/{project}/images/{image['id']}",
            f"http://10.3.0.120:9292/{project}/images/{image['id']}",
        ]


def test_size_and_status_codes(k5, client_of):
    """Size is present; the manual's two normal codes are 200 and 203."""
    assert all("OS-EXT-IMG-SIZE:size" in image for image in k5.list().images)
    assert k5.list().status == 200
    assert client_of("k5", caching=True).list().status == 203
