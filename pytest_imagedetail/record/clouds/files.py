"""Finds a credential file that is broken, before openstacksdk passes it over; quotes no value."""

import json
import os
from pathlib import Path
from typing import Any

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import CredentialsError


def refuse_unreadable() -> None:
    """Raise if a file is broken that openstacksdk would pass over, to read another in its stead.

    Raises:
        CredentialsError: A file of the search path or of the environment is not there, cannot be
            read or holds something else.
    """
    from openstack.config import loader  # noqa: PLC0415

    for variable, searched in (
        ("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
        ("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
    ):
        named = os.environ.get(variable)
        if named and not Path(named).exists():
            raise CredentialsError(
                f"{variable} names a file that is not there",
                where=named,
                remedy=f"correct {variable}, or unset it: then the usual folders are searched",
            )
        paths = [Path(each) for each in ([named] if named else searched)]
        path = next((path for path in paths if path.exists()), None)
        if path is None:
            continue
        refuse_broken(path, variable)


def refuse_broken(path: Path, variable: str = "OS_CLIENT_CONFIG_FILE") -> None:
    """Raise if a credential file cannot be read or holds something else.

    Args:
        path: The file.
        variable: What names another one.

    Raises:
        CredentialsError: It is broken.
    """
    where, problem, remedy = _fault(path, variable)
    if problem:
        raise CredentialsError(problem, where=where, remedy=remedy)


def _fault(path: Path, variable: str) -> tuple[str, str, str]:
    """Where a file is broken, how, and what to do; the problem is empty if it is not.

    No value is quoted, and no error is kept that has one in its frames.
    """
    correct = "correct it; quote a password that is more than letters and digits"
    try:
        text = path.read_bytes()
        if path.suffix == ".json":
            document = json.loads(text)
        else:
            document = yamltext.read(path, error=CredentialsError, remedy="")
    except OSError as error:
        remedy = f"make it a file that you may read, or name another one in {variable}"
        return str(path), f"it cannot be read: {error.strerror}", remedy
    except ValueError:
        return str(path), "the file is no JSON", correct
    except CredentialsError as error:  # its problem may quote: `password: *word` is an alias
        return error.where, "the file is no YAML", correct
    if document is not None and not _has_clouds(document):
        problem = "the file has no `clouds:` with each cloud below it under its name"
        return str(path), problem, correct
    return str(path), "", ""


def _has_clouds(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("clouds", {}), dict)
