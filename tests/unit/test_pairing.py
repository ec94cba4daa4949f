"""Images are paired by what identifies them, never by a guess."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_imagedetail.compare import compare
from unit import listing_of

UUID = "70a599e0-0001-4b49-8b26-000000000001"
KEYS = ("id", "name", "OS-EXT-IMG-SIZE:size")
SIZED = [("1", "dup", 10), ("2", "dup", 20)]


def compared(one, other, across=True):
    sides = (
        listing_of(*(dict(zip(KEYS, row, strict=False)) for row in rows)) for rows in (one, other)
    )
    return compare(*sides, profile="cross-cloud" if across else "cross-version")


def test_an_image_is_paired_by_id_name_or_size():
    """Across clouds, counted ids need the name, and a repeated name needs the size."""
    for across, one, other, paired in (
        (False, [("1", "a"), ("2", "b")], [("2", "a"), ("1", "b")], 2),
        (False, [("1", "a")], [("2", "a")], 0),
        (False, [(1361, "a")], [("1361", "a")], 1),
        (False, [("1", "a"), ("1", "b")], [("1", "a")], 1),
        (True, [(UUID, "a")], [(UUID, "b")], 1),
        (True, [("1", "a"), ("2", "b")], [("2", "a"), ("4", "c")], 1),
        (True, [("1", "a")], [("1", "b")], 0),
        (True, [("1", "a"), ("2", "b")], [("3", "a"), ("3", "b")], 1),  # a repeated id
        *((True, [("1", name, 1)], [("2", name, 1)], 0) for name in (None, "", [], 7)),
        (True, SIZED, [("3", "dup", 20), ("4", "dup", 10)], 2),
        (True, SIZED, [("3", "dup", None)], 0),
    ):
        assert compared(one, other, across).paired == paired, (one, other)


def test_ambiguous_images_are_named():
    """Images of one name and size on both sides. A name on one side only is not ambiguous."""
    sides = [("1", "dup", 10), ("2", "dup", 10), ("5", "x")], [("3", "dup", 10)]
    assert compared(*sides, across=False).unpaired.ambiguous == ()  # names do not count there
    found = compared(*sides)
    assert [each.id for each in found.unpaired.ambiguous] == ["1", "2", "3"]
    assert [each.id for each in found.unpaired.baseline] == ["1", "2", "5"]
    assert [each.id for each in found.unpaired.candidate] == ["3"]
    reasons = {each.image.id: each.reason for each in found.differences}
    assert reasons["3"] == "could be more than one image of the other side, so it was not paired"


SIDE = st.lists(
    st.tuples(
        st.sampled_from("1234"), st.sampled_from(["a", "b", None]), st.sampled_from([None, 1, 2])
    ),
    max_size=6,
)


@settings(deadline=None)
@given(SIDE, SIDE, st.booleans())
def test_laws(one, other, across):
    """Each image is paired once or left over, and both directions agree."""
    there, back = compared(one, other, across), compared(other, one, across)
    left = there.unpaired
    assert there.paired + len(left.baseline) == len(one)
    assert there.paired + len(left.candidate) == len(other)
    assert {*left.ambiguous} <= {*left.baseline, *left.candidate}
    assert (back.unpaired.baseline, back.unpaired.candidate) == (left.candidate, left.baseline)
