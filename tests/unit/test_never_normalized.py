"""No profile hides a fact: each is planted, and must be found under each profile.

Under cross-cloud, each is also planted into another cloud's images, where ids and hosts differ, so
that every rule has something to change.
"""

import itertools
import json
from dataclasses import replace

from pytest_imagedetail.compare import compare
from pytest_imagedetail.listing import read
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
SELF = f"{COMPUTE}/v2/{PROJECT}/images/{image_of()['id']}"
SIZE = "OS-EXT-IMG-SIZE:size"
SERVERS = "9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"
USERS = f"{7:032x}", f"{8:032x}"
GONE = "70a599e0-0777-4b49-8b26-000000000777", "70a599e0-0888-4b49-8b26-000000000888"
ONE, TWO, THREE = image_of(1), image_of(2), image_of(3)

# Fields that replace those of an image, and the kind of the difference.
FIELDS = (
    ("field added", {"new": None}, "field_added"),
    ("minRam false", {"minRam": False}, "type_changed"),
    ("status in lower case", {"status": "active"}, "value_changed"),
    ("size", {SIZE: 7}, "value_changed"),
    ("created elsewhere", {"created": "2024-01-15T08:00:00+09:00"}, "value_changed"),
    ("no date", {"created": "2024-01-15_08-00-00"}, "value_changed"),
    ("link repeated", {"links": [*ONE["links"], ONE["links"][0]]}, "*"),
    ("vendor field", {"rax:x": "1"}, "field_added"),
)

# Metadata of the baseline and of the candidate.
METADATA = (
    ("true", {"a": True}, {"a": "True"}, "type_changed"),
    ("null", {"a": None}, {"a": "None"}, "null_changed"),
    ("boolean spelling", {"a": "True"}, {"a": "true"}, "value_changed"),
    ("third project", {"owner_id": PROJECT}, {"owner_id": OTHER_PROJECT}, "value_changed"),
    ("version number", {"a": "15.1.2.1"}, {"a": "16.1.0.2"}, "value_changed"),
    ("foreign host", {"a": "//host-3f2.invalid"}, {"a": "//host-3f3.invalid"}, "value_changed"),
    ("user for project", {"owner_id": PROJECT}, {"owner_id": USERS[0]}, "value_changed"),
    ("no kernel", {"kernel_id": GONE[0]}, {"kernel_id": "nokernel"}, "value_changed"),
    ("kernel undashed", {"kernel_id": GONE[0]}, {"kernel_id": "7" * 32}, "value_changed"),
    ("another kernel undashed", {"kernel_id": "a1" * 16}, {"kernel_id": GONE[0]}, "value_changed"),
    ("no reference", {"a": f"5{GONE[0][1:]}"}, {"a": f"6{GONE[0][1:]}"}, "value_changed"),
    ("vendor key", {"rax_a": "1"}, {"rax_a": "1", "rax_b": "2"}, "field_added"),
    ("first vendor key", {"os": "x"}, {"os": "x", "rax_b": "2"}, "field_added"),
)

ORIGINS = (
    *("http://compute.a.invalid", "https://compute.a.invalid:8774", "//compute.a.invalid"),
    *("https://redacted@compute.a.invalid", "https://compute.a.invalid.example"),
)

# The number of a link and its new address.
LINKS = (
    *((f"another id {number}", number, link["href"]) for number, link in enumerate(TWO["links"])),
    ("another resource", 0, SELF.replace("/images/", "/servers/")),
    ("without a version", 0, SELF.replace("/v2/", "/")),
    ("without a host", 0, SELF.removeprefix(COMPUTE)),
    ("another service", 0, f"https://image.a.invalid/images/{ONE['id']}"),
    ("prefix of a link", 0, SELF.replace("/v2/", "/compute/v2/")),
    ("link without project", 0, SELF.replace(f"/{PROJECT}/", "/")),
    ("another project", 0, SELF.replace(PROJECT, OTHER_PROJECT)),
    *((f"origin {each}", 0, SELF.replace(COMPUTE, each)) for each in ORIGINS),
    ("a named project", 1, f"{COMPUTE}/demo/images/{ONE['id']}"),
)

# Where in a snapshot, the new value, and the kind.
SERVER_LINK = ("server", "links", 0, "href")
SNAPSHOT = (
    *((what, ("links", number, "href"), href, "link_changed") for what, number, href in LINKS),
    ("server elsewhere", SERVER_LINK, f"{COMPUTE}/v2/{PROJECT}/servers/other", "link_changed"),
    ("server without project", SERVER_LINK, f"{COMPUTE}/v2/servers/{SERVERS[0]}", "link_changed"),
    ("relation renamed", ("links", 0, "rel"), "me", "*"),
    ("another server", ("metadata", "instance_uuid"), SERVERS[1], "value_changed"),
    ("link attribute", ("links", 0, "type"), "x", "field_added"),
)

# What an image lacks. Under `wire`, links are not keyed by relation, so a lost link is an item.
LOST = (
    *((field, (field,), "field_removed") for field in ("name", "links", "metadata", "server")),
    ("relation", ("links", 0, "rel"), "*"),
    ("link", ("links", 2), "field_removed"),
    ("server link", ("server", "links", 1), "field_removed"),
)


def snapshots(*servers):
    return [snapshot_of(number, server) for number, server in enumerate(servers)]


def described(*each):
    return [image_of(number, metadata=fields) for number, fields in enumerate(each, start=1)]


SAME_ID = ONE | {"name": TWO["name"], SIZE: TWO[SIZE]}
KERNELS, SWAPPED = ([{"kernel_id": each} for each in ids] for ids in (GONE, (TWO["id"], ONE["id"])))
LISTED, KEYED = {"links": [{"rel": "self", "href": "x"}]}, {"links": {"self": {"href": "x"}}}
OWNED = [{"user_id": each} for each in USERS]

# Name, images of both sides, and the kind; "*" is any kind.
CASES = (
    *((what, [ONE], [ONE | fields], kind) for what, fields, kind in FIELDS),
    *((what, described(old), described(new), kind) for what, old, new, kind in METADATA),
    *(
        (what, [snapshot_of()], [changed(snapshot_of(), *path, to=value)], kind)
        for what, path, value, kind in SNAPSHOT
    ),
    *(
        (f"{what} lost", [snapshot_of()], [without(snapshot_of(), *path)], kind)
        for what, path, kind in LOST
    ),
    ("metadata lost, empty", described({}), [without(ONE, "metadata")], "field_removed"),
    ("links keyed", [ONE | LISTED], [ONE | KEYED], "type_changed"),
    ("id as a number", [{"id": "1", "name": "x"}], [{"id": 1, "name": "x"}], "type_changed"),
    ("deleted among them", [ONE], [ONE, image_of(2, status="DELETED")], "image_added"),
    ("missing", [ONE, TWO, THREE], [ONE, THREE], "image_removed"),
    ("repeated", [ONE, TWO], [ONE, TWO, TWO], "image_repeated"),
    ("repeated for another", [ONE, TWO], [ONE, SAME_ID], "image_repeated"),
    ("order", [ONE, TWO, THREE], [ONE, THREE, TWO], "order_changed"),
    ("one server for two", snapshots(*SERVERS), snapshots(*SERVERS[:1] * 2), "value_changed"),
    ("two servers for one", snapshots(*SERVERS[:1] * 2), snapshots(*SERVERS), "value_changed"),
    ("one user for two", described(*OWNED), described(*OWNED[:1] * 2), "value_changed"),
    ("two users for one", described(*OWNED[:1] * 2), described(*OWNED), "value_changed"),
    ("one kernel for two", described(*KERNELS), described(*KERNELS[:1] * 2), "value_changed"),
    ("kernels exchanged", described(*SWAPPED), described(*SWAPPED[::-1]), "value_changed"),
)


def elsewhere(images):
    """Return the images as another cloud has them: other ids of images and servers, other hosts."""
    text = json.dumps(images)
    for here, there in (("70a599e0", "81b6a0f1"), ("9168b536", "a279c647"), (".a.inv", ".b.inv")):
        text = text.replace(here, there)
    return json.loads(text)


def kinds(baseline, candidate, profile):
    return {each.kind for each in compare(baseline, candidate, profile=profile).differences}


def expected(what, kind, profile):
    if what in {"link lost", "server link lost"} and profile == "wire":
        return "item_removed"
    if what == "first vendor key" and profile == "cross-cloud":
        return "vendor_added"
    return kind


def test_a_fact_is_found():
    """Under each profile, in both directions, and as what it is."""
    for profile, (what, old, new, kind) in itertools.product(PROFILES, CASES):
        one, other = listing_of(*old), listing_of(*new)
        assert compare(one, one, profile=profile).same, (what, profile)
        found = kinds(one, other, profile)
        assert found, (what, profile)
        assert expected(what, kind, profile) in {*found, "*"}, (what, profile)
        assert kinds(other, one, profile), (what, profile)


def test_a_fact_of_another_cloud():
    """The other cloud's images differ in their ids and in the fact."""
    for what, old, new, kind in CASES:
        if what == "name lost":  # images are paired by name
            continue
        one = listing_of(*old)
        same, other = (listing_of(*elsewhere(each), cloud="b") for each in (old, new))
        unpaired = kinds(one, same, "cross-cloud")
        assert unpaired <= {"image_added", "image_removed"}, what
        found = kinds(one, other, "cross-cloud")
        assert found - unpaired, what
        assert expected(what, kind, "cross-cloud") in {*found, "*"}, what


def test_a_fault_between_pages():
    """A repeated or missing image, a wrong next link, and a 203 on any page."""

    def paged(*pages, view="images/detail", statuses=(200, 200, 200)):
        bodies = [{"images": page} for page in pages]
        for body, page in zip(bodies[:-1], pages, strict=False):
            href = f"{COMPUTE}/v2/{PROJECT}/{view}?limit=1&marker={page[-1]['id']}"
            body["images_links"] = [{"rel": "next", "href": href}]
        recording = recording_of(*bodies)
        answered = (
            replace(each, response=replace(each.response, status_code=status))
            for each, status in zip(recording.interactions, statuses, strict=False)
        )
        return read(replace(recording, interactions=tuple(answered)))

    whole = paged([ONE], [TWO], [THREE])
    for profile in PROFILES:
        assert compare(whole, whole, profile=profile).same
        for other, found in (
            (paged([ONE], [TWO], [TWO, THREE]), "image_repeated"),
            (paged([ONE], [TWO], [THREE], view="images"), "page_changed"),
            (paged([ONE], [TWO], [THREE], statuses=[200, 200, 203]), "status_changed"),
        ):
            assert found in kinds(whole, other, profile)
