"""Read the secrets in OpenStack's files and variables, without openstacksdk.

A test's own client may log in with any of them.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.redact import names
from pytest_imagedetail.redact.known import is_searchable

_ALSO_SECRET: Final = frozenset({"application_credential_id", "code", "trust_id"})

_VARIABLES: Final = {"clouds": "OS_CLIENT_CONFIG_FILE", "secure": "OS_CLIENT_SECURE_FILE"}
_SUFFIXES: Final = (".yaml", ".yml", ".json")


def is_secret(name: str) -> bool:
    """Return whether a key of clouds.yaml names a secret."""
    return name in _ALSO_SECRET or names.names_secret(name)


def configured(os_cloud: str) -> frozenset[str]:
    """Return the secrets in clouds.yaml, secure.yaml and the `OS_*` variables.

    Those of other clouds are included, except ordinary words, which may occur elsewhere.

    Args:
        os_cloud: The cloud that is used; it need not be in the files.

    Raises:
        CredentialsError: A file is broken.
    """
    variables = {name[3:].lower(): text for name, text in os.environ.items() if name[:3] == "OS_"}
    found = set(secrets_in(variables))
    for path in filter(None, map(_file, _VARIABLES)):
        for name, section in clouds_in(path).items():
            values = secrets_in(section)
            found.update(values if name == os_cloud else filter(is_searchable, values))
    return frozenset(each for each in found if not names.is_harmless(each))


def clouds_in(path: Path, variable: str = "OS_CLIENT_CONFIG_FILE") -> dict[Any, Any]:
    """Return the clouds of a credential file.

    Args:
        path: The file.
        variable: The environment variable that names another file.

    Raises:
        CredentialsError: It is broken. No value is quoted, and no error is chained that has one in
            its frames.
    """
    where, remedy = str(path), "correct it; quote a password that is more than letters and digits"
    try:
        return _clouds_in(path)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        remedy = f"make it a readable file, or name another one in {variable}"
    except ValueError:
        problem = "the file is not valid JSON"
    except TypeError:
        problem = "the file has no `clouds:` with each cloud below it under its name"
    except CredentialsError as error:
        problem, where = "the file is not valid YAML", error.where
    raise CredentialsError(problem, where=where, remedy=remedy)


def _clouds_in(path: Path) -> dict[Any, Any]:
    text = path.read_bytes()
    if path.suffix == ".json":
        document = json.loads(text)
    else:
        document = yamltext.read(path, error=CredentialsError, remedy="")
    document = {} if document is None else document
    clouds = document.get("clouds", {}) if isinstance(document, dict) else None
    if not isinstance(clouds, dict):
        raise TypeError
    return clouds


def _file(kind: str) -> Path | None:
    """Return the file that openstacksdk reads: the first that is readable."""
    named = os.environ.get(_VARIABLES[kind])
    paths = [folder / f"{kind}{suffix}" for folder in _folders() for suffix in _SUFFIXES]
    searched = [Path(named), *paths] if named else paths
    return next((path for path in searched if path.is_file() and os.access(path, os.R_OK)), None)


def _folders() -> tuple[Path, ...]:
    """Return the folders that openstacksdk searches, on Linux and on macOS."""
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


def secrets_in(section: Any) -> Iterator[str]:
    """Yield the secrets of a section, at any depth."""
    pending: list[tuple[str, Any]] = [("", section)]
    while pending:
        name, value = pending.pop()
        if isinstance(value, dict):
            pending.extend((str(key), each) for key, each in value.items())
        elif isinstance(value, list):
            pending.extend((name, each) for each in value)
        elif isinstance(value, str | int) and not isinstance(value, bool) and is_secret(name):
            yield str(value)
