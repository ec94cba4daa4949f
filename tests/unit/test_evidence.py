"""Every severity can say what it rests on, with its source, and how the difference is accepted."""

import shlex

import pytest

from pytest_imagedetail import contract
from pytest_imagedetail.cli import parser
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.evidence import evidence
from pytest_imagedetail.report import terminal
from unit import image_of, listing_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def lines(old, new, beside=None, **facts):
    """The evidence of the only difference between two images."""
    comparison = compare(
        listing_of(old, cloud="a", **facts), listing_of(new, cloud="b", release="2026.2", **facts)
    )
    (difference,) = comparison.differences
    return evidence(difference, comparison, path=difference.path, typed="a b")


def test_a_lost_field_names_its_release():
    """Who promises it, and since when."""
    found = lines(image_of(1), without(image_of(1), SIZE))
    assert found[0].startswith(
        f"contract: {SIZE} is integer, sent since grizzly (2013.1), "
        "with every image since stein (2019.1); "
    )
    assert "a declares no release, so it is judged as the newest" in found


def test_an_unknown_field_is_called_so():
    """Nobody promises a vendor's field."""
    assert lines(image_of(1), image_of(1, os_hidden=False))[0] == (
        "contract: no release of Nova sends os_hidden"
    )


def test_a_filter_tells_its_traps():
    """What a query really means to Nova stands beside what it changed."""
    found = lines(image_of(1), image_of(1, name="b"), query="type=ALL&property-x=1")
    assert any(line.startswith("filter type: equality with metadata.image_type") for line in found)
    assert any(line.startswith("filter property-x: since Newton") for line in found)


def test_a_link_tells_its_history():
    """Since when and in which form."""
    image = image_of(1)
    image["links"].pop()
    assert any(line.startswith("link alternate: ") for line in lines(image_of(1), image))


@pytest.mark.parametrize("key", ["-k", "--kind", "-", "-it's", "k"])
def test_a_path_that_looks_like_an_option_is_a_path(key):
    """As a field beside the images can have any name."""
    one, other = listing_of(image_of()), listing_of(image_of(), beside={key: 1})
    (difference,) = (comparison := compare(one, other)).differences
    found = evidence(difference, comparison, path=difference.path, typed="a b")
    command = found[-1].removeprefix("to accept it: imagedetail ")
    assert parser().parse_args(shlex.split(command)).path == difference.path


@pytest.mark.parametrize("level", ["facts", "shape"])
def test_the_command_that_accepts_it_is_understood(level):
    """It can be typed as it stands once reason and expiry are put in."""
    comparison = compare(
        listing_of(image_of(1), cloud="a", query="name=a b"),
        listing_of(image_of(1, **{"it's": 1}), cloud="b", query="name=a b"),
        level=level,
        profile="same-cloud",
    )
    (difference,) = comparison.differences
    lines = evidence(difference, comparison, path=difference.path, typed=f"a 'b c' --level {level}")
    command = lines[-1].removeprefix("to accept it: imagedetail ")
    options = parser().parse_args(shlex.split(command))
    assert (options.path, options.kind) == (difference.path, [difference.kind])
    assert (options.baseline, options.candidate, options.level) == ("a", "b c", level)


def test_explained_reports_show_it():
    """On request only."""
    comparison = compare(listing_of(image_of(1)), listing_of(without(image_of(1), "minRam")))
    assert "contract: minRam" not in terminal.render(comparison)
    assert "            contract: minRam is integer" in terminal.render(comparison, typed="a b")


@pytest.mark.parametrize("status", contract.STATUS_CODES)
def test_every_status_has_a_note_and_a_source(status):
    """Facts come with where they are known from."""
    note = contract.STATUS_CODES[status]
    assert note.text
    assert note.source
