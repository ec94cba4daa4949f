"""Find the releases that answer like a cloud, and what in its images no release sends."""

from pytest_imagedetail import contract
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.listing import read
from unit import PROJECT, changed, image_of, listing_of, recording_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"
IMAGE = image_of(1)
ID = IMAGE["id"]
JUNO = changed(
    IMAGE, "links", 2, "href", to=f"https://image.a.invalid/{PROJECT}/images/{IMAGE['id']}"
)
ESSEX = without(JUNO, SIZE)
DIABLO = without(without(changed(ESSEX, "id", to="1361"), "minRam"), "minDisk")
DIABLO["links"] = DIABLO["links"][:2]
CACTUS = without(changed(DIABLO, "id", to=1361), "metadata")


def dated(*images, **facts):
    return fingerprint([listing_of(*images, **facts)])


def releases(*images, **facts):
    found = [contract.release_name(each).split()[0] for each in dated(*images, **facts).releases]
    return found[0], found[-1]


def linked(path):
    return changed(IMAGE, "links", 0, "href", to=f"https://compute.a.invalid/{path}/images/{ID}")


def headed(name, value):
    return listing_of(IMAGE, headers=[(name, value)])


def page(path):
    link = {"rel": "next", "href": f"https://compute.a.invalid/v2/{path}?limit=1"}
    return listing_of(IMAGE, beside={"images_links": [link]}, query="limit=1")


def test_every_clue_has_its_releases():
    nova = "X-OpenStack-Nova-API-Version"
    for listing, seen, span in (
        (headed("Content-Type", "text/xml"), "the answer is XML", "juno (2014.2) or earlier"),
        (headed(nova, "2.1"), f"the header {nova} is sent", "kilo (2015.1) or later"),
        (page("images"), "the next link leads to the brief images", "juno (2014.2) or earlier"),
        (page("images/detail"), "the next link keeps /detail", "kilo (2015.1) or later"),
        (CACTUS, "id is an integer", "cactus (2011.2) or earlier"),
        (IMAGE, "id is a UUID", "essex (2012.1) or later"),
        (IMAGE, "minRam and minDisk are sent", "essex (2012.1) or later"),
        (IMAGE, f"{SIZE} is sent", "grizzly (2013.1) or later"),
        (JUNO, "the link alternate has the project", "essex (2012.1) to juno (2014.2)"),
        (linked("v2"), "the link self has no project", "havana (2013.2) or later"),
        (linked("v2.1"), "the link self has the version v2.1", "kilo (2015.1) or later"),
    ):
        found = dated(listing) if isinstance(listing, dict) else fingerprint([listing])
        assert (seen, span) in {(clue.seen, clue.span) for clue in found.clues}, found.clues


def test_the_releases_are_those_that_all_clues_allow():
    """One image may lack a field; if all lack it, the release does not send it."""
    for images, first, last in (
        ([without(IMAGE, SIZE)], "kilo", "rocky"),
        ([IMAGE, without(image_of(2), SIZE)], "kilo", "hibiscus"),
        ([JUNO], "grizzly", "juno"),
        ([ESSEX], "essex", "juno"),
        ([DIABLO], "diablo", "diablo"),
        ([CACTUS], "bexar", "cactus"),
        ([{**IMAGE, "links": [*IMAGE["links"], *IMAGE["links"]]}], "kilo", "hibiscus"),
    ):
        assert releases(*images) == (first, last)


def test_the_newest_microversion():
    """All releases that share it are found. Development versions lie between two releases."""
    newest = {
        name: f"{major}.{minor}" for name, (major, minor) in contract.MAX_MICROVERSIONS.items()
    }
    for name, version in newest.items():
        found = {contract.release_name(each) for each in dated(max_microversion=version).releases}
        same = {key for key, each in newest.items() if each == version}
        assert {each.split()[0] for each in found} == same, name
    for version, first, last in (("2.50", "ocata", "pike"), ("2.999", "hibiscus", "hibiscus")):
        assert releases(max_microversion=version) == (first, last)


def test_clues_that_contradict():
    """They contradict the declared release, which stays, or each other."""
    found = dated(JUNO, release="2026.2")
    assert (found.fits, found.declared) == (False, "2026.2")
    assert [clue.seen for clue in found.contradictions] == ["the link alternate has the project"]
    for release in ("juno", "a name of our own"):
        assert dated(JUNO, release=release).fits
    found = dated(ESSEX, image_of(2), max_microversion="2.104")
    assert (found.fits, len(found.releases)) == (False, 0)
    assert found.summary == (
        "no release of Nova answers like this: the link alternate has the project "
        "(essex (2012.1) to juno (2014.2)), "
        "but the newest microversion is 2.104 (hibiscus (2026.2))"
    )


def test_what_nova_copies_from_users_fits():
    """Any user may set instance_uuid to any text, and two properties to any JSON."""
    for image in (
        *(snapshot_of(1), snapshot_of(1, server="i-0abc"), snapshot_of(1, server="")),
        image_of(1, name=None, updated=None, created="2024-01-15T08:00:00+00:00"),
        image_of(1, metadata={"a": None, "b": ""}),
        CACTUS | {"status": "QUEUED", "serverId": 7},  # Cactus had its own statuses
        *(
            image_of(1, metadata={"mappings": value, "block_device_mapping": value})
            for value in ([{"size": 1}], {"a": [None]}, "x", 1, 1.5, True, None)
        ),
    ):
        found = dated(image)
        assert found.fits, found.unsent
    error = recording_of({"x": {"code": 400, "message": "no"}}, status=400)
    found = fingerprint([read(error, expect=400)])
    assert (found.clues, found.unsent) == ((), ())  # it has no images


def test_what_no_release_sends():
    for path, value, seen in (
        (("minRam",), "64", "minRam is a string, not an integer"),
        (("minDisk",), -1, "minDisk is less than 0"),
        ((SIZE,), 1.0, f"{SIZE} is a number, not an integer"),
        (("id",), "x.1", "id is text, not a UUID"),
        (("metadata",), {"a": 1, "b": 2}, "metadata.* is an integer, not a string or null"),
        (("metadata", "b"), {"c": [1]}, "metadata.* is an object, not a string or null"),
        (("server",), {"id": 7}, "server.id is an integer, not a string"),
        (("status",), "QUEUED", 'status is "QUEUED"'),
        (("rax.x",), 1, "['rax.x'] is sent"),
    ):
        found = dated(changed(IMAGE, *path, to=value), max_microversion="2.104")
        assert [(each.seen, each.images) for each in found.unsent] == [(seen, 1)], seen
        assert not found.fits
