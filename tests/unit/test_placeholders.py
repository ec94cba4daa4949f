"""R16: two recordings number what redaction replaced, each in its own order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.compare import compare
from pytest_imagedetail.settings import PROFILES
from unit import PROJECT, image_of, listing_of

REDACTING = PROFILES[1:]
WRITINGS = {
    "id": lambda number: f"{number:032x}",
    "host": lambda number: f"see https://host-{number + 1}.a.invalid/x",
    "person": lambda number: f"user-{number}@example.invalid",
    "secret": lambda number: f"<redacted-{number}>",
    "interface": lambda number: f"02:00:00:00:00:{number:02x}",
    "address": lambda number: f"at 192.0.2.{number}, port 1",
    "in a list": lambda number: [{"device": f"<redacted-{number}>"}],
}


def owned(*numbers, write=WRITINGS["id"], key="x_owner"):
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


def test_the_project_that_asked_is_itself():
    """Its own image given to somebody else is a change, also if nobody else has any."""
    one, other = owned(0, write=lambda _: PROJECT), owned(1)
    assert found(one, other) == [("value_changed", "1")]
    assert found(other, one) == [("value_changed", "1")]


def test_wire_compares_what_is_written():
    """Numbers and all."""
    assert found(owned(1), owned(2), "wire") == [("value_changed", "1")]


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
