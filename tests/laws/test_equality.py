"""`==` and `compare` have one verdict, whatever the two listings are."""

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st
from unit import OTHER_PROJECT, PROJECT, image_of, listing_of, recording_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.listing import read

PATIENT = settings(derandomize=True, max_examples=400, deadline=None)
NEXT = {"rel": "next", "href": f"https://compute.a.invalid/v2/{PROJECT}/images/detail?marker=x"}

FORMS = st.sampled_from(
    [
        "{0:032x}",
        "<redacted-{0}>",
        "see https://host-{0}.a.invalid/x",
        "192.0.2.{0} of user-{0}@example.invalid",
    ]
)
NUMBERED = st.tuples(FORMS, st.integers(1, 3))
TEXTS = st.one_of(NUMBERED, NUMBERED, st.sampled_from([PROJECT, "plain", "<id>", "<user-1>"]))
VALUES = st.one_of(TEXTS, TEXTS, st.lists(TEXTS, max_size=2), st.sampled_from([None, 1, 1.0, True]))
METADATA = st.dictionaries(st.sampled_from(["user_id", "owner_id", "x"]), VALUES, max_size=3)
ROWS = st.lists(st.tuples(st.integers(1, 3), METADATA), max_size=4)
RARELY = st.integers(0, 5).map(lambda number: number == 0)


def written(value, numbers):
    """A value as a recording has it that gave its placeholders these numbers."""
    if isinstance(value, tuple):
        return value[0].format(numbers[value[1] - 1])
    if isinstance(value, list):
        return [written(each, numbers) for each in value]
    if isinstance(value, dict):
        return {key: written(each, numbers) for key, each in value.items()}
    return value


def listing(rows, numbers, *, complete, cloud="a", project=PROJECT, **facts):
    """Images, some of which stand twice, as one recording numbers what redaction replaced."""
    images = [
        image_of(number, cloud, project, metadata=written(each, numbers)) for number, each in rows
    ]
    beside = {} if complete else {"images_links": [NEXT]}
    return listing_of(*images, beside=beside, complete=complete, cloud=cloud, **facts)


@st.composite
def pairs(draw):
    """An answer, and the same one numbered and written otherwise, and now and then changed."""
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
    one = listing(rows, range(1, 4), complete=complete)
    other = listing(others, draw(st.permutations(range(1, 4))), **facts)
    if draw(RARELY):  # both redacted together, so that equal numbers mean equal values
        together = object()
        return replace(one, numbering=together), replace(other, numbering=together)
    return one, other


def same(one, other):
    """What `compare` says; what it refuses to compare is not equal."""
    try:
        return compare(one, other).same
    except ComparisonError:
        return False


@PATIENT
@given(pairs())
def test_equal_is_without_a_difference(sides):
    """Key order, numbers of placeholders, order, repeated ids and parts of listings included."""
    one, other = sides
    event("equal" if one == other else "unequal")
    assert (one == other) is same(one, other)
    assert (other == one) is same(other, one)


def owners(first, second, *, keys=("user_id", "owner_id")):
    """A listing of one image, numbered as its keys stand."""
    numbers = dict(zip(keys, (first, second), strict=True))
    return listing_of(image_of(1, metadata={key: f"{n:032x}" for key, n in numbers.items()}))


def test_the_order_of_keys_numbers_placeholders():
    """The same two owners, met in the other order, have each other's number."""
    one, other = owners(1, 2), owners(1, 2, keys=("owner_id", "user_id"))
    assert compare(one, other).same
    assert one == other
    assert one != owners(1, 1)
    assert owners(1, 1) != one
    together = object()
    assert replace(one, numbering=together) != replace(other, numbering=together)


def test_an_error_is_no_listing():
    """A refusal differs from a listing, and from a refusal of another status."""
    bodies = {status: {"fault": {"code": status, "message": "no"}} for status in (400, 404)}
    errors = [
        read(recording_of(body, status=status), expect=status) for status, body in bodies.items()
    ]
    for one, other in ((errors[0], listing_of()), (listing_of(), errors[0]), tuple(errors)):
        assert not compare(one, other).same
        assert one != other
