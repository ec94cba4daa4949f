"""Read a listing, one cloud's whole answer to one query, and check it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.errors import BodyError, ComparisonError, ResponseError
from pytest_imagedetail.gc_paused import paused_gc
from pytest_imagedetail.model import (
    LISTING_STATUSES,
    Headers,
    Interaction,
    Provenance,
    Query,
    Recording,
    Response,
)
from pytest_imagedetail.normalize import Answer, Links, Normalized, normalize, without_hosts
from pytest_imagedetail.normalize.answer import JSON
from pytest_imagedetail.normalize.values import strictly_equal
from pytest_imagedetail.settings import DEFAULT_PROFILE
from pytest_imagedetail.text import cut, plain

_XML = "application/xml"
_HTML = re.compile(r"<html|<!doctype html", re.IGNORECASE)
_NOVA = frozenset({"created", "links", "metadata", "minDisk", "minRam", "progress", "updated"})
_GLANCE = frozenset(  # v1 and v2; Nova renames or drops all of them
    {"container_format", "created_at", "disk_format", "is_public", "min_disk", "min_ram"}
    | {"owner", "protected", "schema", "updated_at", "visibility"}
)
_GLANCE_TOP_LEVEL = frozenset({"first", "schema"})
_ID = (str, int)  # integers until Cactus
# These headers are specific to one request, or repeat facts of the body and the host.
_OF_ONE_REQUEST = frozenset({"content-length", "location", "retry-after"})
_BODY_START = 200  # characters of an unexpected body in a message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """A cloud's answer to one query, all pages together.

    Two listings are equal if `compare` finds no difference under the default profile.

    Attributes:
        recording: The recorded pages, with provenance.
        document: The images of all pages in order, as sent, or the body of an expected error.
    """

    recording: Recording = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)

    @property
    def cloud(self) -> str:
        """The name of the cloud."""
        return self.provenance.cloud

    @property
    def query(self) -> Query:
        """The query that was sent."""
        return self.provenance.query

    @property
    def provenance(self) -> Provenance:
        """The origin of the recording."""
        return self.recording.provenance

    @property
    def status_code(self) -> int:
        """The HTTP status of the first page: 200, 203 or the expected error."""
        return self.recording.interactions[0].response.status_code

    @property
    def headers(self) -> Headers:
        """The allow-listed response headers of the first page."""
        return self.recording.interactions[0].response.headers

    @property
    def body(self) -> str:
        """The text of the first page as sent, except for white space between tokens."""
        return self.recording.interactions[0].response.body.decode("utf-8", "surrogateescape")

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media type of each page: "application/json" or "application/xml"."""
        return tuple(media_type(page.response.body) for page in self.recording.interactions)

    @property
    def complete(self) -> bool:
        """Whether these are all matching images; False if the last page has a next link."""
        return self.provenance.complete

    @property
    def images(self) -> list[dict[str, Any]]:
        """The image details, in the cloud's order, as sent.

        Raises:
            ComparisonError: The answer is an expected error, which has no images.
        """
        if "images" not in self.document:
            raise ComparisonError(
                f"an expected {self.status_code} answer has no images",
                where=f"cloud {self.cloud}, query {self.query}",
                remedy="look at .error, or ask a query that answers with a listing",
            )
        images: list[dict[str, Any]] = self.document["images"]
        return list(images)

    @property
    def by_id(self) -> dict[str, dict[str, Any]]:
        """The image details by id.

        Raises:
            ComparisonError: An id is repeated, so a mapping would drop an image.
        """
        counts = Counter(image["id"] for image in self.images)
        repeated = [image_id for image_id, count in counts.items() if count > 1]
        if repeated:
            raise ComparisonError(
                f"image id {repeated[0]!r} is repeated in the listing",
                where=f"cloud {self.cloud}, query {self.query}",
                remedy="use .images, which has all of them",
            )
        return {image["id"]: image for image in self.images}

    @property
    def error(self) -> dict[str, Any] | None:
        """`{"code", "message"}` of an expected error answer; None for a listing.

        For any other body, the body is the message and the status is the code.
        """
        if "images" in self.document:
            return None
        fault = _fault(self.document)
        if fault is None:
            return {"code": self.status_code, "message": self.body.strip()}
        return {"code": fault.get("code"), "message": fault["message"]}

    def normalized(self, profile: str | None = None) -> Normalized:
        """Return the images in comparable form, with the counts of the rules applied."""
        return normalize(_answer(self), DEFAULT_PROFILE if profile is None else profile)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listing):
            return NotImplemented
        if self.complete != other.complete:
            return False
        status = error_status(self.recording)
        if status != error_status(other.recording):
            return False
        if status is not None:
            raise same_errors(self, other)
        headers, others = comparable_headers(self, other)
        first, second = normalize_both(self, other)
        return headers == others and strictly_equal(first.facts, second.facts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        images = self.document.get("images")
        contents = "error" if images is None else f"{len(images)} images"
        return f"<Listing {self.cloud} {self.query}: {self.status_code}, {contents}>"


def same_errors(baseline: Listing, candidate: Listing) -> ComparisonError:
    """Return the error for a comparison of two errors with the same status."""
    status = baseline.status_code
    return ComparisonError(
        f"both sides answered {status}; two errors have no images to compare",
        where=f"query {baseline.query} of {baseline.cloud} and {candidate.cloud}",
        remedy="look at both: imagedetail show CLOUD, or .error in a test\n"
        f"to compare what they say: imagedetail.compare(..., expect={status}) in a test, "
        f"--expect {status} in a shell",
    )


def normalize_both(
    baseline: Listing, candidate: Listing, profile: str = DEFAULT_PROFILE
) -> tuple[Normalized, Normalized]:
    """Normalize both listings; equal links become one object, which speeds up comparing."""
    pool: dict[str, Links] = {}
    return (
        normalize(_answer(baseline), profile, pool=pool),
        normalize(_answer(candidate), profile, pool=pool),
    )


def comparable_headers(one: Listing, other: Listing) -> tuple[dict[str, list[str]], ...]:
    """Return the compared headers of both; none if they are equal, or a body was imported alone."""
    if one.headers.fields == other.headers.fields:
        return {}, {}
    if "imported" in {one.provenance.source, other.provenance.source}:
        return {}, {}
    return _headers(one.headers), _headers(other.headers)


def _headers(headers: Headers) -> dict[str, list[str]]:
    names = {name.lower() for name in headers} - _OF_ONE_REQUEST
    return {name: _comparable_values(name, headers.all(name)) for name in names}


def _comparable_values(name: str, values: Iterable[str]) -> list[str]:
    if name == "vary":  # its items have neither order nor case
        return sorted({item for value in values for item in _items(value.lower(), ",")})
    if name == "content-type":
        return ["; ".join(_items(value.lower(), ";")) for value in values]
    return [str(without_hosts(value)) for value in values]


def _items(text: str, separator: str) -> list[str]:
    return [item for item in map(str.strip, text.split(separator)) if item]


def _answer(listing: Listing) -> Answer:
    pages = listing.recording.interactions
    return Answer(
        images=tuple(listing.images),
        status_code=max(page.response.status_code for page in pages),
        top_level={name: value for name, value in listing.document.items() if name != "images"},
        complete=listing.complete,
        limit=dict(listing.query.params).get("limit"),
        media_types=listing.media_types,
        requested_types=tuple(map(_asked_for, pages)),
    )


@paused_gc()
def read(recording: Recording, *, expect: int | None = None) -> Listing:
    """Read the pages of a recording as one listing, or as an expected error.

    Raises:
        ResponseError: The status is not the expected one.
        BodyError: The body is not JSON or not a listing.
    """
    provenance, pages = recording.provenance, recording.interactions
    where = f"cloud {provenance.cloud}, query {provenance.query}"
    first = pages[0].response
    is_versioned = (
        first.status_code == HTTPStatus.NOT_FOUND and provenance.query.microversion is not None
    )
    _check_status(first, expect, where, _NO_API + _EXPECT if is_versioned else _EXPECT)
    if first.status_code not in LISTING_STATUSES:
        document = _object(first.body, where)
        if "images" in document:
            raise BodyError(
                f"the status is {first.status_code}, but the body is a listing",
                where=where,
                remedy="check the status that was given for this body",
            )
        return Listing(recording=recording, document=document)
    images: list[dict[str, Any]] = []
    other_fields: dict[str, list[Any]] = {}
    for number, interaction in enumerate(pages, start=1):
        page_where = where if len(pages) == 1 else f"{where}, page {number}"
        _check_status(interaction.response, None, page_where, _CHANGED)
        page = read_page(interaction.response.body, where=page_where)
        images += page.pop("images")
        for name, value in page.items():
            other_fields.setdefault(name, []).append(value)
    merged = {name: _merge_pages(name, values) for name, values in other_fields.items()}
    return Listing(recording=recording, document={"images": images} | merged)


def _merge_pages(name: str, values: list[Any]) -> Any:
    """Merge a field besides `images` of all pages, so that every page is compared."""
    if name == "images_links" and len(values) > 1:
        lists = (value if isinstance(value, list) else [value] for value in values)
        return [link for links in lists for link in links]
    return values[0] if all(strictly_equal(values[0], value) for value in values) else values


def error_status(recording: Recording) -> int | None:
    """Return the status of a recorded error answer; None for a listing."""
    status = recording.interactions[0].response.status_code
    return None if status in LISTING_STATUSES else status


def read_page(body: bytes, *, where: str) -> dict[str, Any]:
    """Read one page of a listing; raise BodyError unless it is an object with `images`."""
    document = read_document(body, where=where)
    if evidence := _glance_evidence(document):
        raise BodyError(
            f"the body is Glance's list of images, not Nova's: {evidence}",
            where=where,
            remedy="ask GET .../images/detail at the endpoint of the service `compute`; Glance's "
            "is `image`\nif clouds.yaml has compute_endpoint_override or compute_service_type, "
            "correct it",
        )
    form = "XML" if xmltext.is_xml(body) else "JSON"
    if not isinstance(document, dict) or "images" not in document:
        raise _not_a_listing(f"it has no `images` ({_outline(document)})", where, form)
    for name, value in document.items():
        if isinstance(value, dict) and {"code", "message"} <= value.keys():
            raise _not_a_listing(f"it has `images` and an error, `{plain(name)}`", where, form)
    images = document["images"]
    if not isinstance(images, list):
        raise _not_a_listing(f"`images` is {_outline(images)}", where, form)
    for position, image in enumerate(images):
        if not isinstance(image, dict) or not isinstance(image.get("id"), _ID):
            raise _not_a_listing(f"images[{position}] is not an object with an `id`", where, form)
    return document


def media_type(body: bytes) -> str:
    """Return the media type of a JSON or XML body."""
    return _XML if xmltext.is_xml(body) else JSON


def _asked_for(interaction: Interaction) -> str:
    """Return the requested media type: by path suffix, by `Accept`, else JSON."""
    if urlsplit(interaction.url).path.endswith(".xml"):
        return _XML
    accept = interaction.request_headers.get("accept", "")
    return _XML if "xml" in accept and "json" not in accept else JSON


def read_document(body: bytes, *, where: str) -> Any:
    """Parse a JSON or XML body; raise BodyError if it is neither."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError(
            f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}",
            where=where,
            remedy="Nova answers in UTF-8, and so does JSON (RFC 8259, 8.1); ask the cloud again",
        ) from error
    if not xmltext.is_xml(body):
        return jsontext.parse(text, where=where)
    if _HTML.search(text[:400]):
        raise BodyError(
            "the body is HTML, not JSON",
            where=where,
            remedy="a web server or proxy answered instead of Nova; check the endpoint",
        )
    return xmltext.parse(body, where=where)


def _glance_evidence(document: Any) -> str | None:
    """Return the evidence that a document is Glance's, or None.

    A vendor's Nova may send one of Glance's names, but then it sends more of Nova's.
    """
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        return None
    if document.keys() >= _GLANCE_TOP_LEVEL:
        return "it has `first` and `schema`"
    fields = set[str]().union(*(each for each in document["images"] if isinstance(each, dict)))
    if len(fields & _GLANCE) <= len(fields & _NOVA):
        return None
    return f"its images have {', '.join(sorted(fields & _GLANCE)[:4])}"


def _object(body: bytes, where: str) -> dict[str, Any]:
    """Return the object in a body; {} for HTML, plain text, a list or an empty body."""
    try:
        document = read_document(body, where=where)
    except BodyError:
        return {}
    return document if isinstance(document, dict) else {}


def _check_status(response: Response, expect: int | None, where: str, hint: str) -> None:
    status, allowed = response.status_code, LISTING_STATUSES if expect is None else {expect}
    if status in allowed:
        return
    expected = " or ".join(map(str, sorted(allowed)))
    raise ResponseError(
        f"the cloud answered {status}, not {expected}: {_message(response.body, where)}",
        where=where,
        remedy=_REMEDIES.get(status, "{hint}").format(hint=hint.format(status=status)),
        status_code=status,
    )


_CHANGED = "the images may have changed while they were read: ask again"  # for a later page
_EXPECT = "if you expect this answer: expect={status} in a test, --expect={status} in a shell"
_NO_API = "images/detail ends with microversion 2.35: ask without one, or with 2.35 at most\n"
_REMEDIES = {
    **dict.fromkeys(
        (300, 301, 302, 303, 305, 307, 308),
        "redirects are not followed, because the token would be sent along\n"
        "check that the compute endpoint in the catalog is right, its scheme and path too",
    ),
    200: "the cloud accepts this query: do not expect an error, or ask another cloud",
    400: "Nova refuses the query, or the project in the URL\n{hint}",
    401: "the token was refused: check the credentials in clouds.yaml, then ask again",
    403: "the project may not see this: check its roles, or the marker's owner\n{hint}",
    404: "check that the compute endpoint in the catalog is right\n{hint}",
    **dict.fromkeys(
        (413, 429),
        "the cloud limits how often it is asked: wait, then ask again; nothing was written",
    ),
    **dict.fromkeys(
        (500, 502, 503, 504), "the cloud is busy or failed: ask again later; nothing was written"
    ),
    501: "`imagedetail serve` replays recordings, and this is not recorded: imagedetail ls lists "
    "what is",
}


def _not_a_listing(why: str, where: str, form: str) -> BodyError:
    return BodyError(
        f"the body is {form}, but not a listing of images: {why}",
        where=where,
        remedy="check that the URL ends in /images/detail and is Nova's, not Glance's",
    )


def _outline(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(plain, list(value)[:5])) or 'no fields'}"
    names = {list: "a list", str: "a string", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def _fault(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the fault in an error answer: `{"badRequest": {"code": 400, "message": "..."}}`."""
    objects = (value for value in document.values() if isinstance(value, dict))
    return next((fault for fault in objects if "message" in fault), None)


def _message(body: bytes, where: str) -> str:
    fault = _fault(_object(body, where))
    if fault is not None:
        return plain(" ".join(str(fault["message"]).split()))
    words = " ".join(body.decode("utf-8", errors="replace").split())
    return cut(plain(words), _BODY_START) or "an empty body"
