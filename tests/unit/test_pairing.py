"""Which image of a candidate is which image of a baseline; never by a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.compare.pairing import pair, unpaired
from pytest_imagedetail.model import ImageRef


def images(*rows):
    """Images of (id, name) or (id, name, size)."""
    keys = ("id", "name", "OS-EXT-IMG-SIZE:size")
    return tuple(dict(zip(keys, row, strict=False)) for row in rows)


def test_by_id_whatever_the_order():
    """An id is the image, on one cloud."""
    one, other = images(("1", "a"), ("2", "b")), images(("2", "a"), ("1", "b"))
    assert pair(one, other, across_clouds=False).pairs == ((0, 1), (1, 0))


def test_a_counted_id_is_nothing_across_clouds():
    """Each cloud counts from one, so its third image is not the other's; with its name, it is."""
    one = images(("1", "a"), ("2", "b"), ("3", "c"))
    other = images(("2", "a"), ("3", "b"), ("4", "c"))
    assert pair(one, other, across_clouds=True).pairs == ((0, 0), (1, 1), (2, 2))
    renamed = pair(images(("1", "a")), images(("1", "b")), across_clouds=True)
    assert (renamed.pairs, renamed.baseline_only) == ((), (0,))
    namesakes = images(("1", "a"), ("2", "a"))
    assert pair(namesakes, namesakes, across_clouds=True).pairs == ((0, 0), (1, 1))


def test_a_uuid_is_one_image_on_every_cloud():
    """Copied with its id, it may have another name."""
    id_ = "70a599e0-0001-4b49-8b26-000000000001"
    assert pair(images((id_, "a")), images((id_, "b")), across_clouds=True).pairs == ((0, 0),)


def test_a_number_and_its_digits_are_one_id():
    """So that the type change of the id is seen on a pair, not as two other images."""
    assert pair(images((1361, "a")), images(("1361", "a")), across_clouds=False).pairs == ((0, 0),)


def test_a_repeated_id_is_paired_by_occurrence():
    """The surplus one is left over, and not swallowed."""
    found = pair(images(("1", "a"), ("1", "b")), images(("1", "a")), across_clouds=False)
    assert (found.pairs, found.baseline_only, found.candidate_only) == (((0, 0),), (1,), ())


def test_names_pair_across_clouds_only():
    """On one cloud another id is another image."""
    one, other = images(("1", "a")), images(("2", "a"))
    assert pair(one, other, across_clouds=True).pairs == ((0, 0),)
    found = pair(one, other, across_clouds=False)
    assert (found.pairs, found.baseline_only, found.candidate_only) == ((), (0,), (0,))
    assert found.ambiguous == ()


def test_name_and_size_tell_namesakes_apart():
    """Two images of one name pair by size, in any order."""
    one = images(("1", "dup", 10), ("2", "dup", 20))
    other = images(("3", "dup", 20), ("4", "dup", 10))
    assert pair(one, other, across_clouds=True).pairs == ((0, 1), (1, 0))


def namesakes(*rows):
    """Images of one name, as (id, minDisk, created, size)."""
    keys = ("id", "minDisk", "created", "OS-EXT-IMG-SIZE:size")
    return tuple({"name": "dup"} | dict(zip(keys, row, strict=False)) for row in rows)


def test_without_a_size_disk_and_day_tell_namesakes_apart():
    """Before Grizzly no image has a size; the time of day is that of each cloud's upload."""
    one = namesakes(("1", 10, "2013-01-01T08:00:00Z"), ("2", 10, "2013-01-02T08:00:00Z"))
    other = namesakes(("3", 10, "2013-01-02T09:30:00Z"), ("4", 10, "2013-01-01T10:00:00Z"))
    assert pair(one, other, across_clouds=True).pairs == ((0, 1), (1, 0))


@pytest.mark.parametrize(
    "rows",
    [
        [("3", 20, "2013-01-01T08:00:00Z"), ("4", 10, "2013-01-03T08:00:00Z")],
        [("3", 10, "2013-01-01T08:00:00Z"), ("4", 10, "2013-01-01T09:00:00Z")],
        [("3", 10, "2013-01-01T08:00:00Z", 5), ("4", 10, "2013-01-05T08:00:00Z", 5)],
        [("3", None, "2013-01-01T08:00:00Z"), ("4", 10, None)],
        [("3", 10.0, "2013-01-01"), ("4", 10, "yesterday")],
    ],
)
def test_disk_and_day_pair_no_images_by_a_guess(rows):
    """Another disk or day, one that stands twice, a size, or no date: they stay alone."""
    one = namesakes(("1", 10, "2013-01-01T08:00:00Z"), ("2", 10, "2013-01-02T08:00:00Z"))
    assert pair(one, namesakes(*rows), across_clouds=True).pairs == ()


def test_an_id_that_stands_again_is_not_paired_by_name():
    """A repeated id is a fault of its listing, not the other cloud's second image."""
    found = pair(images(("1", "a"), ("2", "b")), images(("3", "a"), ("3", "b")), across_clouds=True)
    assert (found.pairs, found.baseline_only, found.candidate_only) == (((0, 0),), (1,), (1,))


def test_what_is_ambiguous_is_not_guessed():
    """Namesakes of one size stay alone, on both sides, and are named."""
    one = images(("1", "dup", 10), ("2", "dup", 10))
    other = images(("3", "dup", 10))
    found = pair(one, other, across_clouds=True)
    assert found.pairs == ()
    assert found.ambiguous == tuple(ImageRef(id=id_, name="dup") for id_ in "123")
    left = unpaired(found, one, other)
    assert left.baseline == found.ambiguous[:2]
    assert left.candidate == found.ambiguous[2:]


@pytest.mark.parametrize("name", [None, "", [], {}, 7])
def test_only_a_name_pairs(name):
    """Images without a name, or with something else for one, are never paired by it."""
    found = pair(images(("1", name, 1)), images(("2", name, 1)), across_clouds=True)
    assert found.pairs == ()
    assert found.ambiguous == ()


@pytest.mark.parametrize("size", [None, 0, [], "1"])
def test_only_a_size_tells_apart(size):
    """No size, or zero (queued images, volume snapshots), tells no image from another."""
    one = images(("1", "dup", size), ("2", "dup", size))
    assert pair(one, images(("3", "dup", size)), across_clouds=True).pairs == ()


SIDE = st.lists(
    st.tuples(
        st.sampled_from("1234"), st.sampled_from(["a", "b", None]), st.sampled_from([None, 1, 2])
    ),
    max_size=6,
).map(lambda rows: images(*rows))


@given(SIDE, SIDE, st.booleans())
def test_every_image_is_in_exactly_one_place(one, other, across):
    """Each is paired once or left over; what is ambiguous is among what is left over."""
    found = pair(one, other, across_clouds=across)
    assert sorted([left for left, _ in found.pairs] + list(found.baseline_only)) == list(
        range(len(one))
    )
    assert sorted([right for _, right in found.pairs] + list(found.candidate_only)) == list(
        range(len(other))
    )
    left = unpaired(found, one, other)
    assert {*found.ambiguous} <= {*left.baseline, *left.candidate}


@given(SIDE, SIDE, st.booleans())
def test_pairing_is_symmetric(one, other, across):
    """Baseline and candidate exchanged give the same pairs, exchanged."""
    there = pair(one, other, across_clouds=across)
    back = pair(other, one, across_clouds=across)
    assert sorted((right, left) for left, right in back.pairs) == list(there.pairs)
    assert (back.baseline_only, back.candidate_only) == (there.candidate_only, there.baseline_only)
    assert {*back.ambiguous} == {*there.ambiguous}


@given(SIDE, SIDE)
def test_images_that_pair_across_clouds_share_id_or_name(one, other):
    """No pair has neither in common."""
    for left, right in pair(one, other, across_clouds=True).pairs:
        assert one[left]["id"] == other[right]["id"] or one[left]["name"] == other[right]["name"]
