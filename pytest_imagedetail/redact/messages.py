"""What is replaced where in a request and its answer; headers need to be on a list to stay."""

import re
from dataclasses import replace
from typing import Final

from pytest_imagedetail.body import compression as packing
from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.model import Headers, Interaction
from pytest_imagedetail.redact.documents import is_json, read_xml
from pytest_imagedetail.redact.placeholders import Placeholders
from pytest_imagedetail.redact.urls import without_user

REQUEST_HEADERS: Final = frozenset(
    {"accept", "content-type", "openstack-api-version", "x-openstack-nova-api-version"}
)
RESPONSE_HEADERS: Final = frozenset(
    {
        "allow",
        "content-type",
        "link",
        "location",
        "openstack-api-version",
        "retry-after",
        "vary",
        "www-authenticate",
        "x-openstack-nova-api-version",
    }
)
_FORM: Final = re.compile(r"[\w.%+*\[\]~-]+=[^&\s]*(?:&[\w.%+*\[\]~-]+=[^&\s]*)*")
_WIDE: Final = {b"\xff\xfe": ("utf-16-le",), b"\xfe\xff": ("utf-16-be",)}  # keep their mark


def redact_interaction(page: Interaction, placeholders: Placeholders) -> Interaction:
    """Replace in every part of an interaction; the placeholders learn and count on the way."""
    response = page.response
    body = _redact_body(response.body, placeholders)
    allowed = RESPONSE_HEADERS | ({"content-length"} if page.is_bodiless else set())
    headers = _redact_headers(response.headers, allowed, placeholders)
    placeholders.counts["headers"] += len(response.headers.fields) - len(headers.fields)
    return replace(
        page,
        url=without_user(placeholders.text(page.url)),  # clients send it in a header
        request_headers=_redact_headers(page.request_headers, REQUEST_HEADERS, placeholders),
        request_body=_redact_request_body(page.request_body, placeholders),
        response=replace(
            response, reason=placeholders.text(response.reason), headers=headers, body=body
        ),
    )


def _redact_headers(
    headers: Headers, allowed: frozenset[str], placeholders: Placeholders
) -> Headers:
    return Headers(
        (name, placeholders.header(name.lower(), value))
        for name, value in headers.fields
        if name.lower() in allowed
    )


def _redact_request_body(body: bytes, placeholders: Placeholders) -> bytes:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return _redact_body(body, placeholders)
    if _FORM.fullmatch(text):
        return placeholders.pairs(text).encode("utf-8", errors="surrogateescape")
    return _redact_body(body, placeholders)


def _redact_body(body: bytes, placeholders: Placeholders) -> bytes:
    for encoding in ("utf-8", *_WIDE.get(body[:2], ())):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _redact_document(text, placeholders).encode(encoding)
    content = packing.unpacked(body)
    if content is not None:
        redacted = _redact_body(content, placeholders)
        unchanged = redacted == content
        return body if unchanged else packing.repacked(redacted, like=body) or redacted
    # Not text, so no placeholder can be put in; Latin-1 maps every byte to itself.
    return placeholders.text(body.decode("latin-1")).encode("latin-1")


def _redact_document(text: str, placeholders: Placeholders) -> str:
    if not is_json(text):
        if read_xml(text.encode("utf-8", errors="replace")) is None:
            return placeholders.text(text)
        return xmltext.replace_strings(text, placeholders.json_string)
    return jsontext.replace_strings(text, placeholders.json_string)
