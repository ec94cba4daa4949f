"""Build and run a cloud."""

import secrets
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from . import configs, databases, identity, images, seed, services, venvs
from .cloud import Cloud
from .releases import RELEASES
from .rest import Rest

SUFFIXES = {"demo": "", "other": "-other", "admin": "-admin"}
"""The suffixes of the cloud's name by user. Each user's project has the user's name."""


@contextmanager
def running(series, report=lambda _: None):
    """Build a new cloud, run it, and delete it in the end."""
    with new(series, report) as cloud, services.serving(cloud):
        fill(cloud)
        yield cloud


@contextmanager
def new(series, report=lambda _: None):
    """Build an empty cloud without running it; see `running`."""
    release = RELEASES[series]
    report(f"nova {release.nova}: installing it (a minute, the first time)")
    environment = venvs.installed(release)
    with TemporaryDirectory(prefix=f"{release.cloud}-") as folder:
        users = ("admin", *identity.SERVICE_USERS, *identity.USERS)
        cloud = Cloud(
            release=release,
            environment=environment,
            folder=Path(folder),
            ports=services.free_ports(),
            passwords={user: secrets.token_hex(16) for user in users},
        )
        report("creating its databases and images")
        configs.write(cloud)
        databases.create(cloud)
        _write_clouds_yaml(cloud)
        yield cloud


def fill(cloud):
    """Create projects, users, the service catalog and images."""
    projects = identity.furnish(cloud)
    glance = Rest(f"{cloud.url('glance')}/v2", identity.token(cloud, "admin"))
    database = cloud.database("glance")
    seed.plant(images.IMAGES, glance=glance, projects=projects, database=database)


def _write_clouds_yaml(cloud):
    clouds = {
        f"{cloud.name}{suffix}": {
            "auth": {
                "auth_url": f"{cloud.url('keystone')}/v3",
                "username": user,
                "password": cloud.passwords[user],
                "project_name": user,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": identity.REGION,
            "identity_api_version": 3,
        }
        for user, suffix in SUFFIXES.items()
    }
    cloud.clouds_yaml.write_text(yaml.safe_dump({"clouds": clouds}), encoding="utf-8")
