"""Patterns mean the paths that reports print, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.model import ANY_KEY, ImageRef, path_of
from pytest_imagedetail.rules.path_pattern import compiled, split

ANY = "images[*].metadata.hw_rng_model"
ONE = "images[70a599e0-0001].metadata.hw_rng_model"


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        (ANY, ANY, True),
        (ANY, ONE, True),
        (ONE, ONE, True),
        (ONE, ANY, False),  # several images share it; which of them, a path does not say
        ("images[70a599e0-*].metadata.*", ONE, True),
        ("images[*].metadata.hw_*", ONE, True),
        ("images[*].metadata.*", ONE, True),
        ("images[*].metadata.hw", ONE, False),
        ("images[*].metadata", ONE, False),
        ("images[*].metadata.**", ONE, True),
        ("images[*].metadata.**", "images[*].metadata", True),
        ("images[*].metadata.**", "images[*].meta", False),
        ("images[*].**", ONE, True),
        ("images.**", ONE, True),
        ("images", "images", True),
        ("images", "images[*]", False),
        ("images[*]", "images[70a599e0-0001]", True),
        ("images[*].*", ONE, False),  # one key, not several
        ("images[*].minram", "images[*].minRam", False),
        ("images[*].metadata['a.b']", "images[*].metadata['a.b']", True),
        ('images[*].metadata["a.b"]', "images[*].metadata['a.b']", True),
        ("images[*].metadata.a.b", "images[*].metadata['a.b']", False),
        ("images[*].metadata['*']", "images[*].metadata.b", False),  # quoted: as it stands
        ("images[*].metadata['*']", "images[*].metadata['*']", True),
        ("images[*].metadata.a?c", "images[*].metadata.abc", False),  # only the star is a pattern
        ("images[*].links[0]", "images[*].links[0]", True),
        ("images[*].links[*]", "images[*].links[0].href", False),
        ("images[*].OS-EXT-IMG-SIZE:size", "images[*].OS-EXT-IMG-SIZE:size", True),
        ("images[*].links.0", "images[*].links[0]", False),  # a key is no place of a list
        ("images[*].links[0]", "images[*].links.0", False),
        ("images[*].links['0']", "images[*].links.0", True),
        ("images[*].links.*", "images[*].links[0]", True),
        ("images['70a599e0-0001'].metadata.hw_rng_model", ONE, True),
        ("images['*'].metadata.hw_rng_model", ANY, False),  # the image of that id
        ("images['*'].metadata.hw_rng_model", "images['*'].metadata.hw_rng_model", True),
        ("status_code", "status_code", True),
        ("headers.*", "headers.server", True),
    ],
)
def test_what_is_meant(pattern, path, meant):
    """Key by key, from the first to the last."""
    assert compiled(pattern).matches(path) is meant


@pytest.mark.parametrize(
    "pattern",
    [
        *("", ".", "a..b", "a.", "images[", "images[*", "images]", "images[]", "a b", "**"),
        *("a.**.b", "images[*].hw_**", "images['a]", "[*].'a'", ".a", "a['\\x1']", "images[*]name"),
    ],
)
def test_what_is_no_pattern(pattern):
    """A typo is an error, not a rule that never matches; nor does one mean everything."""
    with pytest.raises(ValueError, match=r"\w"):
        compiled(pattern)


KEYS = st.text(min_size=1, max_size=6) | st.sampled_from(
    ["a.b", "it's", '"', "\\", "*", "**", "a*", "a?", "?", "[0]", "0", "[a]", "é"]
)


@given(st.lists(KEYS | st.integers(0, 9), min_size=1, max_size=4), KEYS | st.none())
def test_each_path_that_is_printed_can_be_read(keys, image):
    """Whatever a cloud puts into a key or an id, its path names the very same keys."""
    ref = None if image is None else ImageRef(id=image, name=None)
    path = path_of(("images", *keys), ref)
    shown = ["images", "*" if image is None else image, *map(str, keys)]
    assert [each.text for each in split(path)] == shown
    assert compiled(path).matches(path)


PARTS = st.lists(KEYS | st.integers(0, 9), min_size=1, max_size=3)
IMAGES = st.none() | KEYS.map(lambda id_: ImageRef(id=id_))


@given(PARTS, IMAGES, PARTS, IMAGES)
def test_a_path_that_is_printed_means_itself_and_nothing_else(keys, image, others, another):
    """Copied into a rule it accepts what it was printed for, whatever stars a key holds."""
    ours, theirs = (("images", *keys), image), (("images", *others), another)
    assert compiled(path_of(*ours)).matches(path_of(*ours))
    # `[*]` stands for images that share a difference, and as a pattern for any image.
    same = keys == others and image in {None, another}
    assert compiled(path_of(*ours)).matches(path_of(*theirs)) is same


@given(PARTS, PARTS)
def test_a_path_into_an_answer_means_itself_and_nothing_else(keys, others):
    """Of headers and of an error's words as of images."""
    ours, theirs = ("headers", *keys), ("headers", *others)
    assert compiled(path_of(ours)).matches(path_of(theirs)) is (keys == others)


def test_a_key_that_is_a_star_is_not_any_key():
    """What is said of all metadata is met by a star only, and not by the key of that name."""
    every = path_of(("images", "metadata", ANY_KEY))
    assert every == "images[*].metadata.*"
    assert compiled("images[*].metadata.*").matches(every)
    assert compiled("images[*].metadata.**").matches(every)
    assert not compiled("images[*].metadata['*']").matches(every)
    assert not compiled("images[*].metadata.os").matches(every)
    assert compiled("images[*].metadata.*").matches("images[*].metadata['*']")
