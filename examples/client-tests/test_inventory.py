"""The inventory works with every Nova from 2019.1 to 2026.2."""

import inventory
import pytest

pytestmark = pytest.mark.imagedetail("nova-*")


def test_inventory(imagedetail_cassette):
    """The shipped releases list 14 images, of which 8 can be used."""
    cloud = inventory.connect("https://keystone.example.com", "me", "secret", "mine")
    found = list(inventory.lines(cloud))
    assert len(found) == 8
    assert "cirros-base  64 MiB  image" in found
    assert any(line.endswith("snapshot") for line in found)


def test_no_image_is_lost_on_the_way(imagedetail, imagedetail_cassette):
    """What libcloud shows is what Nova listed as active."""
    cloud = inventory.connect("https://keystone.example.com", "me", "secret", "mine")
    listing = imagedetail[imagedetail_cassette.cloud].list()
    active = {each["id"] for each in listing.images if each["status"] == "ACTIVE"}
    assert {each.id for each in cloud.list_images()} == active
