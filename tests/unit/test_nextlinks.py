"""Where the next page is said to be, and what a client meets that goes there."""

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.settings import LEVELS, PROFILES
from unit import OTHER_PROJECT, PROJECT, image_of, listing_of

ONE, TWO = image_of(1), image_of(2, created="2024-01-14T08:00:00Z")
PATH = f"/v2/{PROJECT}/images/detail"
LAST = f"limit=2&marker={TWO['id']}"
NO_DETAIL = "from the second page on, images come without their details"
NO_LIST = "the next link leads to no list of images"
ASTRAY = "the next link does not go on from the last image"
FILTERS = "the next link asks with other filters than the request"


def part(path=PATH, asked=LAST, *, links=None, host="https://compute.a.invalid", **facts):
    """A page of two images with a next link."""
    href = f"{host}{path}?{asked}"
    beside = {"images_links": [{"rel": "next", "href": href}] if links is None else links}
    return listing_of(ONE, TWO, beside=beside, query="limit=2", complete=False, **facts)


def verdict(baseline, candidate, **options):
    """What is said of the only difference."""
    (difference,) = compare(baseline, candidate, **options).differences
    assert (difference.kind, difference.path) == ("page_changed", "images_links")
    return difference.severity, difference.reason


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("profile", PROFILES)
def test_what_no_server_sees_is_compatible(profile, level):
    """A fragment, and one link that stands twice."""
    twice = part(links=[{"rel": "next", "href": f"https://compute.a.invalid{PATH}?{LAST}"}] * 2)
    for other in (part(asked=f"{LAST}#x"), twice):
        for sides in ((part(), other), (other, part())):
            assert verdict(*sides, profile=profile, level=level)[0] == "compatible"


def test_filters_that_are_no_utf_8():
    """Two names are two, and the one that was asked for is the right one."""
    sides = [
        listing_of(
            ONE,
            TWO,
            beside={
                "images_links": [
                    {"rel": "next", "href": f"https://compute.a.invalid{PATH}?{LAST}&name={name}"}
                ]
            },
            query="limit=2&name=Z%FC",
            complete=False,
        )
        for name in ("Z%FC", "Z%E4")
    ]
    assert compare(sides[0], sides[0]).same
    assert verdict(*sides) == ("breaking", FILTERS)
    assert verdict(*sides[::-1])[0] == "compatible"


WRONG = {
    "no detail": (part(f"/v2/{PROJECT}/images"), NO_DETAIL),
    "servers": (part(f"/v2/{PROJECT}/servers/detail"), NO_LIST),
    "an image": (part(f"{PATH}/{ONE['id']}"), NO_LIST),
    "nowhere": (part(""), NO_LIST),
    "no image": (part(asked="limit=2&marker=5eed"), ASTRAY),
    "an earlier image": (part(asked=f"limit=2&marker={ONE['id']}"), ASTRAY),
    "an empty marker": (part(asked="limit=2&marker="), ASTRAY),
    "no marker": (
        part(asked="limit=2"),
        "the next link has no marker, so it leads to the first page again",
    ),
    "a filter": (part(asked=f"{LAST}&name=x"), FILTERS),
    "another project": (
        part(f"/v2/{OTHER_PROJECT}/images/detail"),
        "the next link leads to another project",
    ),
    "another service": (
        part(host="https://image.a.invalid"),
        "the next link leads to another host than those of Compute",
    ),
    "another relation": (
        part(links=[{"rel": "last", "href": "x"}]),
        "clients look for a list of links whose relation is next",
    ),
    "no list": (part(links={}), "clients look for a list of links whose relation is next"),
    "no address": (
        part(links=[{"rel": "next", "href": 5}]),
        "clients look for a list of links whose relation is next",
    ),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG)
def test_a_next_link_to_a_wrong_place_breaks(wrong, reason, profile, level):
    """At each level and under each profile, for the one reason; the way back is compatible."""
    assert verdict(part(), wrong, profile=profile, level=level) == ("breaking", reason)
    severity, _ = verdict(wrong, part(), profile=profile, level=level)
    assert severity == "compatible"
    assert compare(wrong, wrong, profile=profile, level=level).same


@pytest.mark.parametrize("level", LEVELS)
def test_the_known_fault_of_old_releases_is_named(level):
    """Through Juno the link lacks /detail, and Kilo mended it."""
    old, new = part(f"/v2/{PROJECT}/images", release="juno"), part(release="kilo")
    assert verdict(old, new, level=level) == (
        "compatible",
        "pages after the first have their details, as since Kilo",
    )
    assert verdict(new, old, level=level) == (
        "breaking",
        f"{NO_DETAIL}, as in every release through Juno",
    )


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("a b", "&name=a+b", ""),
        ("a%2Bb", "&name=a%2Bb", "&name=a+b"),
        ("a%26b", "&name=a%26b", "&name=a&b="),
        ("100%25", "&name=100%25", "&name=100"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_filter_that_the_request_had_is_kept(name, right, wrong, profile):
    """A next link without it, or with it encoded once too little, leads into another listing."""

    def named(asked):
        href = f"https://compute.a.invalid{PATH}?{LAST}{asked}"
        beside = {"images_links": [{"rel": "next", "href": href}]}
        return listing_of(ONE, TWO, beside=beside, query=f"limit=2&name={name}", complete=False)

    assert verdict(named(right), named(wrong), profile=profile) == ("breaking", FILTERS)
    assert verdict(named(wrong), named(right), profile=profile)[0] == "compatible"


def test_what_nova_does_not_know_is_no_filter():
    """Through 2023.1 the next link repeats it, from 2024.2 on it does not; neither breaks."""

    def recorded(asked, release):
        href = f"https://compute.a.invalid{PATH}?{LAST}{asked}"
        beside = {"images_links": [{"rel": "next", "href": href}]}
        query = "limit=2&status=ACTIVE&foo=bar&sort_key=name"
        return listing_of(ONE, TWO, beside=beside, query=query, complete=False, release=release)

    old = recorded("&status=ACTIVE&foo=bar&sort_key=name", "2019.2")
    new = recorded("&status=ACTIVE", "2024.2")
    dropped = "compatible", "Nova drops parameters that it does not know since 2024.2"
    for profile in PROFILES:
        for level in LEVELS:
            assert verdict(old, new, profile=profile, level=level) == dropped
            assert verdict(new, old, profile=profile, level=level) == dropped
    assert verdict(old, recorded("&foo=bar", "2024.2")) == ("breaking", FILTERS)


def test_a_wrong_link_that_goes_wrong_elsewhere_breaks():
    """Two links that are wrong in two ways are no mending."""
    servers, project = WRONG["servers"][0], WRONG["another project"]
    assert verdict(servers, project[0]) == ("breaking", project[1])


def test_another_form_is_compatible():
    """Without a version of the API normalized, it stands in the link."""
    assert verdict(part(), part(f"/v2.1/{PROJECT}/images/detail"), profile="same-cloud") == (
        "compatible",
        "the next link is written in another form",
    )


@pytest.mark.parametrize("level", LEVELS)
def test_a_next_link_on_one_side_depends_on_the_images(level):
    """It is there if the page is full."""
    bare = listing_of(ONE, TWO, query="limit=2", complete=False)
    for sides in ((part(), bare), (bare, part())):
        assert verdict(*sides, level=level) == (
            "data",
            "there is a next link if the page is full, which depends on the images",
        )


def test_the_difference_shows_where_the_links_lead():
    """The address alone, or all that was sent where the address does not differ."""
    (difference,) = compare(part(), WRONG["servers"][0]).differences
    assert (difference.baseline, difference.candidate) == (
        "<compute>/<v>/images/detail?limit&marker",
        f"<compute>/v2/{PROJECT}/servers/detail?{LAST}",
    )
    link = {"rel": "next", "href": f"https://compute.a.invalid{PATH}?{LAST}"}
    (difference,) = compare(part(), part(links=[link | {"title": "x"}])).differences
    assert difference.candidate == [
        {"rel": "next", "href": "<compute>/<v>/images/detail?limit&marker", "title": "x"}
    ]
