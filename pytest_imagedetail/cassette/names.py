"""File names that never collide: not by case, not by length, on no file system."""

import hashlib
import re
from typing import Final

from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Query

_CLOUD: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_SAFE: Final = re.compile(r"[a-z0-9.=_+-]+")
_UNSAFE: Final = re.compile(r"[^a-z0-9.=_+-]+")
_LONGEST: Final = 80


def check_cloud_name(name: str) -> str:
    """Return the name if it can be a folder and part of a host name.

    Raises:
        UsageError: It cannot.
    """
    if not _CLOUD.fullmatch(name) or ".." in name:
        raise UsageError(
            f"{name!r} cannot be the name of a cloud",
            where="a cloud's name is a folder of its cassettes and part of its placeholder hosts",
            remedy="use letters, digits, dots, hyphens and underscores, 63 at most, "
            "for example nova-2026.2",
        )
    return name


def file_name(query: Query) -> str:
    """The cassette of a query: `all.yaml`, `limit=3.yaml`, `status=active-1c5e7ab2.yaml`.

    A name says what was asked as far as every file system can hold it. Where it cannot say all
    (capitals, other characters, length), eight digits of the query's hash make it unique.
    """
    if not query.params:
        return "all.yaml"
    exact = "+".join(f"{name}={value}" for name, value in query.params)
    plain = all(_SAFE.fullmatch(f"{name}{value}=") for name, value in query.params)
    ambiguous = any(mark in part for pair in query.params for part in pair for mark in "+=")
    if plain and not ambiguous and len(exact) <= _LONGEST:
        return f"{exact}.yaml"
    digest = hashlib.sha256(query.wire.encode("utf-8")).hexdigest()[:8]
    slug = _UNSAFE.sub("_", exact.lower())[:_LONGEST].strip("._-+") or "query"
    return f"{slug}-{digest}.yaml"
