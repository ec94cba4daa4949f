"""Laws of comparing that hold for all listings."""

import copy
import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st
from unit import image_of, listing_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.model import MISSING
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.settings import LEVELS, PROFILES

KEYS = st.sampled_from(["a", "b", "__x", "name", "minRam", "status", "updated"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, -1.5, "", "1", "é"])
)
VALUES = st.one_of(SCALARS, st.dictionaries(st.sampled_from(["p", "q"]), SCALARS, max_size=2))
MIRROR = {
    **{f"{what}_added": f"{what}_removed" for what in ("field", "item", "image", "vendor")},
    **{f"{what}_removed": f"{what}_added" for what in ("field", "item", "image", "vendor")},
}
PATIENT = settings(derandomize=True, max_examples=150, deadline=None)


@st.composite
def images(draw, most=6):
    """Draw images of one cloud with unusual fields and metadata."""
    numbers = draw(st.lists(st.integers(1, 8), unique=True, max_size=most))
    found = []
    for number in numbers:
        image = image_of(number, **draw(st.dictionaries(KEYS, VALUES, max_size=3)))
        image["metadata"] |= draw(st.dictionaries(st.sampled_from(["k", "m"]), VALUES, max_size=2))
        for key in draw(st.lists(st.sampled_from(["minDisk", "progress"]), max_size=1)):
            del image[key]
        found.append(image)
    return found


@PATIENT
@given(images(), images(), st.data())
def test_equal_listings_are_those_without_a_difference(one, other, data):
    """`==` and `compare` agree: on key order, repeated images, status, project and pages."""
    if data.draw(st.booleans()):
        other = [dict(reversed(each.items())) for each in one]
    if one and data.draw(st.booleans()):
        one, other = [*one, one[0]], [*other, *other[-1:]]
    complete, project = data.draw(st.booleans()), data.draw(st.sampled_from([None, 32 * "1"]))
    status = data.draw(st.sampled_from([200, 203]))
    old = listing_of(*one)
    new = listing_of(*other, complete=complete, project=project, status=status)
    for here, there in ((old, new), (new, old)):
        try:
            same = compare(here, there).same
        except ComparisonError:  # a part and the whole are not equal
            same = False
        assert (here == there) is same


def summarized(comparison):
    return sorted((each.kind, each.any_image, each.count) for each in comparison.differences)


@PATIENT
@given(images(), st.sampled_from(PROFILES), st.sampled_from(LEVELS))
def test_nothing_differs_from_itself(one, profile, level):
    listing = listing_of(*one)
    assert compare(listing, listing, profile=profile, level=level).same


@PATIENT
@given(images(), images(), st.sampled_from(PROFILES[:3]))
def test_swapping_both_sides_mirrors_the_differences(one, other, profile):
    old, new = listing_of(*one), listing_of(*other)
    there, back = compare(old, new, profile=profile), compare(new, old, profile=profile)
    assert summarized(back) == sorted(
        (MIRROR.get(kind, kind), path, n) for kind, path, n in summarized(there)
    )
    assert sorted(repr((each.baseline, each.candidate)) for each in there.differences) == sorted(
        repr((each.candidate, each.baseline)) for each in back.differences
    ) or any(each.kind == "order_changed" for each in there.differences)


@PATIENT
@given(images(), images(), st.randoms(use_true_random=False))
def test_shuffling_images_changes_only_the_order(one, other, random):
    shuffled = copy.deepcopy(other)
    random.shuffle(shuffled)

    def facts(new):
        comparison = compare(listing_of(*one), listing_of(*new))
        return [each for each in summarized(comparison) if each[0] != "order_changed"]

    assert facts(shuffled) == facts(other)


@PATIENT
@given(images(most=3), images(most=3))
def test_applying_the_differences_to_the_baseline_gives_the_candidate(one, other):
    comparison = compare(listing_of(*one), listing_of(*other), profile="wire")
    found = {image["id"]: copy.deepcopy(image) for image in one}
    for difference in comparison.differences:
        apply(found, difference)
    assert repr(sort(found)) == repr(sort({image["id"]: image for image in other}))


def apply(found, difference):
    """Apply one difference to every image that has it. There are few, so all are examples."""
    if difference.kind == "order_changed":
        return
    if difference.kind == "image_removed":
        del found[difference.image.id]
        return
    if difference.kind == "image_added":
        found[difference.image.id] = copy.deepcopy(difference.candidate)
        return
    refs = difference.examples or (difference.image,)
    assert len(refs) == difference.count
    keys = re.split(r"\.", difference.any_image.removeprefix("images[*]."))
    for ref in refs:
        place = found[ref.id]
        for key in keys[:-1]:
            place = place[key]
        if difference.candidate is MISSING:
            del place[keys[-1]]
        else:
            place[keys[-1]] = difference.candidate


def sort(value):
    """Sort objects by key, because JSON objects have no order."""
    if isinstance(value, dict):
        return {key: sort(each) for key, each in sorted(value.items())}
    return value


NOVA, GLANCE = "nova.example:8774", "glance.example:9292"
RAW_ID = image_of()["id"]
RAW_PROJECT = "0123456789abcdef0123456789abcdef"
HOSTS = st.sampled_from(
    [
        *(f"http://{host}" for host in (NOVA, GLANCE, "nova-2.example:8774", "docs.example.org")),
        *(f"{before}{NOVA}" for before in ("https://", "http://user@", "//", "", "HTTP://")),
        *("", " http://nova.example:8774", "http://["),
    ]
)
PATHS = st.sampled_from(
    [
        *(f"/{version}{RAW_PROJECT}/images/{RAW_ID}" for version in ("v2.1/", "x/v2/", "")),
        *(f"/images/{RAW_ID}", "/images", "/images/detail", f"/v2/{RAW_PROJECT}/servers/1", "/doc"),
        *("", f"/images/{NOVA}/images/{RAW_ID}", f"/http://{NOVA}/x/images/{RAW_ID}", "\n"),
    ]
)
ENDS = st.sampled_from(
    [
        *("", "?", "?x=1", "?sig=abc", f"?marker={RAW_ID}&limit=1", f"?next=http://{NOVA}/doc"),
        *(f"?next=http%3A%2F%2F{NOVA}%2Fdoc", f"?a={GLANCE}", f"#http://{NOVA}", "#x"),
    ]
)
HREFS = st.builds("{}{}{}".format, HOSTS, PATHS, ENDS)
LINK = st.one_of(
    st.fixed_dictionaries(
        {
            "rel": st.sampled_from(["self", "bookmark", "alternate", "next", f"http://{NOVA}/rel"]),
            "href": HREFS,
        },
        optional={"type": HREFS, "more": st.lists(HREFS, max_size=1)},
    ),
    st.fixed_dictionaries({"href": HREFS}),
    HREFS,
    st.none(),
)
ALL_LINKS = st.one_of(st.lists(LINK, max_size=4), st.fixed_dictionaries({"self": LINK}))


@PATIENT
@given(
    st.fixed_dictionaries({"links": ALL_LINKS}, optional={"server": ALL_LINKS}),
    st.fixed_dictionaries({}, optional={"images_links": ALL_LINKS, "documentation": HREFS}),
    st.sampled_from(PROFILES[1:]),
    st.sampled_from(LEVELS),
)
def test_the_name_of_a_cloud_does_not_matter(links, beside, profile, level):
    """Redaction puts the name into hosts. The same bytes are equal under any name."""
    image = image_of() | {"links": links["links"]}
    if "server" in links:
        image["server"] = {"id": "1", "links": links["server"]}
    body = json.dumps({"images": [image], **beside}).encode()
    one, other = (import_body(body, cloud=cloud, where="x").listing for cloud in ("one", "two-2.0"))
    found = compare(one, other, profile=profile, level=level)
    assert found.same, found.differences
