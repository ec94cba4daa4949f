"""List the images of clouds with one of Python's clients; print cloud and ids as JSON lines.

Arguments: the client, and a clouds.yaml; every cloud of the file is asked.
"""

import json
import sys
from pathlib import Path

import openstack
import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3
from libcloud.compute.providers import get_driver
from libcloud.compute.types import Provider
from novaclient import client


def openstacksdk(auth):
    with openstack.connect(**auth) as cloud:
        return [each.id for each in cloud.compute.images(details=True)]


def novaclient(auth):
    nova = client.Client("2", session=session.Session(v3.Password(**auth)))
    return [each.id for each in nova.images.list()]


def libcloud(auth):
    """It leaves out what is not active."""
    driver = get_driver(Provider.OPENSTACK)(
        auth["username"],
        auth["password"],
        ex_force_auth_url=auth["auth_url"].removesuffix("/identity"),
        ex_force_auth_version="3.x_password",
        ex_tenant_name=auth["project_name"],
    )
    return [each.id for each in driver.list_images()]


if __name__ == "__main__":
    name, file = sys.argv[1:]
    clouds = yaml.safe_load(Path(file).read_text(encoding="utf-8"))["clouds"]
    for cloud, entry in clouds.items():
        sys.stdout.write(json.dumps([cloud, globals()[name](entry["auth"])]) + "\n")
