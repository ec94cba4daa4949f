"""What no profile may hide: every item of the study's list, planted and found under each profile.

Under cross-cloud a fact is planted a second time into the same images of another cloud, where all
ids and hosts are others and every rule has something to do.
"""

import json

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import BodyError, ComparisonError, ResponseError
from pytest_imagedetail.listing import read
from pytest_imagedetail.model import Query
from pytest_imagedetail.record.importing import imported
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

COMPUTE = "https://compute.a.invalid"
SERVERS = "9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"
USERS = f"{7:032x}", f"{8:032x}"
GONE = "70a599e0-0777-4b49-8b26-000000000777", "70a599e0-0888-4b49-8b26-000000000888"


def metadata(**fields):
    """An image with this metadata."""
    return image_of(metadata=fields)


def linked(place, href, image=None):
    """An image with another link at a place; `{id}` in it is the image's own id."""
    image = image or image_of()
    return changed(image, "links", place, "href", to=href.format(id=image["id"]))


def elsewhere(images):
    """The same images as another cloud has them: other ids of images and servers, other hosts."""
    text = json.dumps(images)
    for here, there in (("70a599e0", "81b6a0f1"), ("9168b536", "a279c647"), (".a.inv", ".b.inv")):
        text = text.replace(here, there)
    return json.loads(text)


def kinds(baseline, candidate, profile):
    """The kinds of all differences, each once."""
    return {each.kind for each in compare(baseline, candidate, profile=profile).differences}


# item and what -> baseline, candidate, the kind ("*" for any), and that under wire if another
ONE_IMAGE = {
    **{
        f"1 {field} lost": (snapshot_of(), without(snapshot_of(), field), "field_removed")
        for field in snapshot_of()
        if field != "id"
    },
    "1 metadata lost, empty": (metadata(), without(image_of(), "metadata"), "field_removed"),
    "1 metadata key lost": (metadata(a="1", b="2"), metadata(a="1"), "field_removed"),
    "1 field added": (image_of(), image_of(new=None), "field_added"),
    "2 size as text": (
        image_of(),
        image_of(**{"OS-EXT-IMG-SIZE:size": "1001"}),
        "type_changed",
    ),
    "2 size as float": (
        image_of(),
        image_of(**{"OS-EXT-IMG-SIZE:size": 1001.0}),
        "type_changed",
    ),
    "2 minRam false": (image_of(), image_of(minRam=False), "type_changed"),
    "2 size null": (image_of(), image_of(**{"OS-EXT-IMG-SIZE:size": None}), "null_changed"),
    "2 created a number": (image_of(), image_of(created=1705305600), "type_changed"),
    "2 metadata 0": (metadata(a=0), metadata(a="0"), "type_changed"),
    "2 metadata true": (metadata(a=True), metadata(a="True"), "type_changed"),
    "2 metadata list": (metadata(a=[1]), metadata(a=[True]), "type_changed"),
    "2 metadata null": (metadata(a=None), metadata(a="None"), "null_changed"),
    "2 boolean spelling": (metadata(a="True"), metadata(a="true"), "value_changed"),
    "2 links object": (image_of(links=[]), image_of(links={}), "type_changed"),
    "2 links keyed": (
        image_of(links=[{"rel": "self", "href": "x"}]),
        image_of(links={"self": {"href": "x"}}),
        "type_changed",
    ),
    "2 server id null": (
        snapshot_of(),
        changed(snapshot_of(), "server", "id", to=None),
        "null_changed",
    ),
    "2 instance_uuid null": (
        snapshot_of(),
        changed(snapshot_of(), "metadata", "instance_uuid", to=None),
        "null_changed",
    ),
    "3 unknown status": (image_of(), image_of(status="QUEUED"), "value_changed"),
    "3 status in lower case": (image_of(), image_of(status="active"), "value_changed"),
    "3 status UNKNOWN": (image_of(), image_of(status="UNKNOWN"), "value_changed"),
    "3 deleted": (image_of(), image_of(status="DELETED"), "value_changed"),
    "3 active at 50": (image_of(), image_of(progress=50), "value_changed"),
    "5 third tenant": (
        metadata(owner_id=PROJECT, image_type="snapshot"),
        metadata(owner_id=OTHER_PROJECT, image_type="snapshot"),
        "value_changed",
    ),
    "8 size": (image_of(), image_of(**{"OS-EXT-IMG-SIZE:size": 7}), "value_changed"),
    "8 minDisk": (image_of(), image_of(minDisk=1), "value_changed"),
    "8 minRam": (image_of(), image_of(minRam=1), "value_changed"),
    "8 created": (image_of(), image_of(created="2024-01-15T08:00:01Z"), "value_changed"),
    "8 created elsewhere": (
        image_of(),
        image_of(created="2024-01-15T08:00:00+09:00"),
        "value_changed",
    ),
    "8 no date": (image_of(), image_of(created="2024-01-15_08-00-00"), "value_changed"),
    **{
        f"9 another id in link {place}": (
            image_of(),
            linked(place, image_of(2)["links"][place]["href"]),
            "link_changed",
        )
        for place in range(3)
    },
    **{
        f"9 {what}": (image_of(), linked(0, href), "link_changed")
        for what, href in {
            "another resource": f"{COMPUTE}/v2/{PROJECT}/servers/{{id}}",
            "below the image": f"{COMPUTE}/v2/{PROJECT}/images/{{id}}/metadata",
            "trailing slash": f"{COMPUTE}/v2/{PROJECT}/images/{{id}}/",
            "double slash": f"{COMPUTE}//v2/{PROJECT}/images/{{id}}",
            "without a version": f"{COMPUTE}/{PROJECT}/images/{{id}}",
            "without a host": f"/v2/{PROJECT}/images/{{id}}",
            "with a query": f"{COMPUTE}/v2/{PROJECT}/images/{{id}}?a=1",
            "an image in an image": f"{COMPUTE}/v2/{PROJECT}/images/other/images/{{id}}",
            "another service": "https://image.a.invalid/images/{id}",
            "no placeholder": f"https://cloud.example.com/v2/{PROJECT}/images/{{id}}",
            "empty": "",
        }.items()
    },
    "9 a named tenant in the bookmark": (
        image_of(),
        linked(1, f"{COMPUTE}/demo/images/{{id}}"),
        "link_changed",
    ),
    "9 another tenant in the bookmark": (
        linked(1, f"{COMPUTE}/demo/images/{{id}}"),
        linked(1, f"{COMPUTE}/rival/images/{{id}}"),
        "link_changed",
    ),
    "9 prefix": (
        image_of(),
        linked(0, f"{COMPUTE}/compute/v2/{PROJECT}/images/{{id}}"),
        "link_changed",
    ),
    "9 project lost": (image_of(), linked(0, f"{COMPUTE}/v2/images/{{id}}"), "link_changed"),
    "9 another server in a link": (
        snapshot_of(),
        changed(
            snapshot_of(), "server", "links", 0, "href", to=f"{COMPUTE}/v2/{PROJECT}/servers/other"
        ),
        "link_changed",
    ),
    "9 project lost in a link of a server": (
        snapshot_of(),
        changed(
            snapshot_of(), "server", "links", 0, "href", to=f"{COMPUTE}/v2/servers/{SERVERS[0]}"
        ),
        "link_changed",
    ),
    "9 relation missing": (image_of(), without(image_of(), "links", 0, "rel"), "*"),
    "9 relation renamed": (image_of(), changed(image_of(), "links", 0, "rel", to="me"), "*"),
    "9 link missing": (
        image_of(),
        without(image_of(), "links", 2),
        "field_removed",
        "item_removed",
    ),
    "9 link repeated": (
        image_of(),
        image_of(links=[*image_of()["links"], image_of()["links"][0]]),
        "*",
    ),
    "9 server link missing": (
        snapshot_of(),
        without(snapshot_of(), "server", "links", 1),
        "field_removed",
        "item_removed",
    ),
    "11 another project in a link": (
        image_of(),
        linked(0, f"{COMPUTE}/v2/{OTHER_PROJECT}/images/{{id}}"),
        "link_changed",
    ),
    "11 another server": (
        snapshot_of(),
        changed(snapshot_of(), "metadata", "instance_uuid", to=SERVERS[1]),
        "value_changed",
    ),
    "11 a user for the project": (
        metadata(owner_id=PROJECT),
        metadata(owner_id=USERS[0]),
        "value_changed",
    ),
    "11 no kernel": (metadata(kernel_id=GONE[0]), metadata(kernel_id="nokernel"), "value_changed"),
    "12 vendor field": (image_of(), image_of(**{"rax:x": "1"}), "field_added"),
    "12 vendor key": (
        metadata(rax_a="1"),
        metadata(rax_a="1", rax_b="2"),
        "field_added",
    ),
    "12 vendor value": (metadata(hp_a="1"), metadata(hp_a="2"), "value_changed"),
    "12 first vendor key": (
        metadata(os="x"),
        metadata(os="x", rax_b="2"),
        {"cross-cloud": "vendor_added"},
        "field_added",
    ),
    "12 link attribute": (
        image_of(),
        changed(image_of(), "links", 0, "type", to="x"),
        "field_added",
    ),
    "12 server link attribute": (
        snapshot_of(),
        changed(snapshot_of(), "server", "links", 0, "type", to="x"),
        "field_added",
    ),
}


def snapshots(*servers):
    """Snapshots of these servers."""
    return [snapshot_of(number, server) for number, server in enumerate(servers)]


def described(*each):
    """Images with this metadata."""
    return [image_of(number, metadata=fields) for number, fields in enumerate(each)]


ONE, TWO, THREE = image_of(1), image_of(2), image_of(3)
SAME_ID = changed(changed(ONE, "name", to=TWO["name"]), "OS-EXT-IMG-SIZE:size", to=1002)

# item and what -> baseline, candidate, kind
IMAGES = {
    "3 deleted among them": ([ONE], [ONE, image_of(2, status="DELETED")], "image_added"),
    "5 extra": ([ONE, TWO], [ONE, TWO, THREE], "image_added"),
    "6 missing": ([ONE, TWO, THREE], [ONE, THREE], "image_removed"),
    "6 repeated": ([ONE, TWO], [ONE, TWO, TWO], "image_repeated"),
    "6 repeated for another": ([ONE, TWO], [ONE, SAME_ID], "image_repeated"),
    "7 order": ([ONE, TWO, THREE], [ONE, THREE, TWO], "order_changed"),
    "11 one server for two": (snapshots(*SERVERS), snapshots(*SERVERS[:1] * 2), "value_changed"),
    "11 two servers for one": (snapshots(*SERVERS[:1] * 2), snapshots(*SERVERS), "value_changed"),
    "11 one user for two": (
        described({"user_id": USERS[0]}, {"user_id": USERS[1]}),
        described({"user_id": USERS[0]}, {"user_id": USERS[0]}),
        "value_changed",
    ),
    "11 two users for one": (
        described({"user_id": USERS[0]}, {"user_id": USERS[0]}),
        described({"user_id": USERS[0]}, {"user_id": USERS[1]}),
        "value_changed",
    ),
    "11 two users for one, the other way round": (
        described({"user_id": USERS[0]}, {"user_id": USERS[0]}),
        described({"user_id": USERS[0]}, {"user_id": USERS[1]})[::-1],
        "value_changed",
    ),
    "11 one missing image for two": (
        described({"kernel_id": GONE[0]}, {"kernel_id": GONE[1]}),
        described({"kernel_id": GONE[0]}, {"kernel_id": GONE[0]}),
        "value_changed",
    ),
    "11 kernels exchanged": (
        described({"kernel_id": TWO["id"]}, {"kernel_id": ONE["id"]}, {}),
        described({"kernel_id": ONE["id"]}, {"kernel_id": TWO["id"]}, {}),
        "value_changed",
    ),
}


def expected(case, profile):
    """The kind that a case wants under a profile."""
    kind, *wire = case[2:]
    if isinstance(kind, dict):
        return kind.get(profile, wire[0])
    return wire[0] if wire and profile == "wire" else kind


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", ONE_IMAGE.values(), ids=ONE_IMAGE)
def test_a_fact_of_one_image(case, profile):
    """One changed fact is found, as what it is, in both directions; nothing is when it is not."""
    one, other = listing_of(case[0]), listing_of(case[1])
    assert compare(one, one, profile=profile).same
    assert expected(case, profile) in {*kinds(one, other, profile), "*"}
    assert kinds(one, other, profile)
    assert kinds(other, one, profile)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("case", IMAGES.values(), ids=IMAGES)
def test_a_fact_of_several_images(case, profile):
    """The same for what only several images together show."""
    one, other = listing_of(*case[0]), listing_of(*case[1])
    assert compare(one, one, profile=profile).same
    assert case[2] in kinds(one, other, profile)
    assert kinds(other, one, profile)


@pytest.mark.parametrize(
    "case",
    [
        *(
            pytest.param(([one], [other], *kind), id=what)
            for what, (one, other, *kind) in ONE_IMAGE.items()
            if what != "1 name lost"  # by which images are paired
        ),
        *(pytest.param(case, id=what) for what, case in IMAGES.items()),
    ],
)
def test_a_fact_of_another_cloud(case):
    """The images of another cloud are the same ones but for their ids, and the fact is found."""
    one, same, other = (
        listing_of(*case[0]),
        listing_of(*elsewhere(case[0]), cloud="b"),
        listing_of(*elsewhere(case[1]), cloud="b"),
    )
    plain = kinds(one, same, "cross-cloud")
    assert plain <= {"image_added", "image_removed"}
    found = kinds(one, other, "cross-cloud")
    assert found - plain
    assert expected(case, "cross-cloud") in {*found, "*"}


def test_a_lost_name_of_another_cloud():
    """Item 1: an image without its name is no longer found across clouds, and both are listed."""
    other = listing_of(*elsewhere([without(image_of(), "name")]), cloud="b")
    assert kinds(listing_of(image_of()), other, "cross-cloud") == {"image_added", "image_removed"}


@pytest.mark.parametrize("profile", PROFILES)
def test_an_id_as_a_number(profile):
    """Item 2: 1361 and "1361" are one image with another type of id."""
    one, other = ({"id": id_, "name": "x"} for id_ in ("1361", 1361))
    assert kinds(listing_of(one), listing_of(other), profile) == {"type_changed"}


@pytest.mark.parametrize("profile", PROFILES)
def test_an_ignored_filter(profile):
    """Item 4: what the baseline filters out is an image more when the candidate does not."""
    one = listing_of(ONE, query="name=image 1")
    other = listing_of(ONE, TWO, query="name=image 1")
    assert kinds(one, other, profile) == {"image_added"}


def paged(*pages, views=(), statuses=()):
    """A listing of pages, each but the last with a next link to `images/detail` or another view."""
    views = [*views, *["images/detail"] * len(pages)]
    bodies = [{"images": page} for page in pages]
    for number, (body, view) in enumerate(zip(bodies[:-1], views, strict=False)):
        marker = pages[number][-1]["id"]
        body["images_links"] = [
            {"rel": "next", "href": f"{COMPUTE}/v2/{PROJECT}/{view}?limit=1&marker={marker}"}
        ]
    recording = recording_of(*bodies)
    for interaction, status in zip(recording.interactions, statuses, strict=False):
        object.__setattr__(interaction.response, "status_code", status)
    return read(recording)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_fault_between_pages(profile):
    """Items 6 and 9: an image on two pages or on none, and a next link that leads astray."""
    whole = paged([ONE], [TWO], [THREE])
    assert compare(whole, whole, profile=profile).same
    assert "image_repeated" in kinds(whole, paged([ONE], [TWO], [TWO, THREE]), profile)
    assert "image_removed" in kinds(whole, paged([ONE], [THREE]), profile)
    for views in (["images"], ["images/detail", "images"]):
        assert kinds(whole, paged([ONE], [TWO], [THREE], views=views), profile) == {"page_changed"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    "query", ["limit=2&marker={first}", "limit=2&marker=x", "limit=2", "limit=2&marker={last}&a=1"]
)
def test_a_next_link_that_leads_astray(profile, query):
    """Item 6: a page whose next link does not go on from its last image loses or repeats some."""

    def part(asked):
        asked = asked.format(first=ONE["id"], last=TWO["id"])
        href = f"{COMPUTE}/v2/{PROJECT}/images/detail?{asked}"
        beside = {"images_links": [{"rel": "next", "href": href}]}
        return listing_of(ONE, TWO, beside=beside, query="limit=2", complete=False)

    assert kinds(part("limit=2&marker={last}"), part(query), profile) == {"page_changed"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_part_of_the_images(profile):
    """Item 6: a part and the whole are never compared, for either verdict would be untrue."""
    whole, part = listing_of(ONE), listing_of(ONE, query="limit=1", complete=False)
    with pytest.raises(ComparisonError, match="a part of its images only"):
        compare(whole, part, profile=profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_answer_from_a_cache(profile):
    """Item 10: a 203 is a difference, on whichever page it came."""
    assert kinds(listing_of(ONE), listing_of(ONE, status=203), profile) == {"status_changed"}
    for statuses in ([203], [200, 203], [200, 200, 203]):
        other = paged([ONE], [TWO], [THREE], statuses=statuses)
        assert kinds(paged([ONE], [TWO], [THREE]), other, profile) == {"status_changed"}


@pytest.mark.parametrize("status", [304, 401, 404, 413, 500])
def test_a_status_that_no_listing_has(status):
    """Item 10: no listing comes of it, so there is nothing that a profile could hide."""
    with pytest.raises(ResponseError):
        read(recording_of({"images": []}, status=status))
    for page in (recording_of({"images": []}, {"images": []}),):
        object.__setattr__(page.interactions[1].response, "status_code", status)
        with pytest.raises(ResponseError):
            read(page)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_refusal(profile):
    """Item 10: an error against a listing is breaking; two errors are no comparison."""
    refused = read(recording_of({"badRequest": {"message": "x"}}, status=400), expect=400)
    (difference,) = compare(listing_of(ONE), refused, profile=profile).differences
    assert (difference.kind, difference.severity) == ("status_changed", "breaking")
    with pytest.raises(ComparisonError, match="both sides answered 400"):
        compare(refused, refused, profile=profile)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b'{"images": [',
        b'{"images": [],}',
        b'{"images": [{"id": "1", "name": "a\nb"}]}',
        b'{"images": [{"id": "1", "minRam": NaN}]}',
        b"<html><body>It works!</body></html>",
        b'{"images": [{"id": "\xff"}]}',
        b"[]",
        b'{"images": {}}',
        b'{"images": [{}]}',
    ],
)
def test_a_body_that_is_no_listing(body):
    """Item 10: it is an error and never repaired, whatever a profile would make of it."""
    with pytest.raises(BodyError):
        read(recording_of(body))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("key", "one", "other"),
    [("owner_id", "a1" * 16, "b2" * 16), ("admin_pass", "s3cret-one", "s3cret-two")],
)
def test_redaction_keeps_values_apart(profile, key, one, other):
    """Item 11: the same value has the same placeholder and another value another one."""

    def of(*values):
        images = described(*({"name": str(place)} | {key: v} for place, v in enumerate(values)))
        body = json.dumps({"images": images}).encode()
        live = imported(
            body, cloud="a", query=Query(), status_code=200, release=None, where="body.json"
        )
        assert one not in live.listing.body
        return live.listing

    apart, mixed = of(one, other), of(one, one)
    assert compare(apart, of(one, other), profile=profile).same
    assert kinds(apart, mixed, profile) == {"value_changed"}
    assert kinds(mixed, apart, profile) == {"value_changed"}


def test_a_lonely_vendor_is_listed():
    """Item 12: the keys of a vendor that one side lacks stand in the difference."""
    baseline = listing_of(metadata(os="x"))
    found = compare(baseline, listing_of(metadata(rax_a="1", rax_b="2")), profile="cross-cloud")
    listed = [each.candidate for each in found.differences if each.kind == "vendor_added"]
    assert listed == [["rax_a", "rax_b"]]
