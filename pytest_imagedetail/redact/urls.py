"""The parts of a URL that redaction reads."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pytest_imagedetail.redact.shapes import is_owner_id, names_owner

_USUAL_PORT: Final = {"http": ":80", "https": ":443"}
_RESOURCE: Final = r"/(?:images|servers|flavors)(?:/|$)"
_VERSIONED: Final = re.compile(rf"/v\d+(?:\.\d+)?/([^/]+){_RESOURCE}")
BEFORE_RESOURCE: Final = re.compile(rf"/([^/]+)(?={_RESOURCE})")
"""What stands before a resource of Compute: a project, a version or a prefix."""
_OWNER: Final = re.compile(
    rf"/([0-9a-f]{{32}})(?={_RESOURCE})"
    r"|/(?:members|(?:os-)?quota-sets|quotas|os-simple-tenant-usage)/([0-9a-f-]{32,36})(?![^/.])"
)


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it has brackets or characters that make it none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def origin(url: SplitResult) -> tuple[str, str]:
    """The scheme, and the host with its port, but for the one that the scheme has anyway."""
    scheme = url.scheme.lower()
    host = url.netloc.rpartition("@")[2].lower()
    return scheme, host.removesuffix(_USUAL_PORT.get(scheme, ""))


def without_user(url: str) -> str:
    """A URL without the user and the password before its host."""
    parts = split(url)
    if parts is None or "@" not in parts.netloc:
        return url
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def without_port(netloc: str) -> str:
    """The host alone."""
    return re.sub(r":\d*$", "", netloc)


def project_in_path(path: str) -> str | None:
    """The project of a versioned compute path, `/v2/PROJECT/images/...`, with or without a prefix.

    None where there is none: `/v2.1/images/ID`. A path without a version (a bookmark or alternate
    link) cannot tell a project from a prefix by itself.
    """
    match = _VERSIONED.search(path)
    return match.group(1) if match else None


def owners_in(url: SplitResult) -> Iterator[str]:
    """The ids of projects and users that their place in a URL tells, in its order.

    Before a resource, as in a bookmark, only 32 hexadecimal digits are no prefix; behind `members`
    or `os-quota-sets`, or under a telling name of the query, any id of Keystone's form is one.
    """
    for match in _OWNER.finditer(url.path):
        if is_owner_id(found := match[1] or match[2]):
            yield found
    for name, value in parse_qsl(url.query, errors="surrogateescape"):
        if names_owner(name) and is_owner_id(value):
            yield value
