"""The clouds.yaml files through which everybody else, openstacksdk first, finds the clouds."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from .identity import REGION
from .layout import Layout
from .releases import Release
from .state import State

# The suffix of the cloud's name, by user; each user works in the project of the same name.
SUFFIXES = {"demo": "", "other": "-other", "admin": "-admin"}


def write(release: Release, layout: Layout, state: State) -> None:
    """Write the cloud's clouds.yaml."""
    clouds = {
        f"{release.cloud}{suffix}": {
            "auth": {
                "auth_url": f"{state.url('keystone')}/v3",
                "username": user,
                "password": state.passwords[user],
                "project_name": user,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "identity_api_version": 3,
        }
        for user, suffix in SUFFIXES.items()
    }
    _write(clouds, layout.clouds_yaml)


def merge(sources: Iterable[Path], target: Path) -> None:
    """Write one clouds.yaml that holds the clouds of several."""
    clouds: dict[str, object] = {}
    for source in sources:
        # Another process may be deleting a cloud at this moment.
        with suppress(FileNotFoundError):
            clouds |= yaml.safe_load(source.read_text(encoding="utf-8"))["clouds"]
    _write(clouds, target)


def _write(clouds: Mapping[str, object], target: Path) -> None:
    fresh = target.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump({"clouds": dict(clouds)}, file, sort_keys=False)
    fresh.replace(target)
