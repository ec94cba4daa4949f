"""A comparison's verdict, its line of words and its JSON form."""

from dataclasses import replace

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.model import MISSING, Difference, ImageRef, Query, Side, Unpaired
from unit import image_of, listing_of, without

SIDE = Side(cloud="a", query=Query(), release="2026.2", images=2, recorded_at=None)


def comparison(*differences, images=2, **facts):
    side = replace(SIDE, images=images)
    return Comparison(
        baseline=side, candidate=side, profile="wire", differences=differences, **facts
    )


def difference(severity, **facts):
    return Difference(kind="value_changed", severity=severity, path="images[*].x", **facts)


def test_the_verdict_is_the_list_of_differences():
    """Same means that there is none; nothing else is asked."""
    assert comparison(paired=1).same
    assert not comparison(difference("data")).same
    assert comparison(difference("data"), difference("breaking")).breaking == (
        difference("breaking"),
    )


@pytest.mark.parametrize(
    ("severities", "images", "summary"),
    [
        ([], 2, "no difference"),
        ([], 0, "no difference: neither side has an image"),
        (["data"], 2, "1 difference: 0 breaking, 0 compatible, 1 data"),
        (["breaking", "data", "data"], 2, "3 differences: 1 breaking, 0 compatible, 2 data"),
    ],
)
def test_summary(severities, images, summary):
    """One line with every severity."""
    made = comparison(*map(difference, severities), images=images)
    assert made.summary == summary
    assert repr(made) == f"<Comparison a -> a: {summary}>"


def test_json_form():
    """Schema 1: a value that one side lacks is left out, and null stays null."""
    ref = ImageRef(id="1", name=None)
    made = comparison(
        difference("breaking", baseline=None, candidate=MISSING, image=ref, reason="r"),
        difference("data", baseline=MISSING, candidate=1, count=2, examples=(ref, ref)),
        paired=2,
        unpaired=Unpaired(ambiguous=(ref,)),
        normalization={"R1": 3},
    )
    side = {
        "cloud": "a",
        "query": "all",
        "release": "2026.2",
        "images": 2,
        "recorded_at": None,
    }
    image = {"id": "1", "name": None}
    assert made.to_dict() == {
        "schema": 1,
        "same": False,
        "compatible": False,
        "level": "facts",
        "profile": "wire",
        "baseline": side,
        "candidate": side,
        "differences": [
            {
                "kind": "value_changed",
                "severity": "breaking",
                "path": "images[*].x",
                "image": image,
                "count": 1,
                "reason": "r",
                "baseline": None,
            },
            {
                "kind": "value_changed",
                "severity": "data",
                "path": "images[*].x",
                "image": None,
                "count": 2,
                "reason": "",
                "examples": [image, image],
                "candidate": 1,
            },
        ],
        "paired": 2,
        "expected": [],
        "expired_rules": [],
        "unused_rules": [],
        "unpaired": {"baseline": [], "candidate": [], "ambiguous": [image]},
        "unseen": [],
        "normalization": {"R1": 3},
    }


def test_differences_come_worst_first():
    """Breaking, then compatible, then data."""
    old = [image_of(1), image_of(2)]
    new = [without(image_of(1), "minRam") | {"x": 1}, image_of(2, name="y")]
    made = compare(listing_of(*old), listing_of(*new))
    assert [each.severity for each in made.differences] == ["breaking", "compatible", "data"]
    assert made.of("data")[0].image == ImageRef(id=image_of(2)["id"], name="image 2")
