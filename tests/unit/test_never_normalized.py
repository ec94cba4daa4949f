"""What no profile may hide: every item of the study's list, planted and found under each profile.

Under cross-cloud a fact is planted a second time into the same images of another cloud, where all
ids and hosts are others and every rule has something to do.
"""

import itertools
import json

from pytest_imagedetail.compare import compare
from pytest_imagedetail.listing import read
from pytest_imagedetail.record.importing import Saved, imported
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
SELF = f"{COMPUTE}/v2/{PROJECT}/images"
SERVERS = "9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"
USERS = f"{7:032x}", f"{8:032x}"
GONE = "70a599e0-0777-4b49-8b26-000000000777", "70a599e0-0888-4b49-8b26-000000000888"
SIZE = "OS-EXT-IMG-SIZE:size"
ONE, TWO, THREE = image_of(1), image_of(2), image_of(3)
ID = ONE["id"]
SNAPSHOT = snapshot_of()
SERVER_LINK = ("server", "links", 0, "href")

# item and what -> the fields that an image has instead of its own, the kind ("*" for any)
FIELDS = {
    "1 field added": ({"new": None}, "field_added"),
    "2 size as text": ({SIZE: "1001"}, "type_changed"),
    "2 minRam false": ({"minRam": False}, "type_changed"),
    "2 size null": ({SIZE: None}, "null_changed"),
    "3 status in lower case": ({"status": "active"}, "value_changed"),
    "8 size": ({SIZE: 7}, "value_changed"),
    "8 created elsewhere": ({"created": "2024-01-15T08:00:00+09:00"}, "value_changed"),
    "8 no date": ({"created": "2024-01-15_08-00-00"}, "value_changed"),
    "9 link repeated": ({"links": [*ONE["links"], ONE["links"][0]]}, "*"),
    "12 vendor field": ({"rax:x": "1"}, "field_added"),
}

# item and what -> metadata of the baseline, of the candidate, the kind
METADATA = {
    "1 key lost": ({"a": "1", "b": "2"}, {"a": "1"}, "field_removed"),
    "2 number": ({"a": 0}, {"a": "0"}, "type_changed"),
    "2 null": ({"a": None}, {"a": "None"}, "null_changed"),
    "2 boolean spelling": ({"a": "True"}, {"a": "true"}, "value_changed"),
    "5 third project": ({"owner_id": PROJECT}, {"owner_id": OTHER_PROJECT}, "value_changed"),
    "11 user for project": ({"owner_id": PROJECT}, {"owner_id": USERS[0]}, "value_changed"),
    "11 no kernel": ({"kernel_id": GONE[0]}, {"kernel_id": "nokernel"}, "value_changed"),
    "12 vendor key": ({"rax_a": "1"}, {"rax_a": "1", "rax_b": "2"}, "field_added"),
    "12 first vendor key": ({"os": "x"}, {"os": "x", "rax_b": "2"}, "*"),
}

# item 9: what -> number of the link of an image, its URL
LINKS = {
    **{f"another id {number}": (number, TWO["links"][number]["href"]) for number in (0, 1, 2)},
    "another resource": (0, f"{COMPUTE}/v2/{PROJECT}/servers/{ID}"),
    "trailing slash": (0, f"{SELF}/{ID}/"),
    "without a version": (0, f"{COMPUTE}/{PROJECT}/images/{ID}"),
    "without a host": (0, f"/v2/{PROJECT}/images/{ID}"),
    "with a query": (0, f"{SELF}/{ID}?a=1"),
    "another service": (0, f"https://image.a.invalid/images/{ID}"),
    "no placeholder": (0, f"https://cloud.example.com/v2/{PROJECT}/images/{ID}"),
    "prefix": (0, f"{COMPUTE}/compute/v2/{PROJECT}/images/{ID}"),
    "project lost": (0, f"{COMPUTE}/v2/images/{ID}"),
    "another project": (0, f"{COMPUTE}/v2/{OTHER_PROJECT}/images/{ID}"),
    "a named project": (1, f"{COMPUTE}/demo/images/{ID}"),
}

# item and what -> where in a snapshot, the new value, the kind
SNAPSHOTS = {
    "2 server id null": (("server", "id"), None, "null_changed"),
    "2 instance_uuid null": (("metadata", "instance_uuid"), None, "null_changed"),
    "9 another server": (SERVER_LINK, f"{COMPUTE}/v2/{PROJECT}/servers/other", "link_changed"),
    "9 project lost": (SERVER_LINK, f"{COMPUTE}/v2/servers/{SERVERS[0]}", "link_changed"),
    "9 relation renamed": (("links", 0, "rel"), "me", "*"),
    "11 another server": (("metadata", "instance_uuid"), SERVERS[1], "value_changed"),
    "12 link attribute": (("links", 0, "type"), "x", "field_added"),
}

# item and what -> where something is missing in a snapshot
MISSING = {
    **{f"1 {field} lost": (field,) for field in SNAPSHOT if field != "id"},
    "9 relation missing": ("links", 0, "rel"),
    "9 link missing": ("links", 2),
    "9 server link missing": ("server", "links", 1),
}


def with_each(key, *values):
    """Images that differ in one key of their metadata."""
    return [image_of(number, metadata={key: value}) for number, value in enumerate(values)]


def snapshots(*servers):
    """Snapshots of these servers."""
    return [snapshot_of(number, server) for number, server in enumerate(servers)]


SAME_ID = changed(changed(ONE, "name", to=TWO["name"]), SIZE, to=1002)

# item and what -> images of the baseline, of the candidate, the kind
CASES = {
    "2 id as a number": ([{"id": "1", "name": "x"}], [{"id": 1, "name": "x"}], "type_changed"),
    "3 deleted among them": ([ONE], [ONE, image_of(2, status="DELETED")], "image_added"),
    "6 missing": ([ONE, TWO, THREE], [ONE, THREE], "image_removed"),
    "6 repeated": ([ONE, TWO], [ONE, TWO, TWO], "image_repeated"),
    "6 repeated for another": ([ONE, TWO], [ONE, SAME_ID], "image_repeated"),
    "7 order": ([ONE, TWO, THREE], [ONE, THREE, TWO], "order_changed"),
    "11 one server for two": (snapshots(*SERVERS), snapshots(*SERVERS[:1] * 2), "value_changed"),
    **{
        f"11 one {key} for two": (with_each(key, *ids), with_each(key, *ids[:1] * 2), kind)
        for key, ids, kind in (
            ("user_id", USERS, "value_changed"),
            ("kernel_id", GONE, "value_changed"),
        )
    },
    "11 kernels exchanged": (
        with_each("kernel_id", TWO["id"], ID, ""),
        with_each("kernel_id", ID, TWO["id"], ""),
        "value_changed",
    ),
    "2 links keyed": (
        [image_of(links=[{"rel": "self", "href": "x"}])],
        [image_of(links={"self": {"href": "x"}})],
        "type_changed",
    ),
    **{what: ([ONE], [image_of(**fields)], kind) for what, (fields, kind) in FIELDS.items()},
    **{
        f"metadata {what}": ([image_of(metadata=old)], [image_of(metadata=new)], kind)
        for what, (old, new, kind) in METADATA.items()
    },
    **{
        f"9 link {what}": ([ONE], [changed(ONE, "links", number, "href", to=href)], "link_changed")
        for what, (number, href) in LINKS.items()
    },
    **{
        f"snapshot {what}": ([SNAPSHOT], [changed(SNAPSHOT, *path, to=value)], kind)
        for what, (path, value, kind) in SNAPSHOTS.items()
    },
    **{
        what: ([SNAPSHOT], [without(SNAPSHOT, *path)], "field_removed" if "1" in what else "*")
        for what, path in MISSING.items()
    },
}


def elsewhere(images):
    """The same images as another cloud has them: other ids of images and servers, other hosts."""
    text = json.dumps(images)
    for here, there in (("70a599e0", "81b6a0f1"), ("9168b536", "a279c647"), (".a.inv", ".b.inv")):
        text = text.replace(here, there)
    return json.loads(text)


def kinds(baseline, candidate, profile):
    """The kinds of all differences, each once."""
    return {each.kind for each in compare(baseline, candidate, profile=profile).differences}


def test_a_fact_is_found():
    """One changed fact is found, as what it is, in both directions, and nothing else is."""
    for profile, (what, (old, new, kind)) in itertools.product(PROFILES, CASES.items()):
        one, other = listing_of(*old), listing_of(*new)
        assert compare(one, one, profile=profile).same, (what, profile)
        found = kinds(one, other, profile)
        assert found, (what, profile)
        assert kind in {*found, "*"}, (what, profile)
        assert kinds(other, one, profile), (what, profile)


def test_a_fact_of_another_cloud():
    """The images of another cloud are the same ones but for their ids, and the fact is found."""
    for what, (old, new, kind) in CASES.items():
        if what == "1 name lost":  # images are paired by name
            continue
        one = listing_of(*old)
        same, other = (listing_of(*elsewhere(each), cloud="b") for each in (old, new))
        unpaired = kinds(one, same, "cross-cloud")
        assert unpaired <= {"image_added", "image_removed"}, what
        found = kinds(one, other, "cross-cloud")
        assert found - unpaired, what
        assert kind in {*found, "*"}, what


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


def test_redaction_keeps_values_apart():
    """Items 8 and 11: owners, versions and every part of a URL, in two saved bodies."""

    def of(*values, key="x"):
        body = json.dumps({"images": with_each(key, *values)}).encode()
        return imported(Saved(body=body, cloud="a", where="body.json")).listing

    url, one, other = "https://cdn.corp.test/x", "a1" * 16, "b2" * 16
    pairs = [
        (of(one, other, key="owner_id"), of(one, one, key="owner_id")),
        (of("15.1.2.1"), of("16.1.0.2")),
        (of(f"{url}?version=1"), of(f"{url}?version=2")),
        (of(f"{url}#sha256=a"), of(f"{url}#sha256=b")),
        *((of(url), of(new)) for new in ("http://cdn.corp.test/x", "https://cdn.corp.test:8443/x")),
        *((of(url), of(new)) for new in ("https://cdn.corp.test/y", "https://mirror.corp.test/x")),
        (of("vsphere://h/f?dcPath=d&dsName=a"), of("vsphere://h/f?dcPath=d&dsName=b")),
    ]
    for (old, new), profile in itertools.product(pairs, PROFILES):
        assert compare(old, old, profile=profile).same
        assert kinds(old, new, profile) == kinds(new, old, profile) == {"value_changed"}
