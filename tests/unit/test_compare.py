"""Every difference of two listings is found once, and what cannot be compared is an error."""

import itertools
import shlex
from dataclasses import replace
from datetime import date

import deepdiff
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.cli import parser
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, Difference, ImageRef, Query, Side, path_of
from pytest_imagedetail.normalize.equality import strictly_equal
from pytest_imagedetail.report import evidence
from pytest_imagedetail.rules import Rules, parse
from unit import (
    OTHER_PROJECT,
    PROJECT,
    changed,
    image_of,
    listing_of,
    recording_of,
    snapshot_of,
    without,
)

SIZE = "OS-EXT-IMG-SIZE:size"
OLD = [image_of(number) for number in range(1, 8)]
IDS = [image["id"] for image in OLD]
HOST = "https://compute.a.invalid"


def found(baseline, candidate, **options):
    """Kind, path and count of every difference."""
    comparison = compare(listing_of(*baseline), listing_of(*candidate), **options)
    return sorted((each.kind, each.path, each.count) for each in comparison.differences)


def judged(baseline, candidate):
    """Kind and severity of every difference."""
    differences = compare(listing_of(*baseline), listing_of(*candidate)).differences
    return [(each.kind, each.severity) for each in differences]


def test_whole_images():
    """Order and repeated images, and two that exchange their names; tests/laws plants the rest."""
    swapped = [OLD[0], OLD[1] | {"name": "image 5"}, *OLD[2:4], OLD[4] | {"name": "image 2"}]
    names = [("value_changed", f"images[{IDS[each]}].name", 1) for each in (1, 4)]
    assert found(OLD, OLD[::-1]) == [("order_changed", "images", 1)]
    assert found(OLD, [*OLD, OLD[2]]) == [("image_repeated", f"images[{IDS[2]}]", 1)]
    assert found(OLD, swapped + OLD[5:]) == names
    assert judged(OLD[:1], OLD[:1] * 2) == [("image_repeated", "breaking")]
    assert judged(OLD[:1] * 2, OLD[:1]) == [("image_repeated", "compatible")]
    assert judged([], OLD[:1] * 2) == [("image_repeated", "breaking"), ("image_added", "data")]
    (moved,) = compare(listing_of(*OLD[:2]), listing_of(*OLD[1::-1])).differences
    names = tuple(f"{each['id']} ({each['name']})" for each in OLD[:2])
    assert (moved.baseline, moved.candidate) == names


def test_a_change_that_images_share_is_one_difference():
    """With its count and up to three examples; other values are other differences."""
    new = [image | {"os_hidden": False} for image in OLD]
    (difference,) = compare(listing_of(*OLD), listing_of(*new)).differences
    assert (difference.kind, difference.path) == ("field_added", "images[*].os_hidden")
    assert (difference.baseline, difference.candidate) == (MISSING, False)
    assert (difference.count, difference.image) == (7, None)
    assert [each.name for each in difference.examples] == ["image 1", "image 2", "image 3"]
    retyped = [image | {"minRam": 0.0, SIZE: str(image[SIZE])} for image in OLD]
    expected = [("type_changed", "images[*].minRam", 7)]
    expected += [("type_changed", f"images[{each}].{SIZE}", 1) for each in IDS]
    assert found(OLD, retyped) == expected
    old, new = (
        listing_of(*(image_of(n, metadata={"k": k} | added) for n, k in enumerate("aba")))
        for added in ({}, {"m": "v"})
    )
    (difference,) = compare(old, new).differences  # in the order of the images
    assert [each.name for each in difference.examples] == ["image 0", "image 1", "image 2"]
    metadata = [{"m": [{"a": 1, "b": 2}]}, {"m": [{"b": 2, "a": 1}]}]  # keys have no order
    sides = [[image_of(n, metadata=each) for n, each in enumerate(m)] for m in ([{}, {}], metadata)]
    assert found(*sides) == [("field_added", "images[*].metadata.m", 2)]


KEYS = [
    *("__x", "__x__", "__class__", "a.b", "a[0]", "", "'", '"', "'\"", "\"'", "a b", "0", "\n"),
    *("root['x']", "']['x", "\udcff", "\u2028", "*"),
]


def test_no_key_is_private_or_read_as_a_path():
    """Each keeps its own change, whatever it looks like."""
    old = {key: [1] if number % 2 else [1, 2] for number, key in enumerate(KEYS)}
    new = {key: [1, 2] if number % 2 else [1] for number, key in enumerate(KEYS)}
    one, other = (listing_of(image_of(metadata=each)) for each in (old, new))
    image = ImageRef(id=image_of()["id"], name="")
    assert {each.path: each.kind for each in compare(one, other).differences} == {
        f"{path_of(('images', 'metadata', key), image)}[1]": (
            "item_added" if number % 2 else "item_removed"
        )
        for number, key in enumerate(KEYS)
    }
    for key in KEYS:
        for before, after, kind in (
            ({}, {key: "v"}, "field_added"),
            ({key: "v"}, {}, "field_removed"),
            ({key: "v"}, {key: "w"}, "value_changed"),
            ({"x": [{key: 1}]}, {"x": [{key: True}]}, "type_changed"),
        ):
            sides = ([image_of(metadata=each)] for each in (before, after))
            assert [each for each, _, _ in found(*sides)] == [kind], key


def test_inside_metadata(monkeypatch):
    """Lists are compared place by place, all values by type; deepdiff's verdict is checked."""
    prefix = f"images[{IDS[0]}].metadata.m"
    for baseline, candidate, expected in (
        ([1, 1, 2], [1, 2, 2], ("value_changed", "[1]", 1, 2)),
        ([1, 2], [1, 2, 2], ("item_added", "[2]", MISSING, 2)),
        ([1], [True], ("type_changed", "[0]", 1, True)),
        ([1.0], [1], ("type_changed", "[0]", 1.0, 1)),
        ([None], ["x"], ("null_changed", "[0]", None, "x")),
        ([{"a": 1}], [{"a": 2}], ("value_changed", "[0].a", 1, 2)),
        ([], {}, ("type_changed", "", [], {})),
        ("a\nb", "a\nc", ("value_changed", "", "a\nb", "a\nc")),
    ):
        sides = (listing_of(image_of(metadata={"m": each})) for each in (baseline, candidate))
        (each,) = compare(*sides).differences
        seen = each.kind, each.path.removeprefix(prefix), each.baseline, each.candidate
        assert strictly_equal(seen, expected), seen
    names = {"values_changed": "value_changed", "type_changes": "type_changed"}
    values = (None, False, 0, 0.0, 1, True, 1.0, "", "a", "b", [], {}, 2**70)
    for before, after in itertools.permutations(values, 2):
        one, other = image_of(1, metadata={"x": before}), image_of(1, metadata={"x": after})
        (difference,) = compare(listing_of(one), listing_of(other)).differences
        (report,) = deepdiff.DeepDiff({"x": before}, {"x": after}, view="tree")
        kind = "null_changed" if None in (before, after) else names[report]
        assert difference.kind == kind, (before, after)
    monkeypatch.setattr(deepdiff, "DeepDiff", lambda *_, **__: {})
    one, other = (listing_of(image_of(1, metadata={"mappings": [each]})) for each in (1, 2))
    with pytest.raises(ComparisonError, match="deepdiff sees no difference"):
        compare(one, other)


def test_what_is_nested_too_deeply_is_refused():
    """No traceback of Python's, and nothing called equal; between images and between errors."""

    def nested(innermost, depth=900):
        return innermost if depth == 0 else nested([innermost], depth - 1)

    images = [image_of(metadata={"x": nested(number)}) for number in (1, 2)]
    bodies = [{"fault": {"code": 400, "message": "no", "x": nested(number)}} for number in (1, 2)]
    errors = [read(recording_of(body, status=400), expect=400) for body in bodies]
    for sides, expect in ((map(listing_of, images), None), (errors, 400)):
        with pytest.raises(ComparisonError, match="nested too deeply"):
            compare(*sides, expect=expect)


JSON = st.recursive(
    st.sampled_from([None, False, True, 0, 1, 2, 0.0, 1.0, "", "0", "1", "x", "__x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b.c", "__d", "rel", "href"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(
    st.sampled_from(["name", "minRam", "links", "metadata", "x"]), JSON, max_size=2
)
IMAGES = st.lists(
    st.builds(lambda n, more: snapshot_of(n) | more, st.integers(1, 3), FIELDS), max_size=3
)


def places(value, path=()):
    """Every place in a JSON document."""
    yield path
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    for key in keys:
        yield from places(value[key], (*path, key))


@given(IMAGES, st.data())
@settings(max_examples=300, deadline=None)
def test_nothing_is_equal_that_is_not(images, data):
    """Under wire, any one mutation of the document is a difference."""
    document = {"images": images, "x": {"y": [1]}}
    path = data.draw(st.sampled_from([path for path in places(document) if len(path) > 1]))
    mutated = (
        without(document, *path)
        if data.draw(st.booleans())
        else changed(document, *path, to=data.draw(JSON))
    )
    assume(not strictly_equal(document, mutated))
    new = mutated["images"]
    assume(all(isinstance(each, dict) and type(each.get("id")) in {str, int} for each in new))
    one, other = (listing_of(*each.pop("images"), beside=each) for each in (document, mutated))
    assert not compare(one, other, profile="wire").same
    assert not compare(other, one, profile="wire").same


def self_linked(*heads):
    """Images whose self links lead to these places."""
    images = [image_of(number) for number in range(1, len(heads) + 1)]
    return [
        changed(image, "links", 0, "href", to=f"{HOST}/{head}/images/{image['id']}")
        for image, head in zip(images, heads, strict=True)
    ]


def test_forms_of_links():
    """A form that all links of a side have is reported once, a link that leads elsewhere apart."""
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


def test_links_that_lead_elsewhere_break():
    """Of an image or of its server, but not that of another server; a fixed one is compatible."""
    one, path = snapshot_of(), ("server", "links", 0, "href")
    href = one["server"]["links"][0]["href"]
    wrong = changed(one, *path, to=href[:-36] + "other")
    (difference,) = compare(listing_of(one), listing_of(wrong)).differences
    assert (difference.kind, difference.severity) == ("link_changed", "breaking")
    assert difference.path == f"images[{one['id']}].server.links.self.href"
    reason = "a link leads elsewhere after hosts and projects were normalized"
    assert difference.reason == reason
    moved = snapshot_of(server="9168b536-cd40-4630-b43f-b259807c6e88")
    assert {severity for _, severity in judged([one], [moved])} == {"data"}
    good, href = image_of(), image_of()["links"][2]["href"]
    wrong = changed(good, "links", 2, "href", to=href.replace("image.", "compute."))
    titled = changed(good, "links", 2, "type", to="text/plain")
    assert judged([wrong], [good]) == [("link_changed", "compatible")]
    assert judged([good], [wrong]) == [("link_changed", "breaking")]
    assert judged([good], [titled]) == [("link_changed", "compatible")]


def test_reasons_that_depend_on_the_image():
    """Of two snapshots without `server` one is none any more; namesakes cannot be paired."""
    one, two = snapshot_of(1), snapshot_of(2)
    still, none = without(one, "server"), without(two, "server") | {"metadata": {}}
    assert [
        (each.severity, each.path, each.reason)
        for each in compare(listing_of(one, two), listing_of(still, none)).differences
        if each.kind == "field_removed" and each.path.endswith("server")
    ] == [
        (
            *("breaking", f"images[{one['id']}].server"),
            "Nova sends it for every image with metadata.instance_uuid",
        ),
        ("data", f"images[{two['id']}].server", "optional: it depends on the image"),
    ]
    sides = (
        listing_of(*(image_of(n, name="dup", **{SIZE: 1}) for n in each)) for each in ((1,), (2, 3))
    )
    comparison = compare(*sides, profile="cross-cloud")
    assert len(comparison.unpaired.ambiguous) == 3
    assert {each.reason for each in comparison.differences} == {
        "could be more than one image of the other side, so it was not paired"
    }


def error_of(message="no", status=400):
    body = {"fault": {"code": status, "message": message}}
    return read(recording_of(body, status=status), expect=status)


def test_what_cannot_be_compared():
    """A part beside the whole, two errors unless they are expected, and an unknown level."""
    whole, refusal, other = listing_of(image_of()), error_of(), error_of("no match")
    part = listing_of(image_of(), cloud="b", query="limit=1", complete=False)
    for sides in ((whole, part), (part, whole)):
        with pytest.raises(ComparisonError) as caught:
            compare(*sides)
        assert str(caught.value) == (
            "b holds a part of its images only, the other side all of them\n"
            "  where: query limit=1 of b\n"
            "  next:  record every page: ask without limit and marker"
        )
    assert compare(part, part).same
    for expect in (None, 404, 200):
        with pytest.raises(ComparisonError) as caught:
            compare(refusal, refusal, expect=expect)
    assert caught.value.problem == "both sides answered 400; two errors have no images to compare"
    assert "--expect 400" in caught.value.remedy
    comparison = compare(refusal, other, expect=400)
    (difference,) = comparison.differences
    assert (difference.kind, difference.path) == ("error_changed", "fault.message")
    assert (difference.baseline, difference.candidate) == ("no", "no match")
    assert comparison.compatible
    assert comparison.to_dict()["baseline"]["error"] == 400
    summary = "no difference: both answered 400 with the same words"
    assert compare(refusal, refusal, expect=400).summary == summary
    for old, new, severity, status in (
        (whole, refusal, "breaking", "400 no"),
        (refusal, whole, "compatible", 200),
    ):
        (difference,) = compare(old, new).differences
        assert (difference.kind, difference.path) == ("status_changed", "status_code")
        assert (difference.severity, difference.candidate) == (severity, status)
    with pytest.raises(UsageError, match="unknown level 'form'\n  next:  "):
        compare(whole, whole, level="form")


def test_the_verdict():
    """`fail_on` decides; clouds without an image in common were not compared."""
    one, none = listing_of(image_of()), listing_of(cloud="b")
    renamed, shortened = listing_of(image_of(name="x")), listing_of(without(image_of(), "minRam"))
    new = listing_of(image_of(2), cloud="b")
    for fail_on, *verdicts in (
        ("breaking", True, False, False),
        ("change", False, False, False),
        ("none", True, True, True),
    ):
        found = [compare(one, each, fail_on=fail_on) for each in (renamed, shortened, new)]
        assert [each.compatible for each in found] == verdicts
        assert [each.nothing_in_common for each in found] == [False, False, True]
        assert compare(one, one, fail_on=fail_on).compatible
    rule = parse({"path": "images[*]", "reason": "rebuilt", "expires": "never"})
    accepted = compare(one, new, rules=Rules(rules=(rule,), today=date(2026, 11, 24)))
    assert (accepted.nothing_in_common, accepted.compatible) == (False, True)
    assert compare(one, new, level="shape").compatible
    both = listing_of(image_of(1), image_of(2))
    for old, candidate in ((one, one), (listing_of(), none), (both, new)):
        assert not compare(old, candidate).nothing_in_common
    for old, candidate in ((both, none), (none, both)):
        comparison = compare(old, candidate)
        assert (comparison.nothing_in_common, comparison.compatible) == (True, False)
        assert comparison.summary == (
            "2 differences: 0 breaking, 0 compatible, 2 data; no image was compared"
        )


def test_the_summary_and_the_json_form():
    """One line with every severity; a value that one side lacks is left out, null stays null."""
    same = compare(listing_of(), listing_of(), profile="wire")
    side = Side(cloud="a", query=Query(), release="2026.2", images=2, recorded_at=None)

    def made(*severities, images=2, **facts):
        path = {"kind": "value_changed", "path": "images[*].x", **facts}
        differences = tuple(Difference(severity=each, **path) for each in severities)
        sides = dict.fromkeys(("baseline", "candidate"), replace(side, images=images))
        return replace(same, differences=differences, **sides)

    for severities, images, summary in (
        ([], 2, "no difference"),
        ([], 0, "no difference: neither side has an image"),
        (["data"], 2, "1 difference: 0 breaking, 0 compatible, 1 data"),
        (["breaking", "data", "data"], 2, "3 differences: 1 breaking, 0 compatible, 2 data"),
    ):
        comparison = made(*severities, images=images)
        assert comparison.summary == summary
        assert repr(comparison) == f"<Comparison a -> a: {summary}>"
        assert comparison.same is (not severities)
    with pytest.raises(TypeError):
        bool(comparison)
    ref = ImageRef(id="1", name=None)
    comparison = made("data", baseline=None, candidate=MISSING, image=ref, reason="r")
    (difference,) = comparison.to_dict()["differences"]
    assert difference["image"] == {"id": "1", "name": None}
    assert (difference["baseline"], "candidate" in difference) == (None, False)
    more = replace(comparison.baseline, volatile=("images[*].x",), project="00000001")
    assert replace(comparison, baseline=more).to_dict()["baseline"] == {
        "cloud": "a",
        "query": "all",
        "release": "2026.2",
        "images": 2,
        "recorded_at": None,
        "volatile": ["images[*].x"],
        "project": "00000001",
    }


def test_evidence():
    """The promise with its source, the filters of the query, and the command that accepts it."""

    def lines(new, beside=None, **facts):
        sides = listing_of(image_of(), **facts), listing_of(new, beside=beside, **facts)
        (difference,) = (comparison := compare(*sides)).differences
        return [*evidence.facts(difference, (comparison.baseline, comparison.candidate))]

    lost = lines(without(image_of(), SIZE), query="type=ALL&property-x=1")
    assert [label for label, _ in lost] == ["contract", "release", "release", "filter", "filter"]
    assert lost[0][1].startswith(
        f"{SIZE} is integer, sent since grizzly (2013.1), with every image since stein (2019.1); "
    )
    assert lost[1][1] == "a declares none: it is judged as the newest"
    assert lost[3][1].startswith("property-x: since Newton")
    assert lost[4][1].startswith("type: equality with metadata.image_type")
    assert lines(image_of(os_hidden=False))[0][1] == "no release of Nova sends os_hidden"
    named = lines(image_of(name="x"))[0][1]
    assert "is string or null, sent since bexar (2011.1), with every" in named
    for key in ("-k", "--kind", "-", "-it's", "k"):
        command = evidence.accept_command("a b", path_of((key,)), "answer_changed")
        typed = shlex.split(command.removeprefix("imagedetail "))
        assert parser().parse_args(typed).path == path_of((key,))
