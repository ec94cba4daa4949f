"""What each rule changes. What no rule may hide is in test_never_normalized."""

import copy
import itertools
import json

import pytest

from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.normalize import RULES, Answer, normalize, rules_in
from pytest_imagedetail.normalize.values import REFERENCES
from pytest_imagedetail.record.importing import import_body
from pytest_imagedetail.settings import PROFILES
from unit import OTHER_PROJECT, PROJECT, image_of, listing_of, snapshot_of, without

COMPUTE = "https://compute.a.invalid"
SIZE = "OS-EXT-IMG-SIZE:size"
UUIDS = [f"70a599e0-0777-4b49-8b26-{number:012}" for number in range(8)]
SERVERS = "9168b536-cd40-4630-b43f-b259807c6e87", "9168b536-cd40-4630-b43f-b259807c6e88"


def normalized(*images, profile, **answer):
    return normalize(Answer(images=images, status_code=200, **answer), profile)


def href_after(href, profile, rel="self", id_="70a599e0-0001"):
    image = {"id": id_, "links": [{"rel": rel, "href": href}]}
    found = normalized(image, profile=profile)
    counts = {rule for rule, count in found.counts.items() if count and rule not in {"R6", "R13"}}
    return found.images[0]["links"][rel]["href"], counts


def test_rules_are_data():
    """Wider profiles only add rules, and no rule changes the answer itself."""
    assert [rule.id for rule in RULES] == [f"R{number}" for number in range(1, len(RULES) + 1)]
    assert all(rule.name and rule.does and rule.reason and rule.source for rule in RULES)
    assert [rule.id for rule in RULES if rule.counts is None] == ["R4"]
    for narrower, wider in itertools.pairwise(PROFILES):
        assert set(rules_in(narrower)) < set(rules_in(wider))
    with pytest.raises(UsageError) as caught:
        normalized(image_of(), profile="strict")
    assert str(caught.value) == (
        "unknown profile 'strict'\n  next:  known: wire, same-cloud, cross-version, cross-cloud"
    )
    image = snapshot_of(metadata={"rax_x": "1", "owner_id": PROJECT})
    beside = {"images_links": [{"rel": "next", "href": f"{COMPUTE}/v2/{PROJECT}/images?limit=1"}]}
    before = copy.deepcopy((image, beside))
    for profile in PROFILES:
        normalized(image, profile=profile, top_level=beside, media_types=("application/xml",))
        assert (image, beside) == before
    found, hosts = normalized(image, profile="wire"), json.dumps(image)
    for role in ("compute", "image"):  # under wire only hosts lose the cloud's name
        hosts = hosts.replace(f"https://{role}.a.invalid", f"<{role}>")
    assert (found.images, found.counts) == ((json.loads(hosts),), {})


def test_links():
    """Own id (R1), host (R2), project (R3) and version (R7). Anything else stays."""
    own, other = "70a599e0-0001", f"http://h/v2/{OTHER_PROJECT}/images/x"
    for href, after, *rules in (
        (f"http://h/images/{own}", "http://h/images/<id>", "R1"),
        ("http://h/images/other", "http://h/images/other"),
        (f"http://[x/images/{own}", "http://[x/images/<id>", "R1"),
        (f"http://h/v2/{PROJECT}/images/x", "http://h/v2/<project>/images/x", "R3"),
        (f"{COMPUTE}/images/x", "<compute>/images/x", "R2"),
        ("https://image.a.invalid/images/x", "<image>/images/x", "R2"),
        (f"{COMPUTE}/images/{own}?a=1", f"<compute>/images/{own}?a=1", "R2"),
        (f"{COMPUTE}/?x=https://image.a.invalid/x", "<compute>/?x=<image>/x", "R2"),
        (f"{COMPUTE}/?x=https%3A%2F%2Fimage.a.invalid%2F", "<compute>/?x=%3Cimage%3E%2F", "R2"),
        (f"{COMPUTE}/?x=image.a.invalid", "<compute>/?x=<image host>", "R2"),
    ):
        rel = "alternate" if after.startswith("<image>") else "self"
        assert href_after(href, "same-cloud", rel) == (after, {*rules}), href
    for version in ("v1.1", "v2", "v2.0", "v2.1", "compute/v2.1", "a/b/v2"):
        href = f"http://h/{version}/images/x"
        assert href_after(href, "cross-version") == ("http://h/<v>/images/x", {"R7"})
        assert href_after(href, "same-cloud") == (href, set())
    assert all(OTHER_PROJECT in href_after(other, profile)[0] for profile in PROFILES[1:])
    image = snapshot_of(server="", id="")
    links = normalized(image, profile="same-cloud").images[0]["server"]["links"]
    assert all(each["href"].endswith("servers/<server>") for each in links.values())


def test_r2_own_hosts_anywhere():
    """In a name, in a key, in metadata of any depth."""

    def said(cloud, url="https://image.{}.invalid/x"):
        url = url.format(cloud)
        described = {"at": url, "block": [{"at": f"see {url}, {url}"}], url: 1}
        snapshot = snapshot_of(1, metadata=described, name=url)
        server = {"id": url, url: 1, "server": url, "links": []}
        return listing_of({**snapshot, url: url, "server": server})

    for profile in PROFILES:
        assert compare(said("a"), said("b"), profile=profile).same, profile
    for url in ("https://image.{}.invalid.example", "https://image.{}.invalid-x", "x.{}.example"):
        assert not compare(said("a", url), said("b", url), profile="cross-cloud").same, url


def test_r2_compute_has_one_host():
    def shown(*hosts, rel="self"):
        images = [
            image_of(number, links=[{"rel": rel, "href": f"https://{host}.invalid/images/1"}])
            for number, host in enumerate(hosts)
        ]
        found = listing_of(*images).normalized("same-cloud").images
        return [each["links"][rel]["href"].split("/")[0] for each in found]

    own, another, second = "<compute>", "<another compute>", "compute-links.a"
    assert shown(second, second) == [own] * 2
    assert shown("compute.a", second, second, "compute.a") == [own, another, another, own]
    assert shown("image.a", second, "compute.a") == ["<image>", own, another]


def test_r2_links_that_lead_elsewhere():
    """One relation or image, another host, scheme or port; but any host of Glance is right."""

    def saved(own="https://nova.acme.example", bookmark="", glance="https://glance{}.acme.example"):
        images = []
        for number in (1, 2):
            hosts = {"self": own, "bookmark": bookmark or own, "alternate": glance}
            links = [{"rel": rel, "href": url} for rel, url in hosts.items()]
            image = image_of(number, links=links)
            for link in links:
                link["href"] = f"{link['href'].format(number)}/images/{image['id']}"
            images.append(image)
        body = json.dumps({"images": images}).encode()
        return import_body(body, cloud="a", where="saved.json").listing

    for wrong in (
        {"bookmark": "https://evil.example"},
        {"bookmark": "https://evil{}.example"},
        {"bookmark": "http://nova.acme.example"},
        {"own": "https://10.0.0.5", "bookmark": "https://nova.acme.example"},
        {"own": "https://nova{}.acme.example"},
        {"glance": "http://glance{}.acme.example"},
        {"glance": "https://glance{}.acme.example:9292"},
    ):
        for profile in PROFILES:
            found = compare(saved(), saved(**wrong), profile=profile)
            assert {each.kind for each in found.breaking} >= {"link_changed"}, (profile, wrong)
    assert compare(saved(), saved(glance="https://g{}.example"), profile="wire").same


def test_r2_links_that_no_longer_lead_to_the_endpoint():
    """A configured prefix, or a wrong one: no client breaks, but it is said."""
    old, new = (
        listing_of(image_of(links=[{"rel": "self", "href": f"https://{role}.a.invalid/images/1"}]))
        for role in ("compute", "compute-links")
    )
    for profile in PROFILES[1:]:
        (found,) = compare(old, new, profile=profile).differences
        assert (found.severity, found.path) == ("compatible", "images[*].links")
        assert old != new


def next_hrefs(*hrefs, images=(), profile="same-cloud", **facts):
    links = [{"rel": "next", "href": href} for href in hrefs]
    beside = {"images_links": links}
    found = normalized(*images, profile=profile, top_level=beside, **{"limit": "2", **facts})
    return [each["href"] for each in found.top_level["images_links"]]


def test_r5_next_link():
    """Host, page size and own marker go. Path, filters, another size and another marker stay."""
    images = image_of(1), image_of(2)
    href = f"{COMPUTE}/v2/{PROJECT}/images/detail?marker={{}}&status=active&limit=2"
    one, two = (href.format(image["id"]) for image in images)
    after = "<compute>/v2/<project>/images/detail?limit&marker&status=active"
    assert next_hrefs(one, images=images) == [after]
    assert next_hrefs(one, two, images=images) == [after]  # of two pages
    assert next_hrefs(one, one, images=images) == [after] * 2  # one page sent it twice
    assert next_hrefs(one, two, one, images=images) == [after] * 2
    (other,) = next_hrefs(href.format("7"), images=images)
    assert other.endswith("?limit&marker=7&status=active")
    for limit in (None, "1"):
        (other,) = next_hrefs(one, images=images, limit=limit)
        assert other.endswith("?limit=2&marker&status=active")
    part = [next_hrefs(each, images=images, complete=False) for each in (one, two)]
    assert ["marker&" in each for (each,) in part] == [False, True]
    for query in ("name=Z%FC", "a=1#b", "name=\ud800"):
        href = f"{COMPUTE}/images/detail?{query}"
        assert next_hrefs(href) == [f"<compute>/images/detail?{query}"]


def test_r6_link_order():
    """Links are keyed by relation. A value that is not an object stays."""
    two = [{"rel": "bookmark", "href": "x"}, {"rel": "bookmark", "href": "y"}]
    image = {"id": "1", "links": [*two, {"rel": "self", "href": "z", "type": "t"}]}
    found = normalized(image, profile="same-cloud")
    assert found.images[0]["links"] == {
        "bookmark": [{"href": "x"}, {"href": "y"}],
        "self": {"href": "z", "type": "t"},
    }
    for field, value in itertools.product(("server", "metadata", "links"), (None, "None", [1], 7)):
        found = normalized({"id": "1", field: value}, profile="cross-cloud")
        assert found.images[0][field] == value


def test_r9_date_form():
    """The same second in every spelling. Text that is not a date stays."""
    for date, after in (
        ("2010-10-10T07:00:00-05:00", "2010-10-10T12:00:00Z"),
        ("2010-10-10T12:00:00", "2010-10-10T12:00:00Z"),
        ("2010-10-10 12:00:00.123456", "2010-10-10T12:00:00Z"),
        ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00Z"),
        *((same, same) for same in ("1972-01-01_15-59-11", "2010-13-10T12:00:00Z", "2010-10-10")),
        *((same, same) for same in ("0001-01-01T00:00:00+09:00", "", None, 1286712000)),
    ):
        image = {"id": "1", "created": date, "updated": date}
        found = normalized(image, profile="cross-version")
        assert found.images[0] == {"id": "1", "created": after, "updated": after}
        assert found.counts["R9"] == 2 * (date != after)
        assert normalized(image, profile="same-cloud").images[0]["created"] == date


def test_r13_and_r14_name_what_both_sides_have():
    """An additional image or key on one side renames nothing."""

    def images(*users, cloud="a", **more):
        return [
            image_of(number, cloud, metadata={"user_id": f"{user:032x}", **more})
            for number, user in enumerate(users, start=1)
        ]

    here = listing_of(*images(1, 1, 2, 3))
    head = images(9, cloud="b")[0] | {"id": image_of(9)["id"], "name": "head"}
    for users, changed in (
        ((4, 4, 5, 6), []),
        ((4, 4, 4, 6), [3]),
        ((6, 6, 6, 6), [3, 4]),
    ):
        for there in (
            [head, *images(*users, cloud="b")],
            images(*users, cloud="b", owner_id=f"{4:032x}", server=SERVERS[0]),
        ):
            found = compare(here, listing_of(*there, cloud="b"), profile="cross-cloud").differences
            assert [each.path for each in found if each.kind == "value_changed"] == [
                f"images[{image_of(number)['id']}].metadata.user_id" for number in changed
            ]


def test_r13_references_to_images():
    """To a listed image or, if they are equal in the same places, to another one."""
    for key in REFERENCES:
        here, there = (
            listing_of(
                image_of(1, cloud, id=ids[0]),
                image_of(2, cloud, id=ids[1], metadata={key: ids[0]}),
                image_of(3, cloud, id=ids[2], metadata={key: ids[3]}),
                cloud=cloud,
            )
            for cloud, ids in {"a": UUIDS[:4], "b": UUIDS[4:]}.items()
        )
        assert compare(here, there, profile="cross-cloud").same, key
        assert not compare(here, there, profile="cross-version").same, key


def test_r15_vendor_namespaces():
    """A vendor's keys are compared with the same vendor's. Keys of one side only are listed."""
    rackspace, other, *others = (
        listing_of(image_of(metadata={key: value, "os_type": "x"}))
        for key, value in (("rax_a", "1"), ("rax_a", "2"), ("hp_b", "1"), ("sync_status_c", "1"))
    )
    (found,) = compare(rackspace, other, profile="cross-cloud").differences
    assert (found.kind, found.any_image) == ("value_changed", "images[*].metadata.rax_a")
    for side, key in zip(others, ("hp_b", "sync_status_c"), strict=True):
        added, removed = compare(rackspace, side, profile="cross-cloud").differences
        assert (added.kind, added.path) == ("vendor_added", "images[*].metadata")
        assert (added.candidate, removed.kind) == ([key], "vendor_removed")
        assert removed.baseline == ["rax_a"]
    assert rackspace.normalized("cross-cloud").counts["R15"] == 1


def test_r11_what_a_release_never_had():
    """It is not offered and counts for each image. The declared release decides, not the answer."""
    whole = [image_of(number) for number in (1, 2)]
    part = [without(image, "links", 2) for image in whole]
    newer, older = listing_of(*whole, release="essex"), listing_of(*part, release="diablo")
    for sides, more in (((older, newer), ""), ((newer, older), "; the baseline's release has")):
        for profile in PROFILES[2:]:
            found = compare(*sides, profile=profile)
            (difference,) = found.differences
            assert difference.reason == f"not offered: diablo never had it{more}"
            assert found.normalization["R11"] == 2
    assert compare(newer, listing_of(*part)).normalization["R11"] == 0


def test_r13_ids_in_values():
    """The own id becomes `<id>` in metadata, but only a whole id that is no ordinary text."""
    image = image_of()
    id_ = image["id"]
    image["metadata"] = {"text": f"image_id={id_}.", "part": f"x{id_}", "n": 1, "null": None}
    counted = {"id": "1361", "metadata": {"text": "1361"}}
    undashed = {"id": "7" * 32}
    found = normalized(image, counted, undashed, profile="cross-cloud").images
    assert found[0]["metadata"] == image["metadata"] | {"text": "image_id=<id>."}
    assert [each["id"] for each in found] == ["<id>", "counted <id>", "<id> without dashes"]
    assert found[1]["metadata"] == {"text": "1361"}
