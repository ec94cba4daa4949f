"""`==` and `compare` always agree."""

from hypothesis import event, given, settings
from hypothesis import strategies as st
from unit import OTHER_PROJECT, PROJECT, image_of, listing_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError

PATIENT = settings(derandomize=True, max_examples=400, deadline=None)
NEXT = {"rel": "next", "href": f"https://compute.a.invalid/v2/{PROJECT}/images/detail?marker=x"}

TEXTS = st.sampled_from(
    [
        *(PROJECT, OTHER_PROJECT, f"{2:032x}", "redacted-owner", "<redacted>", "plain", "<id>"),
        *("see https://image.{cloud}.invalid/x", "http://image.{cloud}.invalid/x", "<image>/x"),
        *("https://host-3f2.invalid/x?a=1", "https://host-3f2.invalid/x?a=2", "192.0.2.1"),
    ]
)
VALUES = st.one_of(TEXTS, TEXTS, st.lists(TEXTS, max_size=2), st.sampled_from([None, 1, 1.0, True]))
METADATA = st.dictionaries(st.sampled_from(["user_id", "owner_id", "x"]), VALUES, max_size=3)
ROWS = st.lists(st.tuples(st.integers(1, 3), METADATA), max_size=4)
RARELY = st.integers(0, 5).map(lambda number: number == 0)


def written(value, cloud):
    if isinstance(value, str):
        return value.format(cloud=cloud)
    if isinstance(value, list):
        return [written(each, cloud) for each in value]
    if isinstance(value, dict):
        return {key: written(each, cloud) for key, each in value.items()}
    return value


def listing(rows, *, complete, cloud="a", project=PROJECT, **facts):
    """Return a listing, possibly with repeated images."""
    images = [
        image_of(number, cloud, project, metadata=written(each, cloud)) for number, each in rows
    ]
    beside = {} if complete else {"images_links": [NEXT]}
    return listing_of(*images, beside=beside, complete=complete, cloud=cloud, **facts)


@st.composite
def pairs(draw):
    """Draw two listings that are equal but for the order of keys, or sometimes differ."""
    rows, complete = draw(ROWS), draw(st.booleans())
    others = [(number, dict(draw(st.permutations([*each.items()])))) for number, each in rows]
    for _, metadata in others:
        metadata.update(draw(METADATA) if draw(RARELY) else {})
    if draw(RARELY):
        others = draw(st.one_of(st.permutations(others), st.just(others[1:]), ROWS))
    facts = {
        "complete": complete ^ draw(RARELY),
        "cloud": draw(st.sampled_from("ab")),
        "project": OTHER_PROJECT if draw(RARELY) else PROJECT,
        "status": 203 if draw(RARELY) else 200,
    }
    return listing(rows, complete=complete), listing(others, **facts)


def same(one, other):
    """Return the verdict of `compare`; listings that it refuses are not equal."""
    try:
        return compare(one, other).same
    except ComparisonError:
        return False


@PATIENT
@given(pairs())
def test_equal_listings_have_no_difference(sides):
    """This includes key order, cloud names, image order, repeated ids and partial listings."""
    one, other = sides
    event("equal" if one == other else "unequal")
    assert (one == other) is same(one, other)
    assert (other == one) is same(other, one)
