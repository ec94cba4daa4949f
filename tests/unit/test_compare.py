"""Every difference is found, none is invented, and nothing uncertain is called the same."""

import copy
import itertools
import random
from collections import Counter
from datetime import date

import deepdiff
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError, UsageError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import MISSING, ImageRef, path_of
from pytest_imagedetail.normalize.equality import strictly_equal
from pytest_imagedetail.report.text import nothing_in_common
from pytest_imagedetail.rules import Rules, parse
from pytest_imagedetail.settings import PROFILES
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

SIZES = [7, 100, 1000]


def fleet(size):
    return [image_of(number) for number in range(1, size + 1)]


def found(baseline, candidate, **options):
    """Kind, path and count of every difference."""
    comparison = compare(listing_of(*baseline), listing_of(*candidate), **options)
    return sorted((each.kind, each.path, each.count) for each in comparison.differences)


def judged(baseline, candidate):
    """Kind and severity of every difference."""
    differences = compare(listing_of(*baseline), listing_of(*candidate)).differences
    return [(each.kind, each.severity) for each in differences]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_listing_is_the_same_as_itself(size, profile):
    """compare(x, x) has no difference."""
    listing = listing_of(*fleet(size))
    comparison = compare(listing, listing, profile=profile)
    assert comparison.same
    assert comparison.compatible
    assert comparison.paired == size
    assert comparison.summary == "no difference"


def test_two_empty_listings_are_the_same_and_say_so():
    """Whoever reads "the same" must know that nothing was there to differ."""
    comparison = compare(listing_of(), listing_of())
    assert comparison.same
    assert comparison.summary == "no difference: neither side has an image"


@pytest.mark.parametrize("size", SIZES)
def test_one_percent_changed(size):
    """Each changed image is one difference, by its own id."""
    old = fleet(size)
    new = copy.deepcopy(old)
    hit = random.Random(size).sample(range(size), max(1, size // 100))
    for place in hit:
        new[place]["name"] = f"new {place}"
    assert found(old, new) == sorted(
        ("value_changed", f"images[{old[place]['id']}].name", 1) for place in hit
    )


@pytest.mark.parametrize("size", SIZES)
def test_a_field_added_to_all_is_one_difference(size):
    """With its count and up to three examples."""
    old = fleet(size)
    new = [image | {"os_hidden": False} for image in old]
    (difference,) = compare(listing_of(*old), listing_of(*new)).differences
    assert (difference.kind, difference.path) == ("field_added", "images[*].os_hidden")
    assert (difference.baseline, difference.candidate) == (MISSING, False)
    assert (difference.count, difference.image) == (size, None)
    assert difference.examples == tuple(
        ImageRef(id=image["id"], name=image["name"]) for image in old[:3]
    )


@pytest.mark.parametrize("size", SIZES)
def test_flipped_types(size):
    """0 became 0.0 everywhere, and the number of bytes a string."""
    old = fleet(size)
    new = [
        image | {"minRam": 0.0, "OS-EXT-IMG-SIZE:size": str(image["OS-EXT-IMG-SIZE:size"])}
        for image in old
    ]
    expected = [("type_changed", "images[*].minRam", size)]
    expected += [("type_changed", f"images[{each['id']}].OS-EXT-IMG-SIZE:size", 1) for each in old]
    assert found(old, new) == sorted(expected)


@pytest.mark.parametrize("size", SIZES)
def test_reordered_added_removed_repeated(size):
    """What happens to whole images is found image by image, and nothing else is."""
    old = fleet(size)
    ids = [image["id"] for image in old]
    extra = image_of(size + 1)
    assert found(old, old[::-1]) == [("order_changed", "images", 1)]
    assert found(old, [extra, *old]) == [("image_added", f"images[{extra['id']}]", 1)]
    assert found(old, old[1:]) == [("image_removed", f"images[{ids[0]}]", 1)]
    assert found(old, [*old, old[2]]) == [("image_repeated", f"images[{ids[2]}]", 1)]


@pytest.mark.parametrize("size", SIZES)
def test_swapped_contents(size):
    """Two images that exchange their names are two differences, not the same set of names."""
    old = fleet(size)
    new = copy.deepcopy(old)
    new[1]["name"], new[4]["name"] = old[4]["name"], old[1]["name"]
    assert found(old, new) == sorted(
        ("value_changed", f"images[{old[place]['id']}].name", 1) for place in (1, 4)
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("profile", PROFILES[:3])
def test_all_at_once(size, profile):
    """Every planted difference is found, no more and no fewer."""
    old = fleet(size)
    new = [copy.deepcopy(image) | {"os_hidden": False} for image in old]
    ids = [image["id"] for image in old]
    new[0]["name"] = "renamed"
    new[1]["progress"] = 100.0
    new[2]["metadata"]["architecture"] = None
    new[3], new[4] = new[4], new[3]
    extra = image_of(size + 1)
    candidate = [*new[:5], extra, *new[6:], new[0]]
    assert found(old, candidate, profile=profile) == sorted(
        [
            ("field_added", "images[*].os_hidden", size - 1),
            ("value_changed", f"images[{ids[0]}].name", 1),
            ("type_changed", f"images[{ids[1]}].progress", 1),
            ("null_changed", f"images[{ids[2]}].metadata.architecture", 1),
            ("order_changed", "images", 1),
            ("image_removed", f"images[{ids[5]}]", 1),
            ("image_added", f"images[{extra['id']}]", 1),
            ("image_repeated", f"images[{ids[0]}]", 1),
        ]
    )


def test_a_new_image_that_stands_twice():
    """The second one is no other new image but a repeated id, which breaks."""
    comparison = compare(listing_of(), listing_of(image_of(), image_of()))
    assert [(each.kind, each.severity) for each in comparison.differences] == [
        ("image_repeated", "breaking"),
        ("image_added", "data"),
    ]


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


@pytest.mark.parametrize(
    ("baseline", "candidate", "differences"),
    [
        ([1, 1, 2], [1, 2, 2], [("value_changed", "[1]", 1, 2)]),
        ([1, 2], [1, 2, 2], [("item_added", "[2]", MISSING, 2)]),
        ([1], [True], [("type_changed", "[0]", 1, True)]),
        ([1.0], [1], [("type_changed", "[0]", 1.0, 1)]),
        ([None], ["x"], [("null_changed", "[0]", None, "x")]),
        ([{"a": 1}], [{"a": 2}], [("value_changed", "[0].a", 1, 2)]),
        ([], {}, [("type_changed", "", [], {})]),
        (True, 1, [("type_changed", "", True, 1)]),
        ("a\nb", "a\nc", [("value_changed", "", "a\nb", "a\nc")]),
    ],
)
def test_inside_metadata(baseline, candidate, differences):
    """Lists are compared place by place and by type."""
    comparison = compare(
        *(listing_of(image_of(metadata={"m": value})) for value in (baseline, candidate))
    )
    prefix = f"images[{image_of()['id']}].metadata.m"
    seen = [
        (each.kind, each.path.removeprefix(prefix), each.baseline, each.candidate)
        for each in comparison.differences
    ]
    assert strictly_equal(seen, differences)


def test_the_same_change_in_another_key_order_is_one_difference():
    """Objects are unordered, so the order of their keys makes no two changes of one."""
    old = [image_of(number, metadata={}) for number in (1, 2)]
    new = copy.deepcopy(old)
    new[0]["metadata"]["m"] = [{"a": 1, "b": 2}]
    new[1]["metadata"]["m"] = [{"b": 2, "a": 1}]
    assert found(old, new) == [("field_added", "images[*].metadata.m", 2)]


def test_fields_beside_images_are_compared():
    """Name and value, but for what the profile takes from the next link."""
    plain = listing_of(image_of())
    one, two = (listing_of(image_of(), beside={"total": total}) for total in (1, 2))
    for candidate, before, after in [(plain, 1, MISSING), (two, 1, 2)]:
        (difference,) = compare(one, candidate).differences
        assert (difference.kind, difference.path) == ("answer_changed", "total")
        assert (difference.baseline, difference.candidate) == (before, after)


@pytest.mark.parametrize("level", ["facts", "shape"])
def test_forms_of_links_are_told_as_they_are(level):
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
        (difference,) = compare(side(*old), side(*new), level=level).differences
        assert (difference.path, difference.severity) == ("images[*].links.self", "compatible")
        assert (difference.baseline, difference.candidate) == forms
        assert difference.reason == reason


@pytest.mark.parametrize("level", ["facts", "shape"])
@pytest.mark.parametrize("head", [f"v2/{OTHER_PROJECT}", f"demo/{PROJECT}", OTHER_PROJECT])
def test_a_link_astray_is_one_difference(level, head):
    """What its own difference shows is no second one of the answer's forms of links."""
    one = image_of()
    astray = changed(
        one, "links", 0, "href", to=f"https://compute.a.invalid/{head}/images/{one['id']}"
    )
    comparison = compare(listing_of(one), listing_of(astray), level=level)
    (difference,) = comparison.differences
    assert difference.any_image == "images[*].links.self.href"


def test_a_form_that_no_link_shows_is_told_beside_a_link_astray():
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


def test_a_link_that_is_mended_is_no_fault():
    """The baseline's alternate led to Compute; what a link says beside its address breaks none."""
    good = image_of()
    astray = changed(
        good, "links", 2, "href", to=good["links"][2]["href"].replace("image.", "compute.")
    )
    titled = changed(good, "links", 2, "type", to="text/plain")
    assert judged([astray], [good]) == [("link_changed", "compatible")]
    assert judged([good], [astray]) == [("link_changed", "breaking")]
    assert judged([good], [titled]) == [("link_changed", "compatible")]


def test_a_field_lost_with_its_cause_is_data_and_without_it_breaks():
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


def test_a_repeated_id_is_the_fault_of_the_side_that_has_it():
    """A baseline that has it is mended by the candidate."""
    image = image_of()
    assert judged([image], [image, image]) == [("image_repeated", "breaking")]
    assert judged([image, image], [image]) == [("image_repeated", "compatible")]


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


@pytest.mark.parametrize(
    ("fail_on", "data", "breaking"),
    [("breaking", True, False), ("change", False, False), ("none", True, True)],
)
def test_fail_on_decides_what_is_compatible(fail_on, data, breaking):
    """The verdict follows from the differences alone."""
    one = listing_of(image_of())
    renamed, shortened = listing_of(image_of(name="x")), listing_of(without(image_of(), "minRam"))
    assert compare(one, one, fail_on=fail_on).compatible
    assert compare(one, renamed, fail_on=fail_on).compatible is data
    assert compare(one, shortened, fail_on=fail_on).compatible is breaking


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
MIRROR = {
    "field_added": "field_removed",
    "image_added": "image_removed",
    "item_added": "item_removed",
    "vendor_added": "vendor_removed",
}
MIRROR |= {other: one for one, other in MIRROR.items()}


def shape(comparison, *, mirrored=False):
    """The differences as they would be with the sides exchanged, or as they are."""
    seen = Counter()
    for each in comparison.differences:
        kind = each.kind
        sides = (repr(each.baseline), repr(each.candidate))
        if mirrored:
            kind, sides = MIRROR.get(kind, kind), sides[::-1]
        if kind == "order_changed":
            sides = ()
        seen[(kind, each.path if each.image is None else "", each.count, sides)] += 1
    return seen


@given(IMAGES, IMAGES, st.sampled_from(PROFILES))
@settings(max_examples=200, deadline=None)
def test_exchanged_sides_mirror_the_comparison(one, other, profile):
    """Added becomes removed, values change places, and nothing else happens."""
    there = compare(listing_of(*one), listing_of(*other), profile=profile)
    back = compare(listing_of(*other), listing_of(*one), profile=profile)
    assert shape(there, mirrored=True) == shape(back)
    assert there.same is back.same


@given(IMAGES, st.randoms(use_true_random=False), st.sampled_from(PROFILES))
@settings(max_examples=100, deadline=None)
def test_permuted_images_change_nothing_but_the_order(images, shuffle, profile):
    """A listing in another order has the same images."""
    assume(len({image["id"] for image in images}) == len(images))
    turned = shuffle.sample(images, len(images))
    kinds = {kind for kind, _, _ in found(images, turned, profile=profile)}
    assert kinds == (set() if turned == images else {"order_changed"})


@given(IMAGES, IMAGES, st.sampled_from(PROFILES))
@settings(max_examples=100, deadline=None)
def test_equality_of_listings_is_an_empty_comparison(one, other, profile):
    """`==` and compare() agree under the default profile, and any profile accepts any listing."""
    first, second = listing_of(*one), listing_of(*other)
    assert (first == second) is compare(first, second).same
    assert compare(first, first, profile=profile).same


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


def test_a_listing_against_an_error_is_a_difference_of_status():
    """A release that refuses what the other answers is breaking, and the other way it is not."""
    whole = listing_of(image_of(1))
    refusal = read(
        recording_of({"badRequest": {"code": 400, "message": "too small"}}, status=400), expect=400
    )
    (difference,) = compare(whole, refusal).differences
    assert (difference.kind, difference.severity) == ("status_changed", "breaking")
    assert (difference.baseline, difference.candidate) == (200, "400 too small")
    (difference,) = compare(refusal, whole).differences
    assert difference.severity == "compatible"


def test_two_errors_of_one_status_are_not_compared():
    """That both failed does not make two clouds the same."""
    refusal = read(recording_of({"error": {"code": 401, "message": "no"}}, status=401), expect=401)
    with pytest.raises(ComparisonError) as caught:
        compare(refusal, refusal)
    assert caught.value.problem == ("both sides answered 401; two errors have no images to compare")
    assert caught.value.remedy.endswith(
        "imagedetail.compare(..., expect=401) in a test, --expect 401 in a shell"
    )


def test_expected_errors_are_compared_by_their_words():
    """Whoever names the status wants to know what was said."""
    old, new = (
        read(
            recording_of({"badRequest": {"code": 400, "message": message}}, status=400), expect=400
        )
        for message in ("limit must be >= 0", "no match")
    )
    comparison = compare(old, new, expect=400)
    (difference,) = comparison.differences
    assert (difference.kind, difference.path) == ("error_changed", "badRequest.message")
    assert (difference.baseline, difference.candidate) == ("limit must be >= 0", "no match")
    assert comparison.compatible
    assert comparison.to_dict()["baseline"]["error"] == 400
    assert compare(old, old, expect=400).summary == (
        "no difference: both answered 400 with the same words"
    )


@pytest.mark.parametrize("expect", [None, 404, 200])
def test_another_expectation_does_not_let_errors_through(expect):
    """Only the status that both answered, named by its number, makes them comparable."""
    refusal = read(recording_of({"error": {"code": 401, "message": "no"}}, status=401), expect=401)
    with pytest.raises(ComparisonError):
        compare(refusal, refusal, expect=expect)


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
    assert nothing_in_common(compare(some, none)) == (
        "b has no image, so no image was compared; "
        "is that the right project, and does its Glance answer?"
    )


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


def test_a_counted_id_of_another_image_is_no_repetition():
    """Across clouds, image 7 here and image 7 there are two images."""
    one, other = (listing_of({**image_of(1), "id": "7", "name": name}) for name in ("foo", "bar"))
    kinds = {each.kind for each in compare(one, other, profile="cross-cloud").differences}
    assert kinds == {"image_added", "image_removed"}


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
