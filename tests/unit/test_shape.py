"""The level shape compares clouds with different images by what the images look like."""

import copy
import json
from datetime import date

import pytest
from faults import FAULTS, put

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, SEVERITIES
from pytest_imagedetail.report import html, markdown, terminal
from pytest_imagedetail.rules import Rules, parse
from pytest_imagedetail.settings import PROFILES
from unit import PROJECT, image_of, listing_of, recording_of, snapshot_of, without

SIZE = "OS-EXT-IMG-SIZE:size"


def fleet(*numbers, cloud="a", **fields):
    """Images of one cloud, each created on another day."""
    return [
        image_of(number, cloud=cloud, created=f"2024-01-{28 - place:02d}T08:00:00Z", **fields)
        for place, number in enumerate(numbers)
    ]


def shapes(old, new, beside=(None, None), **options):
    """The comparison of two clouds by shape."""
    baseline = listing_of(*old, cloud="a", beside=beside[0], release="2026.2")
    candidate = listing_of(*new, cloud="b", beside=beside[1])
    return compare(baseline, candidate, level="shape", **options)


def found(*arguments, **options):
    """Severity, kind and path of every difference."""
    comparison = shapes(*arguments, **options)
    return [(each.severity, each.kind, each.path) for each in comparison.differences]


def changed(change):
    """The second of three images, changed."""
    images = fleet(4, 5, 6, cloud="b")
    change(images[1])
    return images


def test_other_images_of_the_same_shape_are_the_same():
    """Ids, names, sizes and the number of images are not part of the shape."""
    for profile in PROFILES[1:]:
        comparison = shapes(fleet(1, 2, 3), fleet(*range(20, 27), cloud="b"), profile=profile)
        assert comparison.same, comparison.differences
        assert comparison.summary == "b has the shape of a"
        assert comparison.level == "shape"


def test_formats_of_texts_that_users_write_are_not_compared():
    """Those of fields that no release has are."""
    old, new = fleet(1, x="a text"), fleet(2, cloud="b", x=PROJECT, name="2024-01-15T08:00:00Z")
    assert found(old, new) == [("data", "format_changed", "images[*].x")]
    titled = [
        image_of(number, type=text, links=[{"rel": "self", "href": "x", "title": text}])
        for number, text in enumerate(("a text", "b text"))
    ]
    assert found(titled[:1], titled[1:]) == []
    old, new = [snapshot_of(1)], [snapshot_of(2, "5")]  # the cloud writes the id of a server
    assert found(old, new) == [("data", "format_changed", "images[*].server.id")]


def test_one_changed_image_of_three_is_found():
    """Nothing else is, and worst comes first."""
    for name, (change, expected) in FAULTS.items():
        worst_first = sorted(expected, key=lambda each: (SEVERITIES.index(each[0]), *each[1:]))
        assert found(fleet(1, 2, 3), changed(change)) == worst_first, name


def test_a_difference_names_its_images():
    """Count and examples are those of the images that show it; a share stands as value."""
    images = changed(lambda image: image.pop(SIZE))
    (difference,) = shapes(fleet(1, 2, 3), images).differences
    assert (difference.baseline, difference.candidate) == ("in 3 of 3", "in 2 of 3")
    assert difference.count == 1
    assert [each.name for each in difference.examples] == ["image 5"]
    assert difference.reason == "the baseline's release (2026.2) promises it for every image"


def test_a_null_is_named():
    """Where the contract does not allow it."""
    (difference,) = shapes(
        fleet(1, 2, 3), changed(lambda image: image.update(status=None))
    ).breaking
    assert difference.reason == "the contract does not allow null here"


def test_a_field_that_no_image_has():
    """It is gone; the other way round it is added."""
    old, new = fleet(1, 2, 3), [without(image, SIZE) for image in fleet(4, 5, cloud="b")]
    (gone,) = shapes(old, new).differences
    assert (gone.kind, gone.severity, gone.count) == ("field_removed", "breaking", 2)
    assert (gone.baseline, gone.candidate) == ("in 3 of 3", MISSING)
    (added,) = shapes(new, old).differences
    assert (added.kind, added.severity, added.count) == ("field_added", "compatible", 3)
    assert (added.baseline, added.candidate) == (MISSING, "in 3 of 3")


def test_an_added_field_is_judged_by_what_is_below_it():
    """Not by another field, which has its own difference."""
    old = [snapshot_of(1)]
    assert found(old, [snapshot_of(2, os_hidden=False, minRam="64")]) == [
        ("breaking", "type_changed", "images[*].minRam"),
        ("compatible", "field_added", "images[*].os_hidden"),
    ]
    wrong = snapshot_of(2)
    wrong["server"]["id"] = 5
    assert found([without(*old, "server")], [wrong]) == [
        ("breaking", "field_added", "images[*].server"),
        ("breaking", "field_added", "images[*].server.id"),
    ]


def test_an_image_counts_once_however_many_keys_it_changes():
    """Two odd metadata values of one image are one image."""
    images = changed(lambda image: image["metadata"].update(architecture=1, other=2))
    counts = {each.path: each.count for each in shapes(fleet(1, 2, 3), images).differences}
    assert counts == {"images[*].metadata": 1, "images[*].metadata.*": 1}


def test_values_are_judged_alike_at_both_levels():
    """Negative numbers, values that Nova never sends, and texts that are not dates."""
    negative = [(name, 100, -1, "breaking") for name in ("minRam", "minDisk", "progress")]
    negative += [(name, -1, 100, "compatible") for name in ("minRam", "minDisk", "progress")]
    progress = [("progress", 100, 38, "compatible"), ("progress", 37, 38, "data")]
    progress += [("progress", 37, 100, "data"), ("progress", 50, 100, "data")]
    day = "2024-01-15T08:00:00Z"
    dates = [("created", day, text, "breaking") for text in ("1972-01-01_15-59-11", "")]
    dates += [("created", day, "2024-02-30T08:00:00Z", "breaking")]
    for field, before, after, severity in negative + progress + dates:
        old, new = (listing_of(image_of(1, **{field: each})) for each in (before, after))
        for level in ("facts", "shape"):
            differences = compare(old, new, level=level).differences
            assert severity in [each.severity for each in differences], (field, before, after)
            if field == "created":
                assert [each.reason for each in differences] == ["the contract promises isotime"]


def test_a_form_that_only_the_candidates_release_promises():
    """An id is any text in Diablo, and a UUID since Essex."""
    links = [{"rel": "self", "href": "x"}]
    old = listing_of(image_of(1, id="7", links=links), release="diablo")
    for release, verdict in (
        ("essex", ("compatible", "the candidate writes what its own release promises")),
        ("diablo", ("data", "no release promises a form")),
    ):
        new = listing_of(image_of(2, links=links), release=release)
        (difference,) = compare(old, new, level="shape").differences
        assert (difference.severity, difference.reason) == verdict


def test_server_is_judged_among_snapshots_only():
    """A cloud without snapshots shows nothing about them."""
    old = [*fleet(1, 2), snapshot_of(3, created="2024-01-01T08:00:00Z")]
    comparison = shapes(old, fleet(4, 5, cloud="b"))
    assert "images[*].server" in comparison.unseen
    assert all("server" not in each.path for each in comparison.differences)


def test_a_snapshot_without_its_server_breaks():
    """Nova sends it with every metadata.instance_uuid."""
    snapshots = [snapshot_of(each, created="2024-01-01T08:00:00Z") for each in (3, 4)]
    comparison = shapes(snapshots[:1], [without(snapshots[1], "server")])
    assert ("field_removed", "images[*].server") in [
        (each.kind, each.path) for each in comparison.breaking
    ]


def test_the_order_of_the_list_is_part_of_the_shape():
    """Newest first, as Glance sorts, against no order at all."""
    mixed = fleet(4, 5, 6, cloud="b")
    mixed[0], mixed[1] = mixed[1], mixed[0]
    (difference,) = shapes(fleet(1, 2, 3), mixed).differences
    assert (difference.kind, difference.severity) == ("order_changed", "compatible")
    assert (difference.baseline, difference.candidate) == ("newest first", "neither")
    (difference,) = shapes(fleet(1, 2, 3), fleet(4, 5, 6, cloud="b")[::-1]).differences
    assert (difference.severity, difference.candidate) == ("data", "oldest first")
    no_dates = [image_of(number, created=text) for number, text in enumerate(("a day", "b day"))]
    assert found(no_dates, no_dates[::-1]) == []


def test_a_next_link_without_detail_breaks():
    """Through Juno it leads to images without their details."""
    kept, lost = (
        {"images_links": [{"rel": "next", "href": f"https://compute.a.invalid/v2/{path}?limit=3"}]}
        for path in ("images/detail", "images")
    )
    assert found(fleet(1), fleet(2, cloud="b"), (kept, lost)) == [
        ("breaking", "page_changed", "images_links")
    ]
    assert found(fleet(1), fleet(2, cloud="b"), (kept, None)) == [
        ("data", "page_changed", "images_links")
    ]


def test_a_listing_without_images_has_no_shape():
    """Nothing is neither the same as something nor different from it."""
    with pytest.raises(ComparisonError, match="b answered with no image, so there is no shape"):
        shapes(fleet(1), [])
    with pytest.raises(ComparisonError, match="a answered with no image"):
        shapes([], fleet(1))
    assert shapes([], []).summary == "no difference: neither side has an image"


def test_an_error_has_no_shape():
    """Neither against images nor against another error, expected or not."""
    refused = read(recording_of("no", cloud="b", status=401), expect=401)
    for one, other, options in [
        (listing_of(*fleet(1)), refused, {}),
        (refused, listing_of(*fleet(1)), {}),
        (refused, refused, {}),
        (refused, refused, {"expect": 401}),
    ]:
        with pytest.raises(ComparisonError) as caught:
            compare(one, other, level="shape", **options)
        assert str(caught.value) == (
            "b answered 401, and an error has no shape to compare\n"
            "  where: query all of b\n"
            "  next:  compare the answers themselves, at level facts"
        )


def test_ids_that_are_part_of_an_address():
    """A short id is looked for as a segment, not in the version."""
    images = [
        image_of(cloud=cloud, id=id_, links=[{"rel": "self", "href": f"{head}/images/{id_}"}])
        for cloud, id_ in (("a", "7"), ("b", "1"), ("b", "2"))
        for head in [f"https://compute.{cloud}.invalid/v1.1/{PROJECT}"]
    ]
    assert found(images[:1], images[1:], profile="same-cloud") == []


def test_what_is_not_a_link_among_links_breaks():
    """Its JSON types are named, in an image's links and in those of its server."""
    for server in (False, True):

        def with_more(*entries, server=server):
            image = snapshot_of()
            (image["server"] if server else image)["links"] += entries
            return [image]

        (came,) = shapes(with_more(), with_more(None, "x", "y")).differences
        assert (came.kind, came.severity) == ("type_changed", "breaking")
        assert came.path == f"images[*]{'.server' * server}.links"
        assert (came.baseline, came.candidate) == ("array", "array with null, string")
        (went,) = shapes(with_more("x"), with_more()).differences
        assert (went.severity, went.baseline) == ("compatible", "array with string")
        assert found(with_more("x"), with_more("x", 5))[0][:2] == ("breaking", "type_changed")
        assert found(with_more("x"), with_more("y")) == []


def test_a_fault_that_the_candidate_fixed_is_compatible():
    """A repeated id, and a link that led elsewhere."""
    twice = [*fleet(1, 2), image_of(2, created="2024-01-01T08:00:00Z")]
    wrong = fleet(1, 2)
    put(wrong[1], 2, "https://compute.a.invalid/v2/images/other")
    for old, kind, path in (
        (twice, "image_repeated", "images[*].id"),
        (wrong, "link_changed", "images[*].links.alternate.href"),
    ):
        assert found(old, fleet(4, 5, cloud="b")) == [("compatible", kind, path)]
    wrong, right = snapshot_of(1), snapshot_of(2)
    put(wrong["server"], 0, f"https://compute.a.invalid/v2/{PROJECT}/servers/other")
    path = "images[*].server.links.self.href"
    for profile in PROFILES:
        for old, new, severity in ((wrong, right, "compatible"), (right, wrong, "breaking")):
            assert found([old], [new], profile=profile) == [(severity, "link_changed", path)]


def test_repeated_ids_are_counted_with_their_images():
    """Those of the side that has them."""
    once, twice = fleet(1, 2), [*fleet(1, 2), image_of(2, created="2024-01-01T08:00:00Z")]
    for old, new, values, severity in (
        (once, twice, (MISSING, "1 of 3"), "breaking"),
        (twice, once, ("1 of 3", MISSING), "compatible"),
    ):
        (difference,) = shapes(old, new).differences
        assert (difference.baseline, difference.candidate) == values
        assert (difference.severity, difference.count) == (severity, 1)
        assert [each.name for each in difference.examples] == ["image 2"]


def test_what_only_the_candidate_can_show_is_judged_by_the_contract():
    """Metadata that the baseline has none of is judged by what is promised of it."""
    bare = fleet(1, 2, metadata={})
    assert found(bare, fleet(4, cloud="b", metadata={"k": "v"})) == [
        ("data", "enumeration_changed", "images[*].metadata")
    ]
    assert found(bare, fleet(4, cloud="b", metadata={"k": {"a": [1]}})) == [
        ("breaking", "field_added", "images[*].metadata.*"),
        ("data", "enumeration_changed", "images[*].metadata"),
    ]


def test_a_rule_accepts_a_difference_of_shape():
    """By the path and kind of the report."""
    images = changed(lambda image: image.update(os_hidden=False))
    rule = parse({"path": "images[*].os_hidden", "reason": "Glance 17", "expires": "never"})
    comparison = shapes(fleet(1, 2), images, rules=Rules(rules=(rule,), today=date.min))
    assert comparison.differences == ()
    assert comparison.summary == "b has the shape of a but for 1 accepted by rules"


def test_the_summary_tells_form_from_content():
    """What depends on which images there are is counted apart."""
    breaking = changed(lambda image: image.update({SIZE: "5", "name": None}))
    assert shapes(fleet(1, 2, 3), breaking).summary == (
        "b has the shape of a but for 1 difference: 1 breaking, 0 compatible; "
        "1 more depends on which images there are"
    )
    data = changed(lambda image: image.update(name=None))
    assert shapes(fleet(1, 2, 3), data).summary == (
        "b has the shape of a; 1 difference depends on which images there are"
    )


MALFORMED = [
    {"links": [1, None, {"rel": 3, "href": 4}, {"rel": "self", "href": "http://[half"}]},
    {"links": "none"},
    {"metadata": "none"},
    {"metadata": {"": None, "\x1b[31m": [], "*": {}}},
    {"server": "none"},
    {"server": {"id": None, "links": 7}},
    {"id": 7},
    {"id": ""},
    {"status": ["ACTIVE"], "progress": {}, "created": 5, "updated": ""},
    {"": 1, "a.b": 2, "\n": 3},
]


def test_malformed_images_have_a_shape():
    """Whatever a cloud sends is described, compared both ways and reported in every form."""
    for fields in MALFORMED:
        odd = [image_of(4, cloud="b", **fields)]
        for profile in PROFILES:
            for old, new in ((fleet(1, 2), odd), (odd, fleet(1, 2)), (odd, odd)):
                comparison = shapes(old, new, profile=profile)
                assert terminal.render(comparison)
                assert markdown.render([comparison])
                assert html.render([comparison])
                assert json.dumps(comparison.to_dict())
            comparison = shapes(fleet(1, 2), odd, profile=profile)
            assert comparison.differences or comparison.unseen, fields


def test_all_values_are_compared():
    """However many there are; a report cuts the line."""
    images = [image_of(number, status=f"STATE {number}") for number in range(500)]
    comparison = shapes(fleet(1), images)
    (difference,) = [each for each in comparison.differences if each.path == "images[*].status"]
    assert difference.candidate == sorted(each["status"] for each in images)
    assert difference.count == 500
    assert max(map(len, terminal.render(comparison).splitlines())) < 200


def keyed(*keys):
    """Images with one metadata key each."""
    return [image_of(number, metadata={f"key{key:03}": "v"}) for number, key in enumerate(keys)]


def test_a_key_that_only_the_last_of_many_images_has_is_lost():
    """However many other keys stood before; the other way round it is new."""
    old, new = keyed(*range(150)), keyed(*range(120), *range(30))
    lost = [f"key{number:03}" for number in range(120, 150)]
    (there,) = shapes(old, new).differences
    assert (there.kind, there.path) == ("enumeration_changed", "images[*].metadata")
    assert (there.baseline, there.candidate) == (lost, [])
    (back,) = shapes(new, old).differences
    assert (back.baseline, back.candidate, back.count) == ([], lost, 30)


def test_the_order_of_images_changes_no_value():
    """Shuffled, an answer shows the same keys, and its links lead where they led."""
    images = keyed(*range(150))
    for image in images:
        image["links"][2]["href"] += "?x=1"
    for other in (images[::-1], images[75:] + images[:75]):
        assert found(images, other) == []


def test_describing_changes_nothing():
    """The images of a listing are as before."""
    listing = listing_of(snapshot_of(1), image_of(2))
    before = copy.deepcopy(listing.images)
    compare(listing, listing, level="shape")
    assert listing.images == before
