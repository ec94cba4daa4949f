"""Both levels give a fault the same severity: what breaks an image also breaks the shape."""

import copy
import operator
from itertools import product

from faults import FAULTS, SIZE, describing, setting
from unit import listing_of, snapshot_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.model import SEVERITIES
from pytest_imagedetail.settings import LEVELS, PROFILES

LOST = ("name", "links", "metadata", "server")

# Faults beyond those of tests/faults.py.
MORE = {
    "minRam is a string": setting(minRam="64"),
    "minRam is null": setting(minRam=None),
    "the size has a fraction": setting(**{SIZE: 5.0}),
    "the name is a number": setting(name=5),
    "created is null": setting(created=None),
    "links are by relation": lambda image: image.update(links={"self": image["links"][0]}),
    "a link is null": lambda image: image["links"].__setitem__(0, None),
    "an additional link is null": lambda image: image["links"].append(None),
    "an additional link has no relation": lambda image: image["links"].append({"href": "/x"}),
    "an additional self link": lambda image: image["links"].append({"rel": "self", "href": "/x"}),
    "an address is null": lambda image: image["links"][0].update(href=None),
    "an address has no host": lambda image: image["links"][0].update(href="/v2/images/x"),
    "metadata is null": setting(metadata=None),
    "metadata is a string": setting(metadata="x"),
    "a value of metadata is an object": describing(architecture={}),
    "a value of metadata is null": describing(architecture=None),
    "the server is a string": setting(server="x"),
    "the server has no id": lambda image: image["server"].pop("id"),
    "the server has no links": lambda image: image["server"].pop("links"),
    "the server's id is a number": lambda image: image["server"].update(id=5),
    **{f"there is no {name}": operator.methodcaller("pop", name) for name in LOST},
}
CHANGES = {name: change for name, (change, _) in FAULTS.items()} | MORE

# What only one of the two levels can see, and why.
ONE_LEVEL = {
    "an id that is not a UUID": "level facts pairs images by id",
    "a date with an offset": "R9 converts dates to UTC; a shape has the original format",
    "a new field of the wrong type": "a field that one side does not have is not compared",
}


def worst(baseline, candidate, **options):
    found = compare(listing_of(*baseline), listing_of(*candidate), **options).severities
    return min(found, key=SEVERITIES.index, default=None)


def test_a_fault_has_the_same_severity_at_both_levels():
    """This holds in one image and in all. The fix of a breaking fault is compatible."""
    assert CHANGES.keys() >= ONE_LEVEL.keys()
    good = [snapshot_of(number) for number in (4, 5, 6)]
    profiles = PROFILES[1:]  # wire keeps links apart by their places
    names = sorted(CHANGES.keys() - ONE_LEVEL.keys())
    for name, affected, profile in product(names, (slice(1, 2), slice(None)), profiles):
        bad = copy.deepcopy(good)
        for image in bad[affected]:
            CHANGES[name](image)
        came, fixed = (
            [worst(one, other, level=level, profile=profile) for level in LEVELS]
            for one, other in ((good, bad), (bad, good))
        )
        case = (name, affected, profile)
        assert came[0] == came[1] is not None, case
        assert fixed[0] == fixed[1], case
        assert came[0] != "breaking" or fixed[0] == "compatible", case
