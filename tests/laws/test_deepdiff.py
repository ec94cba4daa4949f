"""Every difference between paired images comes from DeepDiff."""

import itertools
import json
from pathlib import Path

import deepdiff
import pytest
from unit import image_of, listing_of

from pytest_imagedetail.cassette import load
from pytest_imagedetail.compare import compare
from pytest_imagedetail.model import Provenance, Recording
from pytest_imagedetail.record.recorder import follow

LIBRARY = Path(__file__).parents[2] / "cassettes"


@pytest.fixture
def calls(monkeypatch):
    """Record the calls of DeepDiff: both arguments, and the pairs of values that differ."""
    made = []
    real = deepdiff.DeepDiff

    def recorded(old, new, **options):
        tree = real(old, new, **options)
        levels = (level for found in tree.values() for level in found)
        made.append((old, new, {(written(each.t1), written(each.t2)) for each in levels}))
        return tree

    monkeypatch.setattr(deepdiff, "DeepDiff", recorded)
    return made


def written(value):
    """Return the JSON text of a value, and a unique text for a missing one."""
    return json.dumps(value, sort_keys=True, default=lambda _: [[None]])


def of_paired_images(comparison):
    """Return the differences of fields, without those of the whole response."""
    return [
        each
        for each in comparison.differences
        if each.path.startswith("images[")
        and (each.image is not None or each.count > 1)
        and not each.kind.startswith("image_")
    ]


def of_v2(recording):
    found = (each for each in recording.interactions if "/v2/" in each.url)
    listed = next(each for each in found if each.url.endswith("/images/detail"))
    provenance = Provenance(cloud=f"{recording.provenance.cloud}-v2")
    return Recording(provenance=provenance, interactions=(listed,))


def test_the_library(calls):
    recordings = [load(path) for path in sorted(LIBRARY.glob("*/all.yaml"))]
    recordings += [of_v2(load(path)) for path in LIBRARY.glob("*/tests/clients.yaml")]
    listings = [follow(each) for each in recordings]
    checked = 0
    for (one, other), profile in itertools.product(
        itertools.permutations(listings, 2), ("wire", "cross-version", "cross-cloud")
    ):
        calls.clear()
        comparison = compare(one, other, profile=profile)
        found = set().union(*(pairs for _, _, pairs in calls))
        for each in of_paired_images(comparison):
            pair = written(each.baseline), written(each.candidate)
            assert pair in found, (one.cloud, other.cloud, profile, each)
            checked += 1
    assert checked > 1_000


def test_deepdiff_gets_each_pair_of_values_once(calls):
    """There is one call for each field that differs, with its distinct pairs of values."""
    old = [image_of(number) for number in range(1, 301)]
    new = [
        {**each, "name": f"n{number % 3}", "metadata": {"m": [number % 5]}, "minDisk": 77}
        for number, each in enumerate(old)
    ]
    assert compare(listing_of(*old), listing_of(*old)).same
    assert calls == []  # equal values are not passed to deepdiff
    assert not compare(listing_of(*old), listing_of(*new)).same
    sizes = sorted(len(before) for before, _, _ in calls)
    assert len(sizes) == 3
    for before, after, _ in calls:
        pairs = [written(each) for each in zip(before.values(), after.values(), strict=True)]
        assert len(pairs) == len(set(pairs))
