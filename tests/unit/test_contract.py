"""What each release promises of an image detail."""

import pytest

from pytest_imagedetail.contract import (
    ANYTHING,
    FIELDS,
    IMAGE,
    offers,
    promises,
    release_index,
    release_names,
)

RELEASES = [name.partition(" ")[0] for name in release_names()]


def test_release_names_in_order_and_any_spelling():
    """A codename and its year are one release; capitals do not count; a stranger is unknown."""
    assert [release_index(name) for name in RELEASES] == list(range(len(RELEASES)))
    assert release_index("Juno") == release_index("2014.2") == release_index("JUNO")
    assert release_index("2031.1") is None
    assert release_index(None) is None
    assert release_names()[-1] == "hibiscus (2026.2)"


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_offered_or_promised_stays_so(field):
    """No field of images/detail was ever withdrawn, so the facts are monotone over time."""
    for fact in (offers, promises):
        course = [fact(field, release) for release in RELEASES]
        assert course == sorted(course)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("release", [*RELEASES, None])
def test_a_promise_is_also_an_offer(field, release):
    """What every image has can be sent."""
    assert offers(field, release) or not promises(field, release)


@pytest.mark.parametrize(
    ("field", "before", "first", "required"),
    [
        ("minRam", "diablo", "essex", "essex"),
        ("minDisk", "2011.3", "2012.1", "2012.1"),
        ("OS-EXT-IMG-SIZE:size", "folsom", "grizzly", "stein"),
        ("metadata", "cactus", "diablo", "diablo"),
        ("server", "cactus", "diablo", None),
        ("OS-DCF:diskConfig", "cactus", "diablo", None),
    ],
)
def test_first_release_of_a_field(field, before, first, required):
    """The facts of contract section 1: since when a field comes, and since when always."""
    assert not offers(field, before)
    assert offers(field, first)
    assert promises(field, "hibiscus") is (required is not None)
    if required is not None:
        place = release_index(required)
        assert promises(field, required)
        assert not promises(field, RELEASES[place - 1])


def test_an_undeclared_release_promises_what_the_newest_does():
    """A client written today relies on it."""
    assert [promises(field, None) for field in FIELDS] == [
        promises(field, "hibiscus") for field in FIELDS
    ]
    assert not promises("x", None)
    assert not offers("x", None)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("name", None, True),
        ("updated", None, True),
        ("created", None, False),
        ("id", 1361, False),
        ("progress", True, False),
        ("OS-EXT-IMG-SIZE:size", 1.0, False),
        ("OS-EXT-IMG-SIZE:size", "1", False),
        ("OS-EXT-IMG-SIZE:size", 1, True),
        ("links", {}, False),
        ("metadata", [], False),
        ("vendor:field", [], True),
    ],
)
def test_types_are_those_of_json(field, value, allowed):
    """A float or a boolean is no integer; null only where the schema says so."""
    part = IMAGE.names.get(field, ANYTHING)
    assert (part.breach(value, field) is None) is allowed
