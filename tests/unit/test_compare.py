"""Pair images, find each difference once, and list what cannot be compared."""

import deepdiff
import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.matrix import compare_neighbors
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING
from pytest_imagedetail.normalize.values import strictly_equal
from pytest_imagedetail.report import html, markdown, report_of, terminal
from pytest_imagedetail.settings import LEVELS, PROFILES
from unit import (
    OTHER_PROJECT,
    PROJECT,
    changed,
    error_of,
    image_of,
    listing_of,
    recording_of,
)

HOST = "https://compute.a.invalid"


def test_inside_metadata(monkeypatch):
    """Lists are compared item by item and values by type. deepdiff has to agree."""
    prefix = f"images[{image_of()['id']}].metadata.m"
    for baseline, candidate, expected in (
        ([1, 1, 2], [1, 2, 2], ("value_changed", "[1]", 1, 2)),
        ([1, 2], [1, 2, 2], ("item_added", "[2]", MISSING, 2)),
        ([1.0], [1], ("type_changed", "[0]", 1.0, 1)),
        ([{"a": 1}], [{"a": 2}], ("value_changed", "[0].a", 1, 2)),
        ([{"a": 1}], [{"a": 1, "__x": 2}], ("field_added", "[0].__x", MISSING, 2)),
        ([], {}, ("type_changed", "", [], {})),
        ("a\nb", "a\nc", ("value_changed", "", "a\nb", "a\nc")),
    ):
        sides = (listing_of(image_of(metadata={"m": each})) for each in (baseline, candidate))
        (each,) = compare(*sides).differences
        seen = each.kind, each.path.removeprefix(prefix), each.baseline, each.candidate
        assert strictly_equal(seen, expected), seen
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *_, **__: {})
    one, other = (listing_of(image_of(1, metadata={"mappings": [each]})) for each in (1, 2))
    with pytest.raises(ComparisonError, match="deepdiff sees no difference"):
        compare(one, other)


def test_deepdiff_gets_each_pair_of_values_once(monkeypatch):
    """There is one call for each field that differs, and none for equal images."""
    calls, real = [], deepdiff.DeepDiff
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *a, **o: calls.append(a) or real(*a, **o))
    old = [image_of(number) for number in range(30)]
    new = [image | {"name": f"n{at % 3}", "minDisk": 77} for at, image in enumerate(old)]
    assert compare(listing_of(*old), listing_of(*old)).same
    assert calls == []
    assert not compare(listing_of(*old), listing_of(*new)).same
    assert sorted(len(before) for before, _ in calls) == [1, 30]


def test_what_is_nested_too_deeply_is_refused():
    """With an error of ours, in images and in errors."""

    def nested(innermost, depth=900):
        return innermost if depth == 0 else nested([innermost], depth - 1)

    images = [image_of(metadata={"x": nested(number)}) for number in (1, 2)]
    bodies = [{"fault": {"code": 400, "message": "no", "x": nested(number)}} for number in (1, 2)]
    errors = [read(recording_of(body, status=400), expect=400) for body in bodies]
    for sides, expect in ((map(listing_of, images), None), (errors, 400)):
        with pytest.raises(ComparisonError, match="nested too deeply"):
            compare(*sides, expect=expect)


def self_linked(*heads):
    images = [image_of(number) for number in range(1, len(heads) + 1)]
    return [
        changed(image, "links", 0, "href", to=f"{HOST}/{head}/images/{image['id']}")
        for image, head in zip(images, heads, strict=True)
    ]


def test_forms_of_links():
    """A form that all links of a side share is reported once, a link that leads elsewhere apart."""
    own, bare = "/<v>/<project>/images/<id>", "/<v>/images/<id>"
    with_, other = f"v2/{PROJECT}", f"v2/{OTHER_PROJECT}"
    for level in ("facts", "shape"):
        for old, new, forms in (
            ([with_] * 3, ["v2"] * 3, (own, bare)),
            ([with_] * 3, [with_, "v2", "v2"], (own, [own, bare])),
            ([with_, "v2", "v2"], [with_] * 3, ([own, bare], own)),
        ):
            sides = (listing_of(*self_linked(*each)) for each in (old, new))
            (difference,) = compare(*sides, level=level).differences
            assert (difference.path, difference.severity) == ("images[*].links.self", "compatible")
            assert (difference.baseline, difference.candidate) == forms
            assert difference.reason == "all links of this relation have another form"
        for head in (other, f"demo/{PROJECT}", OTHER_PROJECT):
            sides = (listing_of(*self_linked(each)) for each in (with_, head))
            (difference,) = compare(*sides, level=level).differences
            assert difference.any_image == "images[*].links.self.href"
    one, two = (listing_of(*self_linked(*each)) for each in ([with_] * 2, [other, "v2"]))
    assert [(each.severity, each.any_image) for each in compare(one, two).differences] == [
        ("breaking", "images[*].links.self.href"),
        ("compatible", "images[*].links.self"),
    ]


def test_what_cannot_be_compared():
    """A part with a whole, two errors unless they are expected, and an unknown level."""
    refusal, other, whole = error_of(), error_of("no match"), listing_of(image_of())
    part = listing_of(image_of(), cloud="b", query="limit=1", complete=False)
    assert compare(part, part).same
    for level in LEVELS:
        with pytest.raises(ComparisonError, match="b has only a part of its images"):
            compare(whole, part, level=level)
    for expect in (None, 404, 200):
        with pytest.raises(ComparisonError) as caught:
            compare(refusal, refusal, expect=expect)
    assert caught.value.problem == "both sides answered 400; two errors have no images to compare"
    assert "--expect 400" in caught.value.remedy
    comparison = compare(refusal, other, expect=400)
    assert [each.path for each in comparison.differences] == ["badRequest.message"]
    assert comparison.compatible
    assert comparison.to_dict()["baseline"]["error"] == 400
    summary = "no difference: both answered 400 with the same message"
    assert repr(compare(refusal, refusal, expect=400)) == f"<Comparison a -> a: {summary}>"
    with pytest.raises(UsageError, match="unknown level 'form'\n  next:  "):
        compare(whole, whole, level="form")
    with pytest.raises(UsageError, match="unknown severity 'Data'\n  next:  did you mean data"):
        compare(whole, whole).of("Data")


def test_an_image_that_the_filter_excludes_breaks():
    """If all images of the baseline fit it. Otherwise the filter is not known well enough."""
    one, two = image_of(1), image_of(2)
    for query, fitting, other in (
        ("status=active", {"status": "ACTIVE"}, {"status": "SAVING"}),
        ("name=a", {"name": "a"}, {"name": "A"}),
        ("minDisk=1", {"minDisk": 2}, {"minDisk": 0}),
    ):
        for first, second, severity in (
            (fitting, other, "breaking"),
            (fitting, fitting, "data"),
            (other, other, "data"),
        ):
            old = listing_of(one | first, query=query)
            new = listing_of(one | first, two | second, query=query)
            (added,) = compare(old, new).differences
            assert (added.kind, added.severity) == ("image_added", severity), (query, second)


def test_an_added_image_that_breaks_the_contract():
    """Unless an image of the baseline breaks it in the same way, at any place."""
    one, two = image_of(1), image_of(2)
    without_status = {name: value for name, value in two.items() if name != "status"}
    for wrong, says in (
        (two | {"minRam": "5"}, "has a string, not an integer in minRam"),
        (two | {"created": None}, "has null, not a string in created"),
        (two | {"links": "no"}, "has a string, not an array in links"),
        (two | {"metadata": {"a": 1}}, "has an integer, not a string or null in metadata.a"),
        (two | {"id": 3}, "has an integer, not a string in id"),
        (without_status, "lacks status"),
    ):
        for profile in PROFILES:
            (added,) = compare(listing_of(one), listing_of(one, wrong), profile=profile).differences
            assert (added.kind, added.severity) == ("image_added", "breaking"), says
            assert added.reason == f"the added image {says}"
        again = listing_of(wrong, wrong | {"id": image_of(3)["id"]})
        (added,) = compare(listing_of(wrong), again).differences
        assert added.reason == "only the candidate has this image"


def test_clouds_without_an_image_in_common_were_not_compared():
    """So they are not compatible, unless nothing fails."""
    one, two, none = listing_of(image_of(1)), listing_of(image_of(2)), listing_of(cloud="b")
    both = listing_of(image_of(1), image_of(2))
    filtered = [listing_of(cloud=cloud, query="name=x") for cloud in "ab"]
    for old, new in ((one, one), (none, none), (both, two), filtered):
        assert not compare(old, new).nothing_in_common
    assert not compare(listing_of(), none).compatible
    for old, new in ((one, two), (both, none), (none, both)):
        comparison = compare(old, new)
        assert (comparison.nothing_in_common, comparison.compatible) == (True, False)
        assert comparison.summary.endswith(", 2 data; no image was compared")
        assert compare(old, new, fail_on="none").compatible


UUID = "70a599e0-0001-4b49-8b26-000000000001"
KEYS = ("id", "name", "OS-EXT-IMG-SIZE:size")
SIZED = [("1", "dup", 10), ("2", "dup", 20)]


def compared(one, other, across=True):
    sides = (
        listing_of(*(dict(zip(KEYS, row, strict=False)) for row in rows)) for rows in (one, other)
    )
    return compare(*sides, profile="cross-cloud" if across else "cross-version")


def test_an_image_is_paired_by_id_name_or_size():
    """Across clouds, counted ids need the name, and a repeated name needs the size."""
    for across, one, other, paired in (
        (False, [("1", "a"), ("2", "b")], [("2", "a"), ("1", "b")], 2),
        (False, [(1361, "a")], [("1361", "a")], 1),
        (False, [("1", "a"), ("1", "b")], [("1", "a")], 1),
        (True, [(UUID, "a")], [(UUID, "b")], 1),
        (True, [("1", "a"), ("2", "b")], [("2", "a"), ("4", "c")], 1),
        (True, [("1", "a"), ("2", "b")], [("3", "a"), ("3", "b")], 1),  # a repeated id
        *((True, [("1", name, 1)], [("2", name, 1)], 0) for name in (None, "", [], 7)),
        (True, SIZED, [("3", "dup", 20), ("4", "dup", 10)], 2),
        (True, SIZED, [("3", "dup", None)], 0),
    ):
        assert compared(one, other, across).paired == paired, (one, other)


def test_ambiguous_images_are_named():
    """Images of one name and size on both sides. A name on one side only is not ambiguous."""
    sides = [("1", "dup", 10), ("2", "dup", 10), ("5", "x")], [("3", "dup", 10)]
    assert compared(*sides, across=False).unpaired.ambiguous == ()  # names do not count there
    found = compared(*sides)
    assert [each.id for each in found.unpaired.ambiguous] == ["1", "2", "3"]
    assert [each.id for each in found.unpaired.baseline] == ["1", "2", "5"]
    assert [each.id for each in found.unpaired.candidate] == ["3"]
    reasons = {each.image.id: each.reason for each in found.differences}
    assert reasons["3"] == "could be more than one image of the other side, so it was not paired"


def test_every_verdict_lists_what_redaction_made_alike():
    """Under each profile, as data and in each report. Three are named."""
    url = "https://host-3f2.invalid/x?sig=redacted&v=1"
    first = {"db_password": "<redacted>", "at": url, "block": [{"owner": "redacted-owner"}]}
    first["os_version"] = "15.1.2.1"
    images = image_of(1, metadata=first), image_of(2, metadata={"addr": "192.0.2.1"})
    one, other = (listing_of(*images, cloud=cloud) for cloud in "ab")
    places = ((0, "db_password"), (0, "at"), (0, "block[0].owner"), (1, "addr"))
    paths = tuple(f"images[{images[at]['id']}].metadata.{name}" for at, name in places)
    for profile in PROFILES:
        comparison = compare(one, other, profile=profile)
        assert comparison.same, profile
        assert comparison.not_compared == paths, profile
    line = f"4 values were redacted and not compared: {', '.join(paths[:3])} and 1 more"
    assert f"redacted    {line}" in terminal.render(report_of([comparison])).splitlines()
    assert line in html.render(report_of([comparison]))
    assert line.partition(": ")[0] in markdown.render(report_of([comparison]))
    matrix = compare_neighbors({"a": {one.query: one}, "b": {other.query: other}})
    assert matrix.to_dict()["not_compared"] == {"count": 4, "paths": list(paths)}
    assert f"redacted    {line}" in terminal.render(report_of([matrix])).splitlines()


def test_a_fixed_word_on_one_side_is_compared():
    metadata = ({"x": each, "password": "<redacted>"} for each in ("<redacted>", "none"))
    images = [image_of(metadata=each) for each in metadata]
    comparison = compare(*map(listing_of, images))
    assert [each.kind for each in comparison.differences] == ["value_changed"]
    assert comparison.not_compared == (f"images[{images[0]['id']}].metadata.password",)


def test_two_projects():
    """Both own projects have one placeholder, so the report says that they are two."""
    ours, theirs, unknown = (
        listing_of(image_of(), project=project) for project in ("1" * 32, "2" * 32, None)
    )
    line = "projects    the recordings are of two projects"
    for one, other, two in ((ours, theirs, True), (ours, ours, False), (ours, unknown, False)):
        comparison = compare(one, other)
        assert comparison.same
        assert (line in terminal.render(report_of([comparison])).splitlines()) is two
    sides = comparison.to_dict()
    assert (sides["baseline"]["project"], "project" in sides["candidate"]) == ("1" * 32, False)
