"""The secrets that OpenStack's files and variables hold, read without logging in or openstacksdk.

A test's own client may log in with any of them, in this process or in another.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.clouds.files import refuse_broken
from pytest_imagedetail.redact.shapes import is_distinct, is_harmless

_SECRET: Final = re.compile(
    r"passw|passcode|^code$|code_verifier|secret|token|receipt|(private|access|consumer)_key"
)
_NO_SECRET: Final = re.compile(r"url|endpoint|type|method")  # `access_token_endpoint` is an address
_SECRET_IDS: Final = ("application_credential_id", "trust_id")  # who asks, like user and project

_VARIABLES: Final = {"clouds": "OS_CLIENT_CONFIG_FILE", "secure": "OS_CLIENT_SECURE_FILE"}
_SUFFIXES: Final = (".yaml", ".yml", ".json")


def is_secret(name: str) -> bool:
    """Whether a key of clouds.yaml names a password, a token or the like."""
    return name in _SECRET_IDS or bool(_SECRET.search(name) and not _NO_SECRET.search(name))


def configured(os_cloud: str) -> frozenset[str]:
    """Every secret that clouds.yaml, secure.yaml and the `OS_*` variables hold.

    Those of other clouds are among them, but for what is a word and may stand elsewhere by right.

    Args:
        os_cloud: The cloud that is asked; the files need not know it.

    Raises:
        CredentialsError: A file is broken, so nobody knows what must not be written.
    """
    variables = {name[3:].lower(): text for name, text in os.environ.items() if name[:3] == "OS_"}
    found = set(_in(variables))
    for path in filter(None, map(_file, _VARIABLES)):
        refuse_broken(path)
        document = yamltext.read(path, error=CredentialsError, remedy="") or {}
        for name, section in (document.get("clouds") or {}).items():
            values = _in(section)
            found.update(values if name == os_cloud else filter(is_distinct, values))
    return frozenset(each for each in found if not is_harmless(each))


def _file(kind: str) -> Path | None:
    """The file that counts: the first that is there and may be read."""
    named = os.environ.get(_VARIABLES[kind])
    paths = [folder / f"{kind}{suffix}" for folder in _folders() for suffix in _SUFFIXES]
    searched = [Path(named), *paths] if named else paths
    return next((path for path in searched if path.is_file() and os.access(path, os.R_OK)), None)


def _folders() -> tuple[Path, ...]:
    """Where openstacksdk looks, on Linux and on macOS."""
    home = Path("~").expanduser()
    own = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return (
        Path.cwd(),
        own / "openstack",
        home / ".config/openstack",
        home / "Library/Application Support/openstack",
        Path("/etc/xdg/openstack"),
        Path("/etc/openstack"),
    )


def _in(section: Any) -> Iterator[str]:
    """The secrets of a section, however deep they stand."""
    pending: list[tuple[str, Any]] = [("", section)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((str(key), each) for key, each in value.items())
        elif isinstance(value, list):
            pending.extend((name, each) for each in value)
        elif isinstance(value, str | int) and not isinstance(value, bool) and is_secret(name):
            yield str(value)
