"""What no profile may hide: every item of the study's list, planted and found under each profile.

Under cross-cloud a fact is planted a second time into the same images of another cloud, where all
ids and hosts are others and every rule has something to do.
"""

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


SIZE = "OS-EXT-IMG-SIZE:size"
SELF = f"{COMPUTE}/v2/{PROJECT}/images/{{id}}"
SERVER_LINK = ("server", "links", 0, "href")

# item and what -> the fields that an image has instead of its own, the kind
FIELDS = {
    "1 field added": ({"new": None}, "field_added"),
    "2 size as text": ({SIZE: "1001"}, "type_changed"),
    "2 minRam false": ({"minRam": False}, "type_changed"),
    "2 size null": ({SIZE: None}, "null_changed"),
    "3 unknown status": ({"status": "QUEUED"}, "value_changed"),
    "3 status in lower case": ({"status": "active"}, "value_changed"),
    "8 size": ({SIZE: 7}, "value_changed"),
    "8 created elsewhere": ({"created": "2024-01-15T08:00:00+09:00"}, "value_changed"),
    "8 no date": ({"created": "2024-01-15_08-00-00"}, "value_changed"),
    "9 link repeated": ({"links": [*image_of()["links"], image_of()["links"][0]]}, "*"),
    "12 vendor field": ({"rax:x": "1"}, "field_added"),
}

# item and what -> metadata of the baseline, of the candidate, the kind, and under wire if another
METADATA = {
    "1 key lost": ({"a": "1", "b": "2"}, {"a": "1"}, "field_removed"),
    "2 number": ({"a": 0}, {"a": "0"}, "type_changed"),
    "2 true": ({"a": True}, {"a": "True"}, "type_changed"),
    "2 null": ({"a": None}, {"a": "None"}, "null_changed"),
    "2 boolean spelling": ({"a": "True"}, {"a": "true"}, "value_changed"),
    "5 third project": ({"owner_id": PROJECT}, {"owner_id": OTHER_PROJECT}, "value_changed"),
    "11 user for project": ({"owner_id": PROJECT}, {"owner_id": USERS[0]}, "value_changed"),
    "11 no kernel": ({"kernel_id": GONE[0]}, {"kernel_id": "nokernel"}, "value_changed"),
    "12 vendor key": ({"rax_a": "1"}, {"rax_a": "1", "rax_b": "2"}, "field_added"),
    "12 first vendor key": (
        {"os": "x"},
        {"os": "x", "rax_b": "2"},
        {"cross-cloud": "vendor_added"},
        "field_added",
    ),
}

# item and what -> number of the link, its URL
LINKS = {
    **{
        f"another id {number}": (number, image_of(2)["links"][number]["href"])
        for number in (0, 1, 2)
    },
    "another resource": (0, f"{COMPUTE}/v2/{PROJECT}/servers/{{id}}"),
    "trailing slash": (0, f"{SELF}/"),
    "without a version": (0, f"{COMPUTE}/{PROJECT}/images/{{id}}"),
    "without a host": (0, f"/v2/{PROJECT}/images/{{id}}"),
    "with a query": (0, f"{SELF}?a=1"),
    "another service": (0, "https://image.a.invalid/images/{id}"),
    "no placeholder": (0, f"https://cloud.example.com/v2/{PROJECT}/images/{{id}}"),
    "prefix": (0, f"{COMPUTE}/compute/v2/{PROJECT}/images/{{id}}"),
    "project lost": (0, f"{COMPUTE}/v2/images/{{id}}"),
    "another project": (0, f"{COMPUTE}/v2/{OTHER_PROJECT}/images/{{id}}"),
    "a named project": (1, f"{COMPUTE}/demo/images/{{id}}"),
}

# item and what -> where in a snapshot, the new value, the kind
SNAPSHOT = {
    "2 server id null": (("server", "id"), None, "null_changed"),
    "2 instance_uuid null": (("metadata", "instance_uuid"), None, "null_changed"),
    "9 another server": (SERVER_LINK, f"{COMPUTE}/v2/{PROJECT}/servers/other", "link_changed"),
    "9 project lost": (SERVER_LINK, f"{COMPUTE}/v2/servers/{SERVERS[0]}", "link_changed"),
    "9 relation renamed": (("links", 0, "rel"), "me", "*"),
    "11 another server": (("metadata", "instance_uuid"), SERVERS[1], "value_changed"),
    "12 link attribute": (("links", 0, "type"), "x", "field_added"),
}

# item and what -> baseline, candidate, the kind ("*" for any), and that under wire if another
ONE_IMAGE = {
    **{
        f"1 {field} lost": (snapshot_of(), without(snapshot_of(), field), "field_removed")
        for field in snapshot_of()
        if field != "id"
    },
    "1 metadata lost, empty": (metadata(), without(image_of(), "metadata"), "field_removed"),
    **{what: (image_of(), image_of(**fields), kind) for what, (fields, kind) in FIELDS.items()},
    **{
        f"metadata {what}": (metadata(**old), metadata(**new), *kind)
        for what, (old, new, *kind) in METADATA.items()
    },
    **{
        f"9 link {what}": (image_of(), linked(number, href), "link_changed")
        for what, (number, href) in LINKS.items()
    },
    **{
        f"snapshot {what}": (snapshot_of(), changed(snapshot_of(), *path, to=value), kind)
        for what, (path, value, kind) in SNAPSHOT.items()
    },
    "2 links keyed": (
        image_of(links=[{"rel": "self", "href": "x"}]),
        image_of(links={"self": {"href": "x"}}),
        "type_changed",
    ),
    "9 relation missing": (image_of(), without(image_of(), "links", 0, "rel"), "*"),
    "9 link missing": (
        image_of(),
        without(image_of(), "links", 2),
        "field_removed",
        "item_removed",
    ),
    "9 server link missing": (
        snapshot_of(),
        without(snapshot_of(), "server", "links", 1),
        "field_removed",
        "item_removed",
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
    "2 id as a number": ([{"id": "1", "name": "x"}], [{"id": 1, "name": "x"}], "type_changed"),
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


CASES = {
    **{what: ([one], [other], *kind) for what, (one, other, *kind) in ONE_IMAGE.items()},
    **IMAGES,
}


def test_a_fact_is_found():
    """One changed fact is found, as what it is, in both directions, and nothing else is."""
    for profile in PROFILES:
        for what, case in CASES.items():
            one, other = listing_of(*case[0]), listing_of(*case[1])
            assert compare(one, one, profile=profile).same, (what, profile)
            found = kinds(one, other, profile)
            assert expected(case, profile) in {*found, "*"}, (what, profile)
            assert found, (what, profile)
            assert kinds(other, one, profile), (what, profile)


def test_a_fact_of_another_cloud():
    """The images of another cloud are the same ones but for their ids, and the fact is found."""
    for what, case in CASES.items():
        if what == "1 name lost":  # images are paired by name
            continue
        one, same, other = (
            listing_of(*case[0]),
            listing_of(*elsewhere(case[0]), cloud="b"),
            listing_of(*elsewhere(case[1]), cloud="b"),
        )
        unpaired = kinds(one, same, "cross-cloud")
        assert unpaired <= {"image_added", "image_removed"}, what
        found = kinds(one, other, "cross-cloud")
        assert found - unpaired, what
        assert expected(case, "cross-cloud") in {*found, "*"}, what


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
