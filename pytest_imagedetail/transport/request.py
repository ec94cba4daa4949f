"""Build the request for a query."""

import re
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.model import Headers, Query

_VERSION: Final = re.compile(r"/(v\d+(?:\.\d+)?)(?=/|$)")


def url_of(endpoint: str, query: Query) -> str:
    """Return the URL of a query at a compute endpoint."""
    return f"{endpoint}/images/detail" + (f"?{query.wire}" if query.params else "")


def is_http_url(text: str) -> bool:
    """Return whether a text is an absolute http or https URL."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_endpoint(text: str) -> bool:
    """Return whether a text is an http or https URL that a path can be added to."""
    is_sent_unchanged = text.isascii() and text.isprintable() and not set(" ?#") & set(text)
    return is_sent_unchanged and is_http_url(text)


def headers_of(query: Query) -> Headers:
    """Return the request headers; both microversion headers, as Nova's own clients send them."""
    fields = [("Accept", "application/json")]
    if query.microversion is not None:
        fields += [
            ("OpenStack-API-Version", f"compute {query.microversion}"),
            ("X-OpenStack-Nova-API-Version", query.microversion),
        ]
    return Headers(fields)


def api_version(endpoint: str) -> str | None:
    """Return the version segment of an endpoint's path, for example "v2.1"; None without one."""
    match = _VERSION.search(urlsplit(endpoint).path)
    return match.group(1) if match else None
