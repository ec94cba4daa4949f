"""Level `shape` compares clouds with different images by what the images look like."""

from datetime import date

import pytest
from faults import FAULTS

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, SEVERITIES
from pytest_imagedetail.rules import rules_of
from pytest_imagedetail.settings import PROFILES
from unit import PROJECT, image_of, listing_of, recording_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def fleet(*numbers, cloud="a", **fields):
    """Build images of one cloud, each created on another day."""
    return [
        image_of(number, cloud=cloud, created=f"2024-01-{28 - place:02d}T08:00:00Z", **fields)
        for place, number in enumerate(numbers)
    ]


def shapes(old, new, beside=(None, None), **options):
    baseline = listing_of(*old, cloud="a", beside=beside[0], release="2026.2")
    candidate = listing_of(*new, cloud="b", beside=beside[1])
    return compare(baseline, candidate, level="shape", **options)


def found(*arguments, **options):
    comparison = shapes(*arguments, **options)
    return [(each.severity, each.kind, each.path) for each in comparison.differences]


def changed(change):
    images = fleet(4, 5, 6, cloud="b")
    change(images[1])
    return images


def test_other_images_of_the_same_shape_are_the_same():
    """Ids, names, sizes and the number of images are not part of the shape."""
    for profile in PROFILES[1:]:
        comparison = shapes(fleet(1, 2, 3), fleet(*range(20, 27), cloud="b"), profile=profile)
        assert comparison.same, comparison.differences
        assert comparison.summary == "no difference; only the shape was compared"
        assert comparison.level == "shape"


def test_formats_of_texts_that_users_write_are_not_compared():
    """Formats of fields that no release has, and of those that the cloud writes, are."""
    old, new = fleet(1, x="a text"), fleet(2, cloud="b", x=PROJECT, name="2024-01-15T08:00:00Z")
    assert found(old, new) == [("data", "format_changed", "images[*].x")]
    for field in ("created", "updated"):
        other = image_of(2, cloud="b", **{field: "2024-01-15T08:00:00+00:00"})
        assert found(fleet(1), [other]) == [("compatible", "format_changed", f"images[*].{field}")]
    old, new = [snapshot_of(1)], [snapshot_of(2, "5")]  # the cloud writes the id of a server
    assert found(old, new) == [("data", "format_changed", "images[*].server.id")]


def test_one_changed_image_of_three_is_found():
    """Nothing else is found. The worst difference comes first."""
    for name, (change, expected) in FAULTS.items():
        worst_first = sorted(expected, key=lambda each: (SEVERITIES.index(each[0]), *each[1:]))
        assert found(fleet(1, 2, 3), changed(change)) == worst_first, name


def test_a_difference_names_its_images():
    """Count and examples are those of the images that show it. The value is their share."""
    images = changed(lambda image: image.pop(SIZE))
    (difference,) = shapes(fleet(1, 2, 3), images).differences
    assert (difference.baseline, difference.candidate) == ("in 3 of 3", "in 2 of 3")
    assert (difference.count, [each.name for each in difference.examples]) == (1, ["image 5"])
    assert difference.reason == "the baseline's release (2026.2) promises it for every image"
    (status,) = shapes(fleet(1, 2, 3), fleet(4, 5, cloud="b", status="ERROR")).differences
    assert (status.candidate, status.count) == ("ERROR", 2)
    assert [each.name for each in status.examples] == ["image 4", "image 5"]
    old, new = fleet(1, 2, 3), [without(image, SIZE) for image in fleet(4, 5, cloud="b")]
    once, twice = fleet(1, 2), [*fleet(1, 2), image_of(2, created="2024-01-01T08:00:00Z")]
    for one, other, *expected in (
        (old, new, "field_removed", "breaking", 2, "in 3 of 3", MISSING),
        (new, old, "field_added", "compatible", 3, MISSING, "in 3 of 3"),
        (once, twice, "image_repeated", "breaking", 1, MISSING, "1 of 3"),
        (twice, once, "image_repeated", "compatible", 1, "1 of 3", MISSING),
    ):
        (each,) = shapes(one, other).differences
        found = [each.kind, each.severity, each.count, each.baseline, each.candidate]
        assert found == expected


def test_what_is_below_an_added_field_is_judged_on_its_own():
    """Only what breaks a promise is a difference."""
    old = [snapshot_of(1)]
    assert found(old, [snapshot_of(2, os_hidden=False, minRam="64")]) == [
        ("breaking", "type_changed", "images[*].minRam"),
        ("compatible", "field_added", "images[*].os_hidden"),
    ]
    more = snapshot_of(2)
    more["server"]["x"] = 1
    assert found(old, [more]) == [("compatible", "field_added", "images[*].server.x")]
    wrong = snapshot_of(2)
    wrong["server"]["id"] = 5
    assert found([without(*old, "server")], [wrong]) == [
        ("breaking", "field_added", "images[*].server.id"),
        ("compatible", "field_added", "images[*].server"),
    ]


def test_types_without_a_promise():
    """A field of no release breaks if it has none of the old types; metadata belongs to users."""
    old = fleet(1, x=1)
    for values, severity in (((2, "a"), "data"), (("a", "b"), "breaking")):
        new = [image | {"x": value} for image, value in zip(fleet(3, 4), values, strict=True)]
        assert (severity, "type_changed", "images[*].x") in found(old, new)
    old, new = (fleet(1, metadata={"mappings": value}) for value in ([], "[]"))
    assert found(old, new) == [("data", "type_changed", "images[*].metadata.mappings")]


def test_server_is_judged_among_snapshots_only():
    """A cloud without snapshots shows nothing about them."""
    old = [*fleet(1, 2), snapshot_of(3, created="2024-01-01T08:00:00Z")]
    comparison = shapes(old, fleet(4, 5, cloud="b"))
    assert "images[*].server" in comparison.unseen
    assert all("server" not in each.path for each in comparison.differences)


def test_what_has_no_shape():
    """A listing without images, unless both have none, and an error, even an expected one."""
    for old, new, cloud in ((fleet(1), [], "b"), ([], fleet(1), "a")):
        with pytest.raises(
            ComparisonError, match=f"^{cloud} answered with no image, so there is no"
        ):
            shapes(old, new)
    assert shapes([], []).summary == "no difference: neither side has an image"
    refused = read(recording_of("no", cloud="b", status=401), expect=401)
    listing = listing_of(*fleet(1))
    for sides in ((listing, refused), (refused, listing), (refused, refused)):
        for expect in (None, 401):
            with pytest.raises(ComparisonError) as caught:
                compare(*sides, level="shape", expect=expect)
            assert str(caught.value) == (
                "b answered 401, and an error has no shape to compare\n"
                "  where: query all of b\n"
                "  next:  compare the answers themselves, at level facts"
            )


def test_the_summary_counts_by_severity():
    """Differences that depend on which images there are, are data."""
    breaking = changed(lambda image: image.update({SIZE: "5", "name": None}))
    hidden = changed(lambda image: image.update(os_hidden=False))
    rule = {"path": "images[*].os_hidden", "reason": "Glance 17", "expires": "never"}
    rules = rules_of(rule, today=date.min)
    for images, summary in (
        (breaking, "2 differences: 1 breaking, 0 compatible, 1 data"),
        (hidden, "no difference but for 1 accepted by rules"),
    ):
        comparison = shapes(fleet(1, 2, 3), images, rules=rules)
        assert comparison.summary == f"{summary}; only the shape was compared"
    assert comparison.differences == ()
