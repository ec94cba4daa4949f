"""Exactly the planted differences are found."""

import copy

from unit import image_of, listing_of, snapshot_of

from pytest_imagedetail.compare import compare

SIZES = (7, 100, 1_000, 10_000)


def fleet(size):
    """Return images like Nova's; every third one is a snapshot with its server."""
    return [(image_of if number % 3 else snapshot_of)(number) for number in range(1, size + 1)]


def planted(size):
    """Return a listing, the same with every kind of change, and the expected differences."""
    old = fleet(size)
    for image in old:
        image["metadata"]["mappings"] = [{"virtual": "ami", "device": "sda"}]
    new = copy.deepcopy(old)
    ids = [image["id"] for image in old]
    for image in new:
        image["metadata"]["__x"] = "new"
        image["metadata"]["mappings"][0]["device"] = "vda"
    new[0]["name"] = "renamed"
    new[1]["progress"] = 100.0
    new[2]["metadata"]["architecture"] = None
    new[3], new[4] = new[4], new[3]
    extra = image_of(size + 1)
    new[5] = extra
    expected = [
        ("field_added", "images[*].metadata.__x", size - 1),
        ("value_changed", "images[*].metadata.mappings[0].device", size - 1),
        ("value_changed", f"images[{ids[0]}].name", 1),
        ("type_changed", f"images[{ids[1]}].progress", 1),
        ("null_changed", f"images[{ids[2]}].metadata.architecture", 1),
        ("order_changed", "images", 1),
        ("image_removed", f"images[{ids[5]}]", 1),
        ("image_added", f"images[{extra['id']}]", 1),
    ]
    for place in range(6, size, 100):
        new[place]["status"] = f"S{place}"
        expected.append(("value_changed", f"images[{ids[place]}].status", 1))
    return old, new, sorted(expected)


def test_exactly_what_was_planted_is_found():
    for size in SIZES:
        old, new, expected = planted(size)
        differences = compare(listing_of(*old), listing_of(*new)).differences
        found = sorted((each.kind, each.path, each.count) for each in differences)
        assert found == expected, size
