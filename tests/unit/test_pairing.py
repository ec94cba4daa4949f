"""Images are paired by what identifies them, and never by a guess."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.compare.pairing import pair, unpaired
from pytest_imagedetail.model import ImageRef

UUID = "70a599e0-0001-4b49-8b26-000000000001"
KEYS = ("id", "name", "OS-EXT-IMG-SIZE:size", "minDisk", "created")
MORNING, NOON, NEXT_DAY = "2013-01-01T08:00:00Z", "2013-01-01T12:00:00Z", "2013-01-02T08:00:00Z"


def images(*rows):
    """Images by id, name, size, minDisk and date, as far as given."""
    return tuple(dict(zip(KEYS, row, strict=False)) for row in rows)


def pairs(one, other, *, across_clouds=True):
    return pair(images(*one), images(*other), across_clouds=across_clouds).pairs


def test_an_id_or_a_unique_name_is_the_image():
    """On one cloud any id, repeated ones by occurrence; across clouds, which count, a UUID."""
    counted = [("1", "a"), ("2", "b"), ("3", "c")]
    twice = [("1", "a"), ("1", "b")]
    for across, one, other, expected in (
        (False, [("1", "a"), ("2", "b")], [("2", "a"), ("1", "b")], ((0, 1), (1, 0))),
        (False, [("1", "a")], [("2", "a")], ()),
        (False, [(1361, "a")], [("1361", "a")], ((0, 0),)),
        (False, twice, [("1", "a")], ((0, 0),)),
        (False, twice, [("1", "b"), ("2", "x"), ("1", "a")], ((0, 0), (1, 2))),
        (True, [(UUID, "a")], [(UUID, "b")], ((0, 0),)),
        (True, counted, [("2", "a"), ("3", "b"), ("4", "c")], ((0, 0), (1, 1), (2, 2))),
        (True, [("1", "a")], [("1", "b")], ()),
        (True, [("1", "a"), ("2", "a")], [("1", "a"), ("2", "a")], ((0, 0), (1, 1))),
        (True, [("1", "a")], [("2", "a")], ((0, 0),)),
        (True, [("1", "a"), ("2", "b")], [("3", "a"), ("3", "b")], ((0, 0),)),  # a repeated id
        *((True, [("1", name, 1)], [("2", name, 1)], ()) for name in (None, "", [], {}, 7)),
    ):
        assert pairs(one, other, across_clouds=across) == expected, (one, other)


def test_images_of_one_name_are_paired_by_size_or_by_disk_and_day():
    """By minDisk and day only without a size, as before Grizzly; never if it is not unique."""
    sized = [("1", "dup", 10), ("2", "dup", 20)]
    dated = [("1", "dup", None, 10, MORNING), ("2", "dup", None, 10, NEXT_DAY)]
    for one, other, expected in (
        (sized, [("3", "dup", 20), ("4", "dup", 10)], ((0, 1), (1, 0))),
        *(([("1", "dup", n), ("2", "dup", n)], [("3", "dup", n)], ()) for n in (None, 0, [], "1")),
        (
            dated,
            [("3", "dup", None, 10, NEXT_DAY), ("4", "dup", None, 10, NOON)],
            ((0, 1), (1, 0)),
        ),
        (dated, [("3", "dup", None, 20, MORNING), ("4", "dup", None, 10, "2013-01-03T08:00")], ()),
        (dated, [("3", "dup", None, 10, MORNING), ("4", "dup", None, 10, NOON)], ()),
        (dated, [("3", "dup", 5, 10, MORNING), ("4", "dup", 5, 10, NEXT_DAY)], ()),
        (dated, [("3", "dup", None, None, MORNING), ("4", "dup", None, 10, None)], ()),
        (dated, [("3", "dup", None, 10.0, MORNING), ("4", "dup", None, 10, "yesterday")], ()),
    ):
        assert pairs(one, other) == expected, (one, other)


def test_ambiguous_images_are_named():
    """Namesakes of one size on both sides; not those whose name one side alone has."""
    one, other = images(("1", "dup", 10), ("2", "dup", 10), ("5", "x")), images(("3", "dup", 10))
    found = pair(one, other, across_clouds=True)
    assert found.ambiguous == tuple(ImageRef(id=id_, name="dup") for id_ in "123")
    left = unpaired(found, one, other)
    assert left.baseline == (*found.ambiguous[:2], ImageRef(id="5", name="x"))
    assert left.candidate == found.ambiguous[2:]
    assert pair(one, other, across_clouds=False).ambiguous == ()


SIDE = st.lists(
    st.tuples(
        st.sampled_from("1234"), st.sampled_from(["a", "b", None]), st.sampled_from([None, 1, 2])
    ),
    max_size=6,
).map(lambda rows: images(*rows))


@given(SIDE, SIDE, st.booleans())
def test_laws(one, other, across):
    """Each image is paired once or left over; sides are symmetric; pairs share id or name."""
    found = pair(one, other, across_clouds=across)
    paired = [left for left, _ in found.pairs], [right for _, right in found.pairs]
    assert sorted([*paired[0], *found.baseline_only]) == [*range(len(one))]
    assert sorted([*paired[1], *found.candidate_only]) == [*range(len(other))]
    left = unpaired(found, one, other)
    assert {*found.ambiguous} <= {*left.baseline, *left.candidate}
    back = pair(other, one, across_clouds=across)
    assert sorted((right, left) for left, right in back.pairs) == list(found.pairs)
    assert (back.baseline_only, back.candidate_only) == (found.candidate_only, found.baseline_only)
    assert {*back.ambiguous} == {*found.ambiguous}
    for before, after in found.pairs:
        assert any(one[before][key] == other[after][key] for key in ("id", "name"))
