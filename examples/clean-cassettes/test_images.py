"""What our tool asks a cloud, replayed from a cassette that was scrubbed."""

import pytest
import requests

URL = "http://nova.example.com:8774/v2.1/images/detail"

pytestmark = pytest.mark.imagedetail("staging")


def test_active(imagedetail_cassette):
    images = requests.get(f"{URL}?status=ACTIVE", headers={"X-Auth-Token": "any"}).json()["images"]
    assert {each["status"] for each in images} == {"ACTIVE"}


@pytest.mark.imagedetail("staging", cassette="test_names/test_cirros")
def test_by_name(imagedetail_cassette):
    (image,) = requests.get(f"{URL}?name=cirros-base").json()["images"]
    assert image["metadata"]["admin_password"] == "<redacted>"
