"""What a user may put into an image's properties is `data`: no release promises it."""

import itertools
from copy import deepcopy

from unit import image_of, listing_of, snapshot_of

from pytest_imagedetail.compare import compare
from pytest_imagedetail.settings import LEVELS, PROFILES

SERVERS = (
    *("9168b536-cd40-4630-b43f-b259807c6e87", "i-0abc", "", "a/b", "x?y=1", "x#y", "/a/", "a b"),
    *("日本", "../../images/1", "servers", "servers/1", "0" * 32, "123", "%2F", "http://e/v", "\t"),
)
DECODED = (None, True, 1, 1.5, "x", [], [1], {}, {"a": None}, [{"virtual": 1}], [None])
WAYS = tuple(itertools.product(LEVELS, PROFILES))


def taken_from(server):
    """A snapshot with this instance_uuid, as Nova sends it."""
    image = snapshot_of(1)
    image["metadata"]["instance_uuid"] = server
    base = "https://compute.a.invalid"
    image["server"] = {
        "id": server,
        "links": [
            {"rel": "self", "href": f"{base}/v2.1/servers/{server.strip('/')}"},
            {"rel": "bookmark", "href": f"{base}/servers/{server.strip('/')}"},
        ],
    }
    return image


def check(old, new):
    """No difference of two images breaks, in whatever way they are compared."""
    sides = [listing_of(each, release="2026.2") for each in (old, new)]
    for level, profile in WAYS:
        comparison = compare(*sides, level=level, profile=profile)
        assert not comparison.breaking, (level, profile, comparison.breaking)


def test_instance_uuid_is_any_text():
    """Nova copies it to the id and the links of the server, which comes and goes with it."""
    for one, other in itertools.permutations(SERVERS, 2):
        check(taken_from(one), taken_from(other))
    lost = taken_from("x")
    del lost["server"]
    check(taken_from("x"), {**lost, "metadata": {**lost["metadata"], "instance_uuid": None}})


def test_decoded_properties_are_any_json():
    """Nova decodes two properties, so they have whatever type their owner wrote."""
    for key in ("mappings", "block_device_mapping"):
        for one, other in itertools.permutations(DECODED, 2):
            check(image_of(metadata={key: one}), image_of(metadata={key: other}))
        for value in DECODED:
            with_it, without = image_of(metadata={key: value}), image_of(metadata={})
            check(with_it, without)
            check(without, with_it)


def test_a_server_link_that_names_another_server_breaks():
    """What the user wrote is in `server.id`; the link of Nova's says the same."""
    old = taken_from("i-0abc")
    new = deepcopy(old)
    for link in new["server"]["links"]:
        link["href"] = link["href"].replace("i-0abc", "other")
    for level, profile in WAYS:
        if profile != "wire":  # knows of no own id
            found = compare(listing_of(old), listing_of(new), level=level, profile=profile)
            assert found.breaking, (level, profile)


def test_a_prefix_of_links_is_compatible():
    """`compute_link_prefix` and `glance_link_prefix` with a path, both ways."""

    def prefixed(compute, glance):
        image = image_of(1)
        for link in image["links"]:
            path = glance if link["rel"] == "alternate" else compute
            link["href"] = link["href"].replace(".invalid/", f".invalid{path}/")
        return listing_of(image, image_of(2) | {"links": other_links(image)}, release="2026.2")

    def other_links(image):
        one, two = image["id"], image_of(2)["id"]
        return [{**link, "href": link["href"].replace(one, two)} for link in image["links"]]

    plain = prefixed("", "")
    for paths in (("/compute", ""), ("", "/glance"), ("/compute", "/a/b"), ("/x/y", "/images")):
        for level in LEVELS:
            for profile in ("cross-version", "cross-cloud"):
                for sides in ((plain, prefixed(*paths)), (prefixed(*paths), plain)):
                    comparison = compare(*sides, level=level, profile=profile)
                    severities = {each.severity for each in comparison.differences}
                    assert severities == {"compatible"}, (paths, comparison.differences)
