"""Releases are dated by what they do; contradictions are named."""

import urllib.request
from dataclasses import replace

import pytest

from pytest_imagedetail import contract
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.importing import imported
from pytest_imagedetail.model import Headers, Query
from tests.cloud import RELEASES, SimulatedCloud
from unit import PROJECT, image_of, listing_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def alternate(image, href):
    """The image with another Glance link."""
    return {**image, "links": [*image["links"][:2], {**image["links"][2], "href": href}]}


def releases(*images, **facts):
    """The first and the last release that answer so, by codename."""
    found = fingerprint([listing_of(*images, **facts)]).releases
    return tuple(contract.release_name(each).split()[0] for each in (found[0], found[-1]))


JUNO = alternate(image_of(1), f"https://image.a.invalid/{PROJECT}/images/{image_of(1)['id']}")


@pytest.mark.parametrize(
    ("image", "first", "last"),
    [
        (image_of(1), "kilo", "hibiscus"),
        (without(image_of(1), SIZE), "kilo", "rocky"),
        (JUNO, "grizzly", "juno"),
        (without(JUNO, SIZE), "essex", "juno"),
    ],
)
def test_fields_and_links_date_a_cloud(image, first, last):
    """Size came with Grizzly and stays since Stein; the wrong alternate link went with Kilo."""
    assert releases(image) == (first, last)


def test_an_image_of_2011():
    """Ids that count, two links, no minRam: what HP Cloud sent."""
    image = without(without(without(image_of(1), SIZE), "minRam"), "minDisk")
    image = {**image, "id": "1361", "links": image["links"][:2]}
    assert releases(image) == ("diablo", "diablo")


def test_what_some_images_lack_dates_nothing():
    """One image without a size is that image's; none with one is the release's."""
    assert releases(image_of(1), without(image_of(2), SIZE)) == ("kilo", "hibiscus")


def test_the_links_of_a_snapshot():
    """Essex has the project in the image's links and none in those of its server."""
    image = snapshot_of(1)
    image["server"]["links"] = [
        {"rel": "self", "href": f"https://compute.a.invalid/v2/servers/{image['server']['id']}"}
    ]
    clues = fingerprint([listing_of(image)]).clues
    assert [clue.range for clue in clues if clue.seen.startswith("the links of server")] == [
        "diablo (2011.3) to essex (2012.1)"
    ]


@pytest.mark.parametrize(
    "links", [{"rel": "next"}, [{"rel": "next"}], [{"rel": "prev", "href": "/images"}], ["/images"]]
)
def test_what_is_no_next_link_dates_nothing(links):
    """Nothing is read out of it."""
    plain, other = (
        fingerprint([listing_of(image_of(1), beside=beside)]).clues
        for beside in ({}, {"images_links": links})
    )
    assert plain == other


@pytest.mark.parametrize("name", contract.MAX_MICROVERSIONS)
def test_the_newest_microversion_dates_every_release(name):
    """The release is among those found, and all found have the same newest microversion."""
    newest = contract.MAX_MICROVERSIONS[name]
    found = fingerprint([listing_of(max_microversion=f"{newest[0]}.{newest[1]}")]).releases
    assert contract.release_index(name) in found
    names = {contract.release_name(each).split()[0] for each in found}
    assert {contract.MAX_MICROVERSIONS[each] for each in names} == {newest}


def test_a_microversion_between_two_releases_is_a_backport():
    """Newer than Ocata's, older than Pike's: at least Pike."""
    assert releases(max_microversion="2.50") == ("pike", "hibiscus")


def test_a_next_link_dates_a_cloud():
    """Through Juno it led to the brief images."""
    beside = {
        "images_links": [{"rel": "next", "href": "https://compute.a.invalid/v2/images?limit=1"}]
    }
    assert releases(JUNO, beside=beside, query="limit=1") == ("grizzly", "juno")


UNASKED = "a next link although no limit was asked"


@pytest.mark.parametrize(
    ("asked", "query", "seen"),
    [
        ("marker=x", "", True),
        ("limit=7&marker=x", "", False),  # of a saved body, nobody knows what was asked
        ("marker=x&limit=7", "limit=7", False),
        ("marker=x", "limit=7", False),
        ("name=limit&marker=x", "", True),
    ],
)
def test_a_next_link_says_whether_a_limit_was_asked(asked, query, seen):
    """It repeats what was asked; only without a limit is it Juno's own."""
    link = {"rel": "next", "href": f"https://compute.a.invalid/v2/images/detail?{asked}"}
    listing = listing_of(image_of(1), beside={"images_links": [link]}, query=query)
    assert (UNASKED in {each.seen for each in fingerprint([listing]).clues}) is seen


def test_a_declared_release_that_cannot_be():
    """What speaks against it is named; the declaration itself is left alone."""
    found = fingerprint([listing_of(JUNO, release="2026.2")])
    assert not found.fits
    assert [clue.seen for clue in found.against] == ["the link alternate has the project"]
    assert found.declared == "2026.2"


def test_clues_that_contradict_each_other():
    """No Nova answers so, and the summary names two clues that show it."""
    found = fingerprint([listing_of(without(JUNO, SIZE), image_of(2), max_microversion="2.104")])
    assert found.releases == ()
    assert not found.fits
    assert found.summary == (
        "no release of Nova answers so: the link alternate has the project "
        "(essex (2012.1) to juno (2014.2)), "
        "but the newest microversion is 2.104 (hibiscus (2026.2) or later)"
    )


def test_the_json_form_says_it_all():
    """Schema, verdict, releases and every clue with its source."""
    form = fingerprint([listing_of(JUNO)]).to_dict()
    assert form["schema"] == 1
    assert form["releases"][0] == "grizzly (2013.1)"
    assert all(clue["seen"] and clue["source"] for clue in form["clues"])


def test_what_no_release_sends_is_no_fit():
    """Each once, with its field's source; the clues still say which release comes closest."""
    image = image_of(1, minRam="64", progress="100", created="yesterday", **{SIZE: None})
    found = fingerprint([listing_of(without(image, "name"), {**image, "minRam": None})])
    assert found.summary == (
        "answers as kilo (2015.1) or a later release does, "
        "but for 5 fields that no release sends so"
    )
    assert found.releases
    assert not found.fits
    assert found.to_dict()["fits"] is False
    assert found.to_dict()["unsent"][0] == {
        "path": "images[*].name",
        "seen": "name is missing",
        "source": contract.FIELDS["name"].source,
        "images": 1,
    }
    assert [(each.seen, each.images) for each in found.unsent] == [
        ("name is missing", 1),
        ("progress is a string, not an integer", 2),
        ("minRam is a string, not an integer", 1),
        ("created is text, not an ISO 8601 time", 2),
        ("OS-EXT-IMG-SIZE:size is null, not an integer", 2),
        ("minRam is null, not an integer", 1),
    ]


def test_what_an_older_release_sent_is_asked_of_those_that_are_left():
    """One image of several has an id of Diablo, and minRam came with Essex."""
    found = fingerprint([listing_of(image_of(1), image_of(2, id="1361"))])
    assert [each.seen for each in found.unsent] == ["id is an integer in a string, not a UUID"]
    assert found.summary.endswith(", but for 1 field that no release sends so")


@pytest.mark.parametrize("release", RELEASES)
def test_a_simulated_cloud_is_dated_right(release):
    """A cloud of a known release answers over HTTP; its release is among those found."""
    with SimulatedCloud(release=release) as cloud:
        request = urllib.request.Request(
            f"{cloud.compute_url}/images/detail",
            headers={"X-Auth-Token": cloud.account.token},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            body = response.read()
    live = imported(
        body, cloud="a", query=Query(), status_code=200, release=release, where="a test"
    )
    found = fingerprint([live.listing])
    assert found.fits, found.against
    assert len(found.clues) > 5


def test_xml_dates_a_cloud():
    """Nova forgot XML after Juno; the answer's media type tells."""
    xml = Headers([("Content-Type", "application/xml")])
    listing = listing_of(JUNO)
    page = listing.recording.interactions[0]
    answered = replace(page, response=replace(page.response, headers=xml))
    recording = replace(listing.recording, interactions=(answered,))
    clues = fingerprint([replace(listing, recording=recording)]).clues
    assert "juno (2014.2) or earlier" in {each.range for each in clues if "XML" in each.seen}
