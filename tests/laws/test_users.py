"""Differences in properties that users write are `data`, never breaking."""

import itertools

from unit import changed, image_of, listing_of, snapshot_of, without

from pytest_imagedetail.compare import compare
from pytest_imagedetail.settings import LEVELS, PROFILES

SERVERS = (
    *("9168b536-cd40-4630-b43f-b259807c6e87", "i-0abc", "", "a/b", "x?y=1", "x#y", "/a/", "a b"),
    *("日本", "../../images/1", "servers", "servers/1", "0" * 32, "123", "%2F", "http://e/v", "\t"),
)
WAYS = tuple(itertools.product(LEVELS, PROFILES))


def taken_from(server):
    """Return a snapshot with this instance_uuid, without slashes around it in links, as in Nova."""
    image = snapshot_of(server=server.strip("/"))
    image["metadata"]["instance_uuid"] = image["server"]["id"] = server
    return image


def check(old, new):
    """Assert that no difference between two images is breaking, at any level and profile."""
    sides = [listing_of(each, release="2026.2") for each in (old, new)]
    for level, profile in WAYS:
        comparison = compare(*sides, level=level, profile=profile)
        assert not comparison.breaking, (level, profile, comparison.breaking)


def test_instance_uuid_is_any_text():
    """Nova copies it into the id and links of `server`, which exists only with it."""
    for one, other in itertools.permutations(SERVERS, 2):
        check(taken_from(one), taken_from(other))
    lost = without(taken_from("x"), "server")
    check(taken_from("x"), changed(lost, "metadata", "instance_uuid", to=None))


def test_a_server_link_that_names_another_server_breaks():
    """Nova makes the link from `server.id`, so both must agree."""
    old = taken_from("i-0abc")
    new = old | {"server": taken_from("other")["server"] | {"id": "i-0abc"}}
    for level, profile in WAYS:
        if profile != "wire":  # keeps ids in links
            found = compare(listing_of(old), listing_of(new), level=level, profile=profile)
            assert found.breaking, (level, profile)


def test_a_prefix_of_links_is_compatible():
    """Paths in `compute_link_prefix` and `glance_link_prefix` can come and go."""

    def prefixed(compute, glance):
        images = [image_of(number) for number in (1, 2)]
        for image, place in itertools.product(images, range(3)):
            link, path = image["links"][place], (compute, compute, glance)[place]
            link["href"] = link["href"].replace(".invalid/", f".invalid{path}/")
        return listing_of(*images, release="2026.2")

    plain = prefixed("", "")
    for paths in (("/compute", ""), ("", "/glance"), ("/compute", "/a/b"), ("/x/y", "/images")):
        sides = plain, prefixed(*paths)
        for level, profile in itertools.product(LEVELS, PROFILES[2:]):
            for old, new in (sides, sides[::-1]):
                comparison = compare(old, new, level=level, profile=profile)
                severities = {each.severity for each in comparison.differences}
                assert severities == {"compatible"}, (paths, comparison.differences)
