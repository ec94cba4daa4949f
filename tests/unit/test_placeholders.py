"""R16: two recordings number what redaction replaced, each in its own order."""

import random
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.compare import compare
from pytest_imagedetail.redact import placeholder
from pytest_imagedetail.settings import PROFILES
from unit import PROJECT, image_of, listing_of

REDACTING = PROFILES[1:]
FORMS = {
    "plain": str,
    "percent-encoded": lambda text: f"/x?y=a%20{quote(text, safe='')}%20b",
    "XML": lambda text: f"<a>{escape(text)}</a>",
}
WRITINGS = {
    f"{kind.name}, {form}": lambda number, kind=kind, write=write: write(kind.whole(number))
    for kind in placeholder.KINDS
    for form, write in FORMS.items()
} | {
    "id, AUTH_": lambda number: f"AUTH_{number:032x}",
    "in a list": lambda number: [{"device": f"<redacted-{number}>"}],
}


def owned(*numbers, write=placeholder.ID.write, key="x_owner"):
    """Images of these owners, as a recording numbers them."""
    return [
        image_of(place, metadata={key: write(number)})
        for place, number in enumerate(numbers, start=1)
    ]


def found(baseline, candidate, profile="same-cloud"):
    """Kind and image of every difference."""
    differences = compare(
        listing_of(*baseline), listing_of(*candidate), profile=profile
    ).differences
    return sorted(
        (each.kind, each.path.split("]")[0][-1:] if each.image else each.path)
        for each in differences
    )


@pytest.mark.parametrize("profile", REDACTING)
@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
def test_an_image_less_renumbers_the_others(write, profile):
    """One is gone, and the owners of those below it are called by other numbers: one difference."""
    baseline = owned(1, 2, 2, 3, write=write)
    candidate = owned(9, 1, 1, 2, write=write)[1:]
    assert found(baseline, candidate, profile) == [("image_removed", "1")]
    assert found(candidate, baseline, profile) == [("image_added", "1")]


@pytest.mark.parametrize("profile", REDACTING)
@pytest.mark.parametrize("write", WRITINGS.values(), ids=WRITINGS)
def test_the_image_that_changed_hands_is_named(write, profile):
    """The first of six has another owner now, which renumbers all; most images decide."""
    baseline = owned(1, 1, 1, 2, 2, 2, write=write)
    candidate = owned(1, 2, 2, 1, 1, 1, write=write)
    assert [image for _, image in found(baseline, candidate, profile)] == ["1"]
    assert [image for _, image in found(candidate, baseline, profile)] == ["1"]


def test_one_owner_more_is_equal_to_none():
    """The candidate has three owners where the baseline has two: that is seen, whatever numbers."""
    assert found(owned(1, 1, 2), owned(1, 2, 3)) == [("value_changed", "2")]
    comparison = compare(listing_of(*owned(1, 1, 2)), listing_of(*owned(1, 2, 3)))
    assert comparison.differences[0].candidate == f"<the candidate's {2:032x}>"
    assert comparison.normalization["R16"] == 2


def test_a_secret_more_is_named_with_one_pair_of_brackets():
    """They stand around it already, however they are written."""
    for write in ("<redacted-{}>", "a%3Credacted-{}%3E"):
        sides = [
            listing_of(*owned(*numbers, write=write.format)) for numbers in ((1, 1, 2), (1, 2, 3))
        ]
        (difference,) = compare(*sides).differences
        assert difference.candidate == write.replace("redacted-{}", "the candidate's redacted-2")


def test_an_address_of_another_version_is_another():
    """Nothing renumbers one into the other."""
    one, other = (owned(1, write=kind.write) for kind in (placeholder.V4, placeholder.V6))
    assert found(one, other) == [("value_changed", "1")]


def test_the_project_that_asked_is_itself():
    """Its own image given to somebody else is a change, also if nobody else has any."""
    one, other = owned(0, write=lambda _: PROJECT), owned(1)
    assert found(one, other) == [("value_changed", "1")]
    assert found(other, one) == [("value_changed", "1")]


def test_wire_compares_what_is_written():
    """Numbers and all."""
    assert found(owned(1), owned(2), "wire") == [("value_changed", "1")]


@pytest.mark.parametrize("text", ["<server-{}>", "<user-{}>", "<unmatched-{}>"])
@pytest.mark.parametrize("profile", ["same-cloud", "cross-version"])
def test_a_name_that_no_rule_of_the_profile_gives_is_what_was_sent(text, profile):
    """R13 and R14 name servers and users across clouds only."""
    one, other = ([image_of(1, name=f"backup of {text.format(each)}")] for each in (1, 2))
    assert len(found(one, other, profile)) == 1
    assert listing_of(*one) != listing_of(*other)


def test_other_words_around_a_placeholder_are_a_change():
    """Only the placeholder is matched."""
    one = owned(1, 2, write=lambda number: f"kept for <redacted-{number}>")
    other = owned(1, 2, write=lambda number: f"lost by <redacted-{number}>")
    assert found(one, other) == [("value_changed", "1"), ("value_changed", "2")]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_numbers_alone_are_no_difference(owners, order):
    """However a recording numbers its owners, the same owners are the same."""
    numbers = list(range(1, 10))
    order.shuffle(numbers)
    candidate = [numbers[owner - 1] for owner in owners]
    assert found(owned(*owners), owned(*candidate)) == []


@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=12),
    st.lists(st.integers(1, 5), min_size=2, max_size=12),
)
def test_same_means_one_for_one(ours, theirs):
    """No difference exactly if the owners can be renamed into each other."""
    size = min(len(ours), len(theirs))
    ours, theirs = ours[:size], theirs[:size]
    pairs = set(zip(ours, theirs, strict=True))
    one_for_one = len(pairs) == len(set(ours)) == len(set(theirs))
    assert (found(owned(*ours), owned(*theirs)) == []) is one_for_one


def test_a_shuffled_fleet_has_no_owner_changed():
    """A thousand images in another order, numbered in that order: only the order differs."""
    owners = [random.Random(1).randrange(1, 60) for _ in range(1_000)]
    baseline = owned(*owners)
    order = list(range(1_000))
    random.Random(2).shuffle(order)
    numbers: dict[int, int] = {}
    candidate = []
    for place in order:
        number = numbers.setdefault(owners[place], len(numbers) + 1)
        candidate.append({**baseline[place], "metadata": {"x_owner": f"{number:032x}"}})
    assert found(baseline, candidate) == [("order_changed", "images")]


@pytest.mark.parametrize("text", ["<id>", "<address>", "<user>", "<the candidate's x>"])
@pytest.mark.parametrize("profile", REDACTING)
def test_a_text_that_looks_like_a_kind_is_none(text, profile):
    """Somebody wrote it, or R13 did; it is no placeholder and matches none."""
    plain, number = owned(0, write=lambda _: text), owned(1)
    assert found(plain, number, profile) == [("value_changed", "1")]
    assert found(number, plain, profile) == [("value_changed", "1")]


def test_what_else_changed_in_a_list_is_one_difference():
    """Though nothing in it differs in its placeholders alone."""
    one = owned(1, write=lambda number: [{"owner": f"{number:032x}", "size": 1}])
    other = owned(2, write=lambda number: [{"owner": f"{number:032x}", "size": 2}])
    (difference,) = compare(listing_of(*one), listing_of(*other)).differences
    assert difference.path.endswith(".x_owner[0].size")


def test_users_of_two_clouds_are_matched_by_most_images():
    """The first of five images has another user, and is the one that differs."""
    one = owned(1, 1, 1, 1, 1, key="user_id")
    other = owned(9, 1, 1, 1, 1, key="user_id")
    assert found(one, other, "cross-cloud") == [("value_changed", "1")]
