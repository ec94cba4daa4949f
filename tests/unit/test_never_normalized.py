"""What no profile may hide: every item of the study's list, planted and found under each profile.

Under cross-cloud a fact is planted a second time into the same images of another cloud, where all
ids and hosts are others and every rule has something to do.
"""

import itertools
import json

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

# What an image has in place of its own fields, and the kind of the difference.
FIELDS = (
    ("1 field added", {"new": None}, "field_added"),
    ("2 size as text", {SIZE: "1001"}, "type_changed"),
    ("2 minRam false", {"minRam": False}, "type_changed"),
    ("2 size null", {SIZE: None}, "null_changed"),
    ("3 unknown status", {"status": "QUEUED"}, "value_changed"),
    ("3 status in lower case", {"status": "active"}, "value_changed"),
    ("8 size", {SIZE: 7}, "value_changed"),
    ("8 created elsewhere", {"created": "2024-01-15T08:00:00+09:00"}, "value_changed"),
    ("8 no date", {"created": "2024-01-15_08-00-00"}, "value_changed"),
    ("9 link repeated", {"links": [*ONE["links"], ONE["links"][0]]}, "*"),
    ("12 vendor field", {"rax:x": "1"}, "field_added"),
)

# Metadata of the baseline and of the candidate.
METADATA = (
    ("1 key lost", {"a": "1", "b": "2"}, {"a": "1"}, "field_removed"),
    ("2 number", {"a": 0}, {"a": "0"}, "type_changed"),
    ("2 true", {"a": True}, {"a": "True"}, "type_changed"),
    ("2 null", {"a": None}, {"a": "None"}, "null_changed"),
    ("2 boolean spelling", {"a": "True"}, {"a": "true"}, "value_changed"),
    ("5 third project", {"owner_id": PROJECT}, {"owner_id": OTHER_PROJECT}, "value_changed"),
    ("8 version number", {"a": "15.1.2.1"}, {"a": "16.1.0.2"}, "value_changed"),
    ("8 scheme", {"a": COMPUTE}, {"a": COMPUTE.replace("https", "http")}, "value_changed"),
    ("8 foreign host", {"a": "//host-3f2.invalid"}, {"a": "//host-3f3.invalid"}, "value_changed"),
    ("8 fragment", {"a": f"{COMPUTE}/x#a"}, {"a": f"{COMPUTE}/x#b"}, "value_changed"),
    ("11 user for project", {"owner_id": PROJECT}, {"owner_id": USERS[0]}, "value_changed"),
    ("11 no kernel", {"kernel_id": GONE[0]}, {"kernel_id": "nokernel"}, "value_changed"),
    ("12 vendor key", {"rax_a": "1"}, {"rax_a": "1", "rax_b": "2"}, "field_added"),
    ("12 first vendor key", {"os": "x"}, {"os": "x", "rax_b": "2"}, "field_added"),
)

# The number of a link and its new address.
LINKS = (
    *(("another id", number, link["href"]) for number, link in enumerate(TWO["links"])),
    ("another resource", 0, SELF.replace("/images/", "/servers/")),
    ("trailing slash", 0, f"{SELF}/"),
    ("without a version", 0, SELF.replace("/v2/", "/")),
    ("without a host", 0, SELF.removeprefix(COMPUTE)),
    ("with a query", 0, f"{SELF}?a=1"),
    ("another service", 0, f"https://image.a.invalid/images/{ONE['id']}"),
    ("no placeholder", 0, SELF.replace("compute.a.invalid", "cloud.example.com")),
    ("prefix", 0, SELF.replace("/v2/", "/compute/v2/")),
    ("project lost", 0, SELF.replace(f"/{PROJECT}/", "/")),
    ("another project", 0, SELF.replace(PROJECT, OTHER_PROJECT)),
    ("a named project", 1, f"{COMPUTE}/demo/images/{ONE['id']}"),
)

# Where in a snapshot, the new value, and the kind.
SERVER_LINK = ("server", "links", 0, "href")
SNAPSHOT = (
    ("2 server id null", ("server", "id"), None, "null_changed"),
    ("2 instance_uuid null", ("metadata", "instance_uuid"), None, "null_changed"),
    ("9 another server", SERVER_LINK, f"{COMPUTE}/v2/{PROJECT}/servers/other", "link_changed"),
    ("9 project lost", SERVER_LINK, f"{COMPUTE}/v2/servers/{SERVERS[0]}", "link_changed"),
    ("9 relation renamed", ("links", 0, "rel"), "me", "*"),
    ("11 another server", ("metadata", "instance_uuid"), SERVERS[1], "value_changed"),
    ("12 link attribute", ("links", 0, "type"), "x", "field_added"),
)

# What one image may lack; a link is lost as an item if links are not keyed by relation.
LOST = (
    *((f"1 {field}", (field,), "field_removed") for field in snapshot_of() if field != "id"),
    ("9 relation", ("links", 0, "rel"), "*"),
    ("9 link", ("links", 2), "field_removed"),
    ("9 server link", ("server", "links", 1), "field_removed"),
)


def snapshots(*servers):
    return [snapshot_of(number, server) for number, server in enumerate(servers)]


def described(*each):
    return [image_of(number, metadata=fields) for number, fields in enumerate(each, start=1)]


SAME_ID = ONE | {"name": TWO["name"], SIZE: TWO[SIZE]}
KERNEL, OTHER_KERNEL = ({"kernel_id": each} for each in GONE)
LISTED, KEYED = {"links": [{"rel": "self", "href": "x"}]}, {"links": {"self": {"href": "x"}}}
USER, OTHER_USER = ({"user_id": each} for each in USERS)

# All of them: what, the images of both sides, and the kind; "*" is any.
CASES = (
    *((what, [ONE], [ONE | fields], kind) for what, fields, kind in FIELDS),
    *((what, described(old), described(new), kind) for what, old, new, kind in METADATA),
    *(
        (
            f"9 {what} {number}",
            [ONE],
            [changed(ONE, "links", number, "href", to=href)],
            "link_changed",
        )
        for what, number, href in LINKS
    ),
    *(
        (what, [snapshot_of()], [changed(snapshot_of(), *path, to=value)], kind)
        for what, path, value, kind in SNAPSHOT
    ),
    *(
        (f"{what} lost", [snapshot_of()], [without(snapshot_of(), *path)], kind)
        for what, path, kind in LOST
    ),
    ("1 metadata lost, empty", described({}), [without(ONE, "metadata")], "field_removed"),
    ("2 links keyed", [ONE | LISTED], [ONE | KEYED], "type_changed"),
    ("2 id as a number", [{"id": "1", "name": "x"}], [{"id": 1, "name": "x"}], "type_changed"),
    ("3 deleted among them", [ONE], [ONE, image_of(2, status="DELETED")], "image_added"),
    ("5 extra", [ONE, TWO], [ONE, TWO, THREE], "image_added"),
    ("6 missing", [ONE, TWO, THREE], [ONE, THREE], "image_removed"),
    ("6 repeated", [ONE, TWO], [ONE, TWO, TWO], "image_repeated"),
    ("6 repeated for another", [ONE, TWO], [ONE, SAME_ID], "image_repeated"),
    ("7 order", [ONE, TWO, THREE], [ONE, THREE, TWO], "order_changed"),
    ("11 one server for two", snapshots(*SERVERS), snapshots(*SERVERS[:1] * 2), "value_changed"),
    ("11 two servers for one", snapshots(*SERVERS[:1] * 2), snapshots(*SERVERS), "value_changed"),
    ("11 one user for two", described(USER, OTHER_USER), described(USER, USER), "value_changed"),
    ("11 two users for one", described(USER, USER), described(USER, OTHER_USER), "value_changed"),
    (
        "11 one kernel for two",
        described(KERNEL, OTHER_KERNEL),
        described(KERNEL, KERNEL),
        "value_changed",
    ),
    (
        "11 kernels exchanged",
        described({"kernel_id": TWO["id"]}, {"kernel_id": ONE["id"]}),
        described({"kernel_id": ONE["id"]}, {"kernel_id": TWO["id"]}),
        "value_changed",
    ),
)


def elsewhere(images):
    """The same images as another cloud has them: other ids of images and servers, other hosts."""
    text = json.dumps(images)
    for here, there in (("70a599e0", "81b6a0f1"), ("9168b536", "a279c647"), (".a.inv", ".b.inv")):
        text = text.replace(here, there)
    return json.loads(text)


def kinds(baseline, candidate, profile):
    return {each.kind for each in compare(baseline, candidate, profile=profile).differences}


def expected(what, kind, profile):
    if what in {"9 link lost", "9 server link lost"} and profile == "wire":
        return "item_removed"
    if what == "12 first vendor key" and profile == "cross-cloud":
        return "vendor_added"
    return kind


def test_a_fact_is_found():
    """One changed fact is found, as what it is, in both directions, and nothing else is."""
    for profile, (what, old, new, kind) in itertools.product(PROFILES, CASES):
        one, other = listing_of(*old), listing_of(*new)
        assert compare(one, one, profile=profile).same, (what, profile)
        found = kinds(one, other, profile)
        assert expected(what, kind, profile) in {*found, "*"}, (what, profile)
        assert found, (what, profile)
        assert kinds(other, one, profile), (what, profile)


def test_a_fact_of_another_cloud():
    """The images of another cloud are the same ones but for their ids, and the fact is found."""
    for what, old, new, kind in CASES:
        if what == "1 name lost":  # images are paired by name
            continue
        one = listing_of(*old)
        same, other = (listing_of(*elsewhere(each), cloud="b") for each in (old, new))
        unpaired = kinds(one, same, "cross-cloud")
        assert unpaired <= {"image_added", "image_removed"}, what
        found = kinds(one, other, "cross-cloud")
        assert found - unpaired, what
        assert expected(what, kind, "cross-cloud") in {*found, "*"}, what


def test_a_fault_between_pages():
    """Items 6 and 10: images on two pages or none, wrong next links, and a 203 on any page."""

    def paged(*pages, view="images/detail", statuses=()):
        bodies = [{"images": page} for page in pages]
        for body, page in zip(bodies[:-1], pages, strict=False):
            href = f"{COMPUTE}/v2/{PROJECT}/{view}?limit=1&marker={page[-1]['id']}"
            body["images_links"] = [{"rel": "next", "href": href}]
        recording = recording_of(*bodies)
        for interaction, status in zip(recording.interactions, statuses, strict=False):
            object.__setattr__(interaction.response, "status_code", status)
        return read(recording)

    whole = paged([ONE], [TWO], [THREE])
    for profile in PROFILES:
        assert compare(whole, whole, profile=profile).same
        for other, found in (
            (paged([ONE], [TWO], [TWO, THREE]), "image_repeated"),
            (paged([ONE], [THREE]), "image_removed"),
            (paged([ONE], [TWO], [THREE], view="images"), "page_changed"),
            (paged([ONE], [TWO], [THREE], statuses=[203]), "status_changed"),
            (paged([ONE], [TWO], [THREE], statuses=[200, 200, 203]), "status_changed"),
        ):
            assert found in kinds(whole, other, profile)
