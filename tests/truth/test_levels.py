"""Both levels say the same of the same fault: what breaks image by image breaks as a shape."""

import copy

import pytest
from faults import FAULTS
from unit import image_of, listing_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.settings import PROFILES

# What one of the two cannot see, and why.
ONE_LEVEL = {
    "an id that is no UUID": "image by image, another id is another image",
    "a date with an offset": "R9 writes dates in UTC; a shape tells their forms as sent",
    "a known field with a wrong type": "what one side cannot show is no difference of shapes",
}


def worst(baseline, candidate, **options):
    """The worst severity of all differences."""
    found = compare(listing_of(*baseline), listing_of(*candidate), **options).severities
    return min(found, key=("breaking", "compatible", "data").index, default=None)


@pytest.mark.parametrize("profile", PROFILES[1:])  # wire keeps links apart by their places
@pytest.mark.parametrize("everywhere", [False, True], ids=["in one", "in all"])
@pytest.mark.parametrize("name", sorted(FAULTS.keys() - ONE_LEVEL.keys()))
def test_a_fault_is_as_bad_at_both_levels(name, everywhere, profile):
    """When it comes, and when it goes."""
    good = [image_of(number) for number in (4, 5, 6)]
    bad = copy.deepcopy(good)
    for image in bad if everywhere else bad[1:2]:
        FAULTS[name][0](image)
    for one, other in ((good, bad), (bad, good)):
        facts, shape = (
            worst(one, other, level=level, profile=profile) for level in ("facts", "shape")
        )
        assert facts == shape


def test_what_one_level_cannot_see_is_named():
    """No exception outlives its fault."""
    assert ONE_LEVEL.keys() <= FAULTS.keys()
