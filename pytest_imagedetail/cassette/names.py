"""File names that never collide, on any file system, by case or by length."""

import hashlib
import re
from pathlib import PurePosixPath
from typing import Final

from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Query

_CLOUD_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_SAFE: Final = re.compile(r"[a-z0-9.=_+@-]+")
_UNSAFE: Final = re.compile(r"[^a-z0-9.=_+@-]+")
_HASHED: Final = re.compile(r".*-[0-9a-f]{8}")
_MAX_LENGTH: Final = 80
SHARED: Final = ".d"
"""The ending of folders that tests share."""
TRAFFIC: Final = "tests"
"""The folder of tests' own traffic, below a cloud's."""
CHECK: Final = "check"
"""The traffic of the checks, as `record --suite check` writes it."""
CLIENTS: Final = "clients"
"""The traffic that `serve --record` adds besides listings; it belongs to no test."""


def check_cloud_name(name: str) -> str:
    """Return the name if it can be a folder and part of a host name; raise UsageError if not."""
    if not _CLOUD_NAME.fullmatch(name) or ".." in name:
        raise UsageError(
            f"{name!r} cannot be the name of a cloud",
            where="a cloud's name is a folder of its cassettes and part of its placeholder hosts",
            remedy="use letters, digits, dots, hyphens and underscores, 63 at most, "
            "for example nova-2026.2",
        )
    return name


def file_name(query: Query) -> str:
    """Name the cassette of a query: `all.yaml`, `limit=3.yaml`, `all@2.35.yaml`.

    A name shows the query as far as every file system allows. If it cannot show all of it
    (capitals, other characters, length), eight digits of the query's hash make it unique, as in
    `name=a-1c5e7ab2.yaml`.
    """
    version = "" if query.microversion is None else f"@{query.microversion}"
    exact = ("+".join(f"{name}={value}" for name, value in query.params) or "all") + version
    parts = (*(part for pair in query.params for part in pair), version[1:])
    is_ambiguous = any(mark in part for part in parts for mark in "+=@")
    if _is_plain(exact) and not is_ambiguous:
        return f"{exact}.yaml"
    return f"{_hashed(exact, query.wire + version)}.yaml"


def traffic_name(test: str, *, shared: str | None = None) -> PurePosixPath:
    """Return the path of a test's own traffic, below its cloud's folder.

    `tests/test_k8s.py::test_images` is kept in `tests/tests/test_k8s/test_images.yaml`, or, if it
    shares the folder `inventory`, in `tests/inventory.d/tests/test_k8s/test_images.yaml`. They
    cannot collide: no module's folder ends in `.d`. The read-only file `old/list` is
    `tests/old/list.yaml`, so pytest-recording's cassettes become those of their tests.
    """
    module, is_test, rest = test.partition("::")
    if not is_test:
        *folders, last = test.split("/")
        plain = last.partition("[")[0]
        exact = plain.replace(".", "::") + last.removeprefix(plain)  # of TestA.test_b[1]
        return PurePosixPath(TRAFFIC, *map(_component, folders), f"{_component(last, exact)}.yaml")
    *folders, file = module.split("/")
    # Other suffixes are kept, so that test.py and test.txt differ.
    stem = file.removesuffix(".py") if file.endswith(".py") else f"{file}/"
    plain, bracket, parameters = rest.partition("[")
    name = plain.replace("::", ".")
    is_exact = not bracket and "." not in plain and _is_plain(name)
    last = name if is_exact else _hashed(f"{name}{bracket}{parameters}", rest)
    folder = [TRAFFIC] if shared is None else [TRAFFIC, shared_folder(shared)]
    return PurePosixPath(*folder, *map(_component, [*folders, stem]), f"{last}.yaml")


def shared_folder(name: str) -> str:
    """Return the name of a folder that tests share, below the cloud's `tests`."""
    return f"{_component(name)}{SHARED}"


def _component(name: str, exact: str = "") -> str:
    return name if _is_plain(name) and "." not in name else _hashed(name, exact or name)


def _is_plain(name: str) -> bool:
    """Return whether a name is safe on every file system and cannot be taken for a hashed one."""
    return (
        _SAFE.fullmatch(name) is not None
        and _HASHED.fullmatch(name) is None
        and len(name) <= _MAX_LENGTH
    )


def _hashed(name: str, exact: str) -> str:
    digest = hashlib.sha256(exact.encode("utf-8", errors="surrogatepass")).hexdigest()[:8]
    slug = _UNSAFE.sub("_", name.lower())[:_MAX_LENGTH].strip("._-+=@") or "other"
    return f"{slug}-{digest}"
