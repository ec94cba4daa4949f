"""What no release sends is named by path, what it is instead, and how many images show it."""

import pytest

from pytest_imagedetail import contract
from pytest_imagedetail.breaches import unsent
from pytest_imagedetail.listing import read
from unit import changed, image_of, listing_of, recording_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def seen(*images):
    """What was seen, and the last release that sends it so."""
    return {each.seen: each.until for each in unsent([listing_of(*images)])}


def test_what_nova_sends_is_no_breach():
    """An image, a snapshot, one without a name, and metadata of any kind."""
    assert seen(image_of(1), snapshot_of(2), image_of(3, name=None, updated=None)) == {}
    decoded = {"block_device_mapping": [{"size": 1}], "mappings": []}
    assert seen(image_of(1, metadata={"a": None, "b": "", **decoded})) == {}
    assert seen(image_of(1, created="2024-01-15T08:00:00+00:00")) == {}


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("minRam",), "64", "minRam is a string, not an integer"),
        (("minRam",), True, "minRam is a boolean, not an integer"),
        (("minDisk",), -1, "minDisk is less than 0"),
        (("progress",), None, "progress is null, not an integer"),
        ((SIZE,), 1.0, f"{SIZE} is a number, not an integer"),
        (("name",), 7, "name is an integer, not a string or null"),
        (("created",), "yesterday", "created is text, not an ISO 8601 time"),
        (("created",), "2024-02-30T08:00:00Z", "created is text, not an ISO 8601 time"),
        (("updated",), "", "updated is empty, not an ISO 8601 time"),
        (("id",), "x.1", "id is text, not a UUID"),
        (("metadata",), [], "metadata is an array, not an object"),
        (("metadata",), {"a": 1, "b": 2}, "metadata.* is an integer, not a string or null"),
        (("metadata", "b"), {"c": [1]}, "metadata.* is an object, not a string or null"),
        (("links",), {}, "links is an object, not an array"),
        (("server",), "x", "server is a string, not an object"),
        (("OS-DCF:diskConfig",), "auto", 'OS-DCF:diskConfig is "auto"'),
        (("rax.x",), 1, "['rax.x'] is sent"),
    ],
)
def test_what_no_release_sends(path, value, what):
    """The name of the field, and what is there in place of what is promised."""
    assert seen(changed(image_of(1), *path, to=value)) == {what: None}


def test_an_image_counts_once():
    """However many of its values are wrong alike."""
    (found,) = unsent([listing_of(image_of(1, metadata={"a": 1, "b": 2}), image_of(2))])
    assert (found.path, found.images) == ("images[*].metadata.*", 1)


def test_what_is_below_a_field():
    """The id of a server is a string, too; which one is up to whoever set instance_uuid."""
    (found,) = unsent([listing_of(changed(snapshot_of(1), "server", "id", to=7))])
    assert (found.path, found.seen) == (
        "images[*].server.id",
        "server.id is an integer, not a string",
    )
    assert unsent([listing_of(snapshot_of(1, server="i-0abc"))]) == ()


@pytest.mark.parametrize(
    ("image", "what", "until"),
    [
        (image_of(1, id=7), "id is an integer, not a string", "cactus"),
        (image_of(1, id="7"), "id is an integer in a string, not a UUID", "diablo"),
        (image_of(1, status="QUEUED"), 'status is "QUEUED"', "cactus"),
        (image_of(1, serverId=7), "serverId is sent", "cactus"),
        (without(image_of(1), SIZE), f"{SIZE} is missing", "rocky"),
        (without(image_of(1), "minRam"), "minRam is missing", "diablo"),
        (without(image_of(1), "name"), "name is missing", None),
    ],
)
def test_what_an_older_release_sent(image, what, until):
    """It is nothing against a listing that may be that old."""
    assert seen(image) == {what: contract.release_index(until)}


def test_images_are_counted():
    """Those of the listing that shows it most; each way to break a promise for itself."""
    one, other = image_of(1, minRam="64"), image_of(2, minRam="0")
    found = unsent([listing_of(one), listing_of(one, other, image_of(3, minRam=None))])
    assert [(each.path, each.seen, each.images) for each in found] == [
        ("images[*].minRam", "minRam is a string, not an integer", 2),
        ("images[*].minRam", "minRam is null, not an integer", 1),
    ]
    assert {each.source for each in found} == {contract.FIELDS["minRam"].source}


def test_an_error_has_no_images():
    """Nothing is said of it."""
    error = read(recording_of({"x": {"code": 400, "message": "no"}}, status=400), expect=400)
    assert unsent([error]) == ()
