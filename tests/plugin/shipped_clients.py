"""Clients as their users write them; each test runs against nine shipped releases."""

import openstack
import pytest
import requests
from keystoneauth1 import adapter, session
from keystoneauth1.identity import v3
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider
from novaclient import client

pytestmark = pytest.mark.imagedetail("nova-*")

KEYSTONE = "https://keystone.example.com:5000/v3"
URL = "https://nova.example.com:8774/v2.1/images/detail"
HEADERS = {"X-Auth-Token": "of-my-own-cloud"}
LOGIN = {
    "username": "me",
    "password": "secret",
    "user_domain_id": "default",
    "project_name": "mine",
    "project_domain_id": "default",
}
IMAGES = 14
ACTIVE = 8


def test_requests_follows_next_links(imagedetail_cassette):
    url, images = f"{URL}?limit=5", []
    while url:
        page = requests.get(url, headers=HEADERS).json()
        images += page["images"]
        url = next((each["href"] for each in page.get("images_links", ())), None)
    assert images == requests.get(URL, headers=HEADERS).json()["images"]


def test_keystoneauth1(imagedetail_cassette):
    auth = session.Session(v3.Password(KEYSTONE, **LOGIN))
    compute = adapter.Adapter(auth, service_type="compute")
    assert len(compute.get("/images/detail").json()["images"]) == IMAGES


def test_openstacksdk(imagedetail_cassette):
    cloud = openstack.connect(auth_url=KEYSTONE, **LOGIN)
    assert len(list(cloud.compute.images(details=True))) == IMAGES
    assert len(list(cloud.compute.images(details=True, limit=5))) == IMAGES
    assert len(cloud.compute.get("/images/detail?status=ACTIVE").json()["images"]) == ACTIVE


def test_novaclient(imagedetail_cassette):
    nova = client.Client("2", "me", "secret", "mine", KEYSTONE)
    images = nova.images.list()
    assert len(images) == IMAGES
    for each in images:
        assert nova.images.get(each.id).to_dict() == each.to_dict()
    paged = page = nova.images.list(limit=5)
    while page:
        page = nova.images.list(limit=5, marker=page[-1].id)
        paged += page
    assert paged == images


def test_libcloud(imagedetail_cassette):
    driver = get_driver(Provider.OPENSTACK)(
        "me",
        "secret",
        ex_force_auth_url=KEYSTONE,
        ex_force_auth_version="3.x_password",
        ex_tenant_name="mine",
    )
    images = driver.list_images()
    assert len(images) == ACTIVE  # libcloud leaves the others out
    assert driver.get_image(images[0].id).name == images[0].name
