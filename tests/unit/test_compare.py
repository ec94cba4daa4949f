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
from pytest_imagedetail.compare.comparison import evidence
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, Difference, ImageRef, Query, Side, Unpaired, path_of
from pytest_imagedetail.normalize.equality import strictly_equal
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


def error_of(message="no", status=401, **beside):
    body = {"fault": {"code": status, "message": message, **beside}}
    return read(recording_of(body, status=status), expect=status)


def found(baseline, candidate, **options):
    """Kind, path and count of every difference."""
    comparison = compare(listing_of(*baseline), listing_of(*candidate), **options)
    return sorted((each.kind, each.path, each.count) for each in comparison.differences)


def judged(baseline, candidate):
    """Kind and severity of every difference."""
    differences = compare(listing_of(*baseline), listing_of(*candidate)).differences
    return [(each.kind, each.severity) for each in differences]


def test_whole_images():
    """Order, added, removed and repeated images, and two that exchange their names."""
    extra = image_of(8)
    swapped = [OLD[0], OLD[1] | {"name": "image 5"}, *OLD[2:4], OLD[4] | {"name": "image 2"}]
    for new, expected in (
        (OLD, []),
        (OLD[::-1], [("order_changed", "images", 1)]),
        ([extra, *OLD], [("image_added", f"images[{extra['id']}]", 1)]),
        (OLD[1:], [("image_removed", f"images[{IDS[0]}]", 1)]),
        ([*OLD, OLD[2]], [("image_repeated", f"images[{IDS[2]}]", 1)]),
        (
            swapped + OLD[5:],
            [("value_changed", f"images[{IDS[each]}].name", 1) for each in (1, 4)],
        ),
    ):
        assert found(OLD, new) == expected
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


def test_any_key_is_seen():
    """No key is private, and none is read as a path."""
    for key in KEYS:
        for baseline, candidate, kind in [
            (MISSING, "v", "field_added"),
            ("v", MISSING, "field_removed"),
            ("v", "w", "value_changed"),
            ([{key: 1}], [{key: True}], "type_changed"),
            ({key: [1]}, {key: [1, 2]}, "item_added"),
        ]:
            sides = [
                image_of(metadata={} if value is MISSING else {key: value})
                for value in (baseline, candidate)
            ]
            assert [kind_ for kind_, _, _ in found(sides[:1], sides[1:])] == [kind], key


def test_keys_are_not_taken_for_each_other():
    """Each key keeps its own change, whatever the other keys look like."""
    old = {key: [1] if number % 2 else [1, 2] for number, key in enumerate(KEYS)}
    new = {key: [1, 2] if number % 2 else [1] for number, key in enumerate(KEYS)}
    differences = compare(
        listing_of(image_of(metadata=old)), listing_of(image_of(metadata=new))
    ).differences
    image = image_of()["id"]
    assert {each.path: each.kind for each in differences} == {
        f"{path_of(('images', 'metadata', key), ImageRef(id=image, name=''))}[1]": (
            "item_added" if number % 2 else "item_removed"
        )
        for number, key in enumerate(KEYS)
    }


def test_inside_metadata():
    """Lists are compared place by place, all values by type."""
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


VALUES = (None, False, 0, 0.0, 1, True, 1.0, "", "a", "b", [], {}, 2**70)


def test_plain_changes_are_called_what_deepdiff_calls_them():
    """The kind follows from the types of the two values, and null has its own."""
    names = {"values_changed": "value_changed", "type_changes": "type_changed"}
    for before, after in itertools.permutations(VALUES, 2):
        one, other = image_of(1, metadata={"x": before}), image_of(1, metadata={"x": after})
        (difference,) = compare(listing_of(one), listing_of(other)).differences
        (report,) = deepdiff.DeepDiff({"x": before}, {"x": after}, view="tree")
        kind = "null_changed" if None in (before, after) else names[report]
        assert difference.kind == kind, (before, after)


def test_what_deepdiff_does_not_see_is_never_called_equal(monkeypatch):
    """Unequal values without a difference are an error."""
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
    with pytest.raises(ComparisonError, match="nested too deeply"):
        compare(*map(listing_of, images))
    with pytest.raises(ComparisonError, match="nested too deeply"):
        compare(*errors, expect=400)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.sampled_from([0.0, 1.0, "", "0", "1", "x", "__x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b.c", "__d", "rel", "href"]), inner, max_size=3)
    ),
    max_leaves=6,
)


IMAGES = st.lists(
    st.builds(
        lambda number, metadata, extra: (
            image_of(number, metadata=metadata) | extra
            if number % 2
            else snapshot_of(number, **extra)
        ),
        st.integers(1, 3),
        st.dictionaries(st.sampled_from(["a", "os.x", "rax_a", "owner_id"]), JSON, max_size=3),
        st.dictionaries(st.sampled_from(["name", "minRam", "links", "x"]), JSON, max_size=2),
    ).map(lambda image: image | ({"metadata": {}} if image["metadata"] is None else {})),
    max_size=4,
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


def test_forms_of_links_are_reported_as_they_are():
    """All links changed, or one side has several forms at once; each side shows which."""
    own, bare = "/<v>/<project>/images/<id>", "/<v>/images/<id>"

    def side(*projects):
        hrefs = [f"https://compute.a.invalid/v2{each}/images/{{}}" for each in projects]
        images = [image_of(number) for number in range(len(projects))]
        return listing_of(
            *(
                changed(image, "links", 0, "href", to=href.format(image["id"]))
                for image, href in zip(images, hrefs, strict=True)
            )
        )

    with_, mixed, without_ = (f"/{PROJECT}",) * 3, (f"/{PROJECT}", "", ""), ("",) * 3
    alike = "all links of this relation have another form"
    for old, new, forms, reason in (
        (with_, without_, (own, bare), alike),
        (with_, mixed, (own, [own, bare]), "the candidate has 2 forms of this link at once"),
        (mixed, with_, ([own, bare], own), "the baseline has 2 forms of this link at once"),
    ):
        for level in ("facts", "shape"):
            (difference,) = compare(side(*old), side(*new), level=level).differences
            assert (difference.path, difference.severity) == ("images[*].links.self", "compatible")
            assert (difference.baseline, difference.candidate) == forms
            assert difference.reason == reason


def test_a_link_that_leads_elsewhere_is_one_difference():
    """The forms of links do not show it a second time."""
    one = image_of()
    for head in (f"v2/{OTHER_PROJECT}", f"demo/{PROJECT}", OTHER_PROJECT):
        href = f"https://compute.a.invalid/{head}/images/{one['id']}"
        other = changed(one, "links", 0, "href", to=href)
        for level in ("facts", "shape"):
            (difference,) = compare(listing_of(one), listing_of(other), level=level).differences
            assert difference.any_image == "images[*].links.self.href"


def test_a_form_that_no_link_shows_is_reported_beside_a_link_that_leads_elsewhere():
    """One link leads to another project, and all others lose theirs."""
    base = "https://compute.a.invalid/v2"
    old = [image_of(number) for number in (1, 2)]
    new = [
        changed(image, "links", 0, "href", to=f"{base}{project}/images/{image['id']}")
        for image, project in zip(old, (f"/{OTHER_PROJECT}", ""), strict=True)
    ]
    differences = compare(listing_of(*old), listing_of(*new)).differences
    assert [(each.severity, each.any_image) for each in differences] == [
        ("breaking", "images[*].links.self.href"),
        ("compatible", "images[*].links.self"),
    ]


def test_a_link_of_a_server_that_leads_elsewhere_breaks():
    """As that of an image does; that of another server, which the image has now, is no fault."""
    one = snapshot_of()
    self_link = one["server"]["links"][0]["href"]
    path = f"images[{one['id']}].server.links.self.href"
    astray = changed(one, "server", "links", 0, "href", to=self_link[:-36] + "other")
    (difference,) = compare(listing_of(one), listing_of(astray)).differences
    assert (difference.kind, difference.severity, difference.path, difference.reason) == (
        "link_changed",
        "breaking",
        path,
        "a link leads elsewhere after hosts and projects were normalized",
    )
    moved = snapshot_of(server="9168b536-cd40-4630-b43f-b259807c6e88")
    differences = compare(listing_of(one), listing_of(moved)).differences
    assert {each.severity for each in differences} == {"data"}


def test_a_link_that_was_fixed_is_compatible():
    """The baseline's alternate led to Compute; what a link says beside its address breaks none."""
    good = image_of()
    astray = changed(
        good, "links", 2, "href", to=good["links"][2]["href"].replace("image.", "compute.")
    )
    titled = changed(good, "links", 2, "type", to="text/plain")
    assert judged([astray], [good]) == [("link_changed", "compatible")]
    assert judged([good], [astray]) == [("link_changed", "breaking")]
    assert judged([good], [titled]) == [("link_changed", "compatible")]


def test_a_field_lost_with_its_cause_is_data_and_alone_breaks():
    """Two snapshots lose `server`; only one of them is none any more."""
    one, two = snapshot_of(1), snapshot_of(2)
    still, none = without(one, "server"), without(two, "server")
    none["metadata"] = {}
    comparison = compare(listing_of(one, two), listing_of(still, none))
    assert [
        (each.severity, each.path, each.reason)
        for each in comparison.differences
        if each.kind == "field_removed" and each.path.endswith("server")
    ] == [
        (
            "breaking",
            f"images[{one['id']}].server",
            "Nova sends it for every image with metadata.instance_uuid",
        ),
        ("data", f"images[{two['id']}].server", "optional: it depends on the image"),
    ]


def test_ambiguous_images_say_that_they_were_not_paired():
    """Neither "removed" nor "added" is certain, and the reason says so."""
    baseline = listing_of(image_of(1, name="dup", **{"OS-EXT-IMG-SIZE:size": 1}))
    candidate = listing_of(
        *(image_of(n, name="dup", **{"OS-EXT-IMG-SIZE:size": 1}) for n in (2, 3))
    )
    comparison = compare(baseline, candidate, profile="cross-cloud")
    assert len(comparison.unpaired.ambiguous) == 3
    assert {each.reason for each in comparison.differences} == {
        "could be more than one image of the other side, so it was not paired"
    }


def test_references_follow_paired_images_across_clouds():
    """base_image_ref of a pair leads to the pair's other half, or it is a difference."""
    old = [image_of(1, name="base"), image_of(2, name="snap")]
    new = [image_of(11, name="base", cloud="b"), image_of(12, name="snap", cloud="b")]
    for image in (*old, *new):
        image["OS-EXT-IMG-SIZE:size"] = 5
    old[1]["metadata"]["base_image_ref"] = old[0]["id"]
    new[1]["metadata"]["base_image_ref"] = new[0]["id"]
    assert found(old, new, profile="cross-cloud") == []
    new[1]["metadata"]["base_image_ref"] = new[1]["id"]
    assert [each[0] for each in found(old, new, profile="cross-cloud")] == ["value_changed"]


def test_metadata_of_vendors_is_named_across_clouds():
    """It is not compared there, but under every other profile."""
    old, new = (listing_of(image_of(metadata={f"{each}_a": "1"})) for each in ("rax", "owner"))
    kinds = {
        profile: {each.kind for each in compare(old, new, profile=profile).differences}
        for profile in ("cross-version", "cross-cloud")
    }
    assert kinds["cross-version"] == {"field_removed", "field_added"}
    assert "vendor_removed" in kinds["cross-cloud"]


def test_a_part_is_not_compared_with_the_whole():
    """Neither "same" nor "different" would be true."""
    part = listing_of(image_of(), cloud="b", query="limit=1", complete=False)
    for sides in [(listing_of(image_of()), part), (part, listing_of(image_of()))]:
        with pytest.raises(ComparisonError) as caught:
            compare(*sides)
        assert str(caught.value) == (
            "b holds a part of its images only, the other side all of them\n"
            "  where: query limit=1 of b\n"
            "  next:  record every page: ask without limit and marker"
        )
    assert compare(part, part).same


def test_an_unknown_level_is_refused():
    """With the known ones."""
    with pytest.raises(UsageError) as caught:
        compare(listing_of(), listing_of(), level="form")
    assert str(caught.value).startswith("unknown level 'form'\n  next:  ")


def test_fail_on_decides_what_is_compatible():
    """The verdict follows from the differences alone."""
    one = listing_of(image_of())
    renamed, shortened = listing_of(image_of(name="x")), listing_of(without(image_of(), "minRam"))
    for fail_on, data, breaking in (
        ("breaking", True, False),
        ("change", False, False),
        ("none", True, True),
    ):
        verdicts = [compare(one, each, fail_on=fail_on).compatible for each in (renamed, shortened)]
        assert verdicts == [data, breaking]
        assert compare(one, one, fail_on=fail_on).compatible


def test_a_listing_against_an_error_is_a_difference_of_status():
    """Breaking if the candidate refuses; compatible the other way round."""
    whole, refusal = listing_of(image_of(1)), error_of("too small", 400)
    (difference,) = compare(whole, refusal).differences
    assert (difference.kind, difference.path) == ("status_changed", "status_code")
    assert (difference.severity, difference.baseline) == ("breaking", 200)
    assert difference.candidate == "400 too small"
    (difference,) = compare(refusal, whole).differences
    assert difference.severity == "compatible"


def test_errors_of_one_status_are_compared_only_if_expected():
    """Two clouds are not the same because both failed."""
    refusal, other = error_of("no", 400), error_of("no match", 400)
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
    assert compare(refusal, refusal, expect=400).summary == (
        "no difference: both answered 400 with the same words"
    )


def test_two_clouds_without_an_image_in_common_are_not_compatible():
    """No image was compared with any, unless the user has said that it is so."""
    old, new = listing_of(image_of(1)), listing_of(image_of(2), cloud="b")
    for fail_on, compatible in (("breaking", False), ("change", False), ("none", True)):
        comparison = compare(old, new, fail_on=fail_on)
        assert comparison.nothing_in_common
        assert comparison.compatible == compatible
    rule = parse({"path": "images[*]", "reason": "rebuilt", "expires": "never"})
    accepted = compare(old, new, rules=Rules(rules=(rule,), today=date(2026, 11, 24)))
    assert not accepted.nothing_in_common
    assert accepted.compatible
    assert compare(old, new, level="shape").compatible
    assert not compare(old, old).nothing_in_common
    assert not compare(listing_of(), listing_of(cloud="b")).nothing_in_common
    both = compare(listing_of(image_of(1), image_of(2)), new)
    assert not both.nothing_in_common


def test_all_images_lost_is_not_compatible():
    """Nor is a cloud that had none: no image was compared with any."""
    some, none = listing_of(image_of(1), image_of(2)), listing_of(cloud="b")
    for one, other in ((some, none), (none, some)):
        comparison = compare(one, other)
        assert [each.severity for each in comparison.differences] == ["data", "data"]
        assert comparison.nothing_in_common
        assert not comparison.compatible
        assert comparison.summary == (
            "2 differences: 0 breaking, 0 compatible, 2 data; no image was compared"
        )


SIDE = Side(cloud="a", query=Query(), release="2026.2", images=2, recorded_at=None)


def comparison(*differences, images=2, **facts):
    side = replace(SIDE, images=images)
    same = compare(listing_of(), listing_of(), profile="wire")
    return replace(same, baseline=side, candidate=side, differences=differences, **facts)


def difference(severity, **facts):
    return Difference(kind="value_changed", severity=severity, path="images[*].x", **facts)


def test_summary():
    """One line with every severity."""
    for severities, images, summary in (
        ([], 2, "no difference"),
        ([], 0, "no difference: neither side has an image"),
        (["data"], 2, "1 difference: 0 breaking, 0 compatible, 1 data"),
        (["breaking", "data", "data"], 2, "3 differences: 1 breaking, 0 compatible, 2 data"),
    ):
        made = comparison(*map(difference, severities), images=images)
        assert made.summary == summary
        assert repr(made) == f"<Comparison a -> a: {summary}>"
        assert made.same is (not severities)
    with pytest.raises(TypeError):
        bool(made)


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
        "not_compared": {"count": 0, "paths": []},
    }
    more = replace(made.baseline, volatile=("images[*].x",), project="00000001")
    assert replace(made, baseline=more).to_dict()["baseline"] == {
        **side,
        "volatile": ["images[*].x"],
        "project": "00000001",
    }


def test_differences_come_worst_first():
    """Breaking, then compatible, then data."""
    old = [image_of(1), image_of(2)]
    new = [without(image_of(1), "minRam") | {"x": 1}, image_of(2, name="y")]
    made = compare(listing_of(*old), listing_of(*new))
    assert [each.severity for each in made.differences] == ["breaking", "compatible", "data"]
    assert made.of("data")[0].image == ImageRef(id=image_of(2)["id"], name="image 2")


def test_evidence():
    """The promise with its source, the filters of the query, and the command that accepts it."""

    def lines(new, beside=None, **facts):
        sides = listing_of(image_of(), **facts), listing_of(new, beside=beside, **facts)
        (difference,) = (comparison := compare(*sides)).differences
        return evidence(difference, comparison, path=difference.path, typed="a b")

    lost = lines(without(image_of(), SIZE), query="type=ALL&property-x=1")
    assert lost[0].startswith(
        f"contract: {SIZE} is integer, sent since grizzly (2013.1), "
        "with every image since stein (2019.1); "
    )
    assert lost[1] == "a declares no release, so it is judged as the newest"
    assert lost[4].startswith("filter type: equality with metadata.image_type")
    assert lost[3].startswith("filter property-x: since Newton")
    assert lines(image_of(os_hidden=False))[0] == "contract: no release of Nova sends os_hidden"
    assert (
        "is string or null, sent since bexar (2011.1), with every" in lines(image_of(name="x"))[0]
    )
    for key in ("-k", "--kind", "-", "-it's", "k"):
        (accept,) = lines(image_of(), beside={key: 1})
        command = accept.removeprefix("to accept it: imagedetail ")
        assert parser().parse_args(shlex.split(command)).path == path_of((key,))
