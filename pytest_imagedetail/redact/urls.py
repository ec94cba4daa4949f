"""The parts of a URL that redaction reads."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

_RESOURCE: Final = r"/(?:images|servers|flavors)(?:/|$)"
_VERSIONED: Final = re.compile(rf"/v\d+(?:\.\d+)?/([^/]+){_RESOURCE}")
BEFORE_RESOURCE: Final = re.compile(rf"/([^/]+)(?={_RESOURCE})")
"""What stands before a resource of Compute: a project, a version or a prefix."""


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it has brackets or characters that make it none."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def origin(url: SplitResult) -> tuple[str, str]:
    """The scheme, and the host with its port."""
    return url.scheme.lower(), url.netloc.rpartition("@")[2].lower()


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
