"""Patterns mean the paths that reports print, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.model import ImageRef, path_of
from pytest_imagedetail.pathpattern import compiled, split

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
    ["a.b", "it's", '"', "\\", "*", "[0]", "é"]
)


@given(st.lists(KEYS | st.integers(0, 9), min_size=1, max_size=4), KEYS | st.none())
def test_each_path_that_is_printed_can_be_read(keys, image):
    """Whatever a cloud puts into a key or an id, its path names the very same keys."""
    ref = None if image is None else ImageRef(id=image, name=None)
    path = path_of(("images", *keys), ref)
    shown = ["images", "*" if image is None else image, *map(str, keys)]
    assert [each.text for each in split(path)] == shown
    assert compiled(path).matches(path)
