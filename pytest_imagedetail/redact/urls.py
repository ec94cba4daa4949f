"""Find URLs in text and take them apart; find the owners in their paths."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.redact import placeholders

SCHEME: Final = r"[a-zA-Z][a-zA-Z0-9+.-]*+://"
URL: Final = re.compile(  # ends where another URL begins, except in a query
    r"(?P<namespace>\b(?:xmlns(?::[\w.-]+)?|schemaLocation)=[\"'][^\"'<>@]*)"
    rf"|(?<![a-zA-Z0-9+.-]){SCHEME}(?:(?!(?a:[^\w=?#&:@%.~+-]){SCHEME})[^\s\"'<>\\])++"
)
"""A URL in text, or a `namespace`, which is an identifier."""

VERSIONED_PATH: Final = re.compile(r"/v\d+(?:\.\d+)?(?:/|\Z)")

_NETLOC: Final = re.compile(  # a password may contain characters that end a host
    r"[^/?#:@\[]*:(?!\d*(?:[/?#,]|\Z))[^@\s]*@[^/?#]*|[^/?#]*"
)
_PORT: Final = re.compile(r":[^:\]]*\Z")
TEMPLATE: Final = re.compile(r"[(){}$]|\A\[(?!.*\]\Z)")
"""A host that is a template, such as `{host}` and `$HOST`, or malformed."""

TRAILING: Final = ").,;"  # may follow a URL in text
_VERSION: Final = re.compile(r"v\d+(?:\.\d+)?")
_RESOURCE: Final = re.compile(  # a collection of Compute, never a project
    "images|servers|flavors|extensions|limits|volumes|schemas|os-.*"
)
_COLLECTIONS: Final = frozenset(
    {
        *("members", "quota-sets", "os-quota-sets", "quotas", "os-simple-tenant-usage"),
        *("projects", "users", "tenants", "trusts", "domains"),
    }
)
"""Segments before the id of an owner."""


def split_netloc(rest: str) -> tuple[str, str]:
    """Split a URL without its scheme, valid or not, at the end of its hosts."""
    target = _NETLOC.sub("", rest, count=1)
    return rest.removesuffix(target), target


def split_port(place: str) -> tuple[str, str]:
    """Split `host:port`, valid or not, into the host and `:port`."""
    host = _PORT.sub("", place)
    return host, place[len(host) :]


@lru_cache
def origin(url: str) -> str:
    """Return scheme, host and port of a URL, without the scheme's own port; "" if it has none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    suffix = "" if port in {None, {"http": 80, "https": 443}.get(parts.scheme)} else f":{port}"
    return f"{parts.scheme}://" + (f"[{host}]" if ":" in host else host) + suffix


def project_in_path(path: str) -> str | None:
    """Return the project in a versioned Compute path, `/v2/PROJECT/images/...`, or None."""
    segments = [*filter(None, path.split("/"))]
    for version, project, resource in zip(segments, segments[1:], segments[2:], strict=False):
        is_above = _RESOURCE.fullmatch(resource) and not _RESOURCE.fullmatch(project)
        if is_above and _VERSION.fullmatch(version):
            return project
    return None


def owners_in(segments: list[str], *, is_own: bool, project: str | None) -> dict[int, str]:
    """Return the owners' ids and names in the segments of a path, by position.

    A project follows the version or, without one, precedes a resource. On hosts of others
    (not `is_own`), a name in such a place may be anything, and an id a checksum.
    """
    has_version = any(map(_VERSION.fullmatch, segments))
    owners = {}
    filled = [index for index, segment in enumerate(segments) if segment]
    names = ["", *filter(None, segments), ""]
    for index, before, segment, after in zip(filled, names, names[1:], names[2:], strict=False):
        is_versioned = _VERSION.fullmatch(before) is not None
        is_above = bool(_RESOURCE.fullmatch(after)) and not _RESOURCE.fullmatch(before)
        is_place = is_versioned or (is_above and not has_version)
        is_project = is_place and not _RESOURCE.fullmatch(segment)
        if not (is_project or before in _COLLECTIONS):
            continue
        bare = segment.removeprefix("AUTH_").removeprefix("KEY_")
        if placeholders.is_id(bare):
            if not is_project or is_own or bare != segment or segment == project:
                owners[index] = bare
        elif is_project:
            is_named = is_above and (is_versioned or segment.isdigit())
            if segment == project or (is_own and is_named):
                owners[index] = segment
    return owners
