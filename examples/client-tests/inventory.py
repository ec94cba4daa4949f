"""Print the images that can be used: `python inventory.py AUTH_URL USER PASSWORD PROJECT`."""

import sys
from collections.abc import Iterator

from libcloud.compute.drivers.openstack import OpenStack_1_1_NodeDriver


def lines(driver: OpenStack_1_1_NodeDriver) -> Iterator[str]:
    """Yield one line for each usable image: name, minimal memory and where it is from."""
    for image in sorted(driver.list_images(), key=lambda each: each.name):
        origin = "snapshot" if image.extra["serverId"] else "image"
        yield f"{image.name}  {image.extra['minRam']} MiB  {origin}"


def connect(auth_url: str, user: str, password: str, project: str) -> OpenStack_1_1_NodeDriver:
    """Log in with Keystone v3."""
    return OpenStack_1_1_NodeDriver(
        user,
        password,
        ex_force_auth_url=auth_url,
        ex_force_auth_version="3.x_password",
        ex_tenant_name=project,
    )


if __name__ == "__main__":
    print("\n".join(lines(connect(*sys.argv[1:]))))
