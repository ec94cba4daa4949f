"""The request that asks a query of an endpoint."""

import re
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.model import Headers, Query

ACCEPT: Final = Headers([("Accept", "application/json")])
_VERSION: Final = re.compile(r"/(v\d+(?:\.\d+)?)(?=/|$)")


def url_of(endpoint: str, query: Query) -> str:
    """Where a query is asked."""
    return f"{endpoint}/images/detail" + (f"?{query.wire}" if query.params else "")


def is_url_of_http(text: str) -> bool:
    """Whether a text is a URL that a request over HTTP can be sent to."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that opens no address, a port out of range
        return False


def headers_of(query: Query) -> Headers:
    """What a request sends; both microversion headers, as Nova's own clients do.

    Raises:
        UsageError: A microversion that no header can hold.
    """
    if query.microversion is None:
        return ACCEPT
    microversion = query.microversion
    if not (microversion.isascii() and microversion.isprintable()):
        raise UsageError(
            f"the microversion {microversion!r} cannot be sent in a header",
            remedy='a microversion is written as "2.35", or "latest"',
        )
    return Headers(
        [
            *ACCEPT.fields,
            ("OpenStack-API-Version", f"compute {microversion}"),
            ("X-OpenStack-Nova-API-Version", microversion),
        ]
    )


def api_version(endpoint: str) -> str | None:
    """The version segment of an endpoint's path, "v2.1"; None where it has none."""
    match = _VERSION.search(urlsplit(endpoint).path)
    return match.group(1) if match else None
