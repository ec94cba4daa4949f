"""A listing: one cloud's whole answer to one query, as a test holds it."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
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
)
from pytest_imagedetail.normalize import (
    Answer,
    Links,
    Normalized,
    normalize,
    numbered,
    says_the_same,
)
from pytest_imagedetail.settings import DEFAULT_PROFILE

_XML, _JSON = "application/xml", "application/json"
_HTML = re.compile(r"<html|<!doctype html", re.IGNORECASE)
_ID = (str, int)  # integers until Cactus
_BODY_START = 60  # characters of an unexpected body that a message shows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Listing:
    """What a cloud answered to one query, all pages together.

    Two listings are equal when `compare` finds no difference under the default profile; pytest
    shows what it does find. Two errors of one status are refused here as they are there.

    Attributes:
        recording: The pages as kept, with provenance.
        document: The images of all pages in order, as sent, or the body of an expected error.
        numbering: What its placeholders were numbered with, if another listing's were, too; then
            equal placeholders mean equal values.
    """

    recording: Recording = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    numbering: object = field(default=None, repr=False)

    @property
    def cloud(self) -> str:
        """The name of the cloud."""
        return self.provenance.cloud

    @property
    def query(self) -> Query:
        """What was asked."""
        return self.provenance.query

    @property
    def provenance(self) -> Provenance:
        """Where the recording comes from."""
        return self.recording.provenance

    @property
    def status_code(self) -> int:
        """The HTTP status of the first page: 200, 203 or the expected error."""
        return self.recording.interactions[0].response.status_code

    @property
    def headers(self) -> Headers:
        """The response headers of the first page that redaction lets through."""
        return self.recording.interactions[0].response.headers

    @property
    def bodies(self) -> tuple[str, ...]:
        """The text of every page as recorded, white space between tokens aside."""
        return tuple(
            each.response.body.decode("utf-8", errors="surrogateescape")
            for each in self.recording.interactions
        )

    @property
    def body(self) -> str:
        """The text of the first page, which is the whole listing unless it came in pages."""
        return self.bodies[0]

    @property
    def media_types(self) -> tuple[str, ...]:
        """The form of each page's body, "application/json" or "application/xml"."""
        return tuple(media_type(each.response.body) for each in self.recording.interactions)

    @property
    def complete(self) -> bool:
        """Whether these are all images that match, as far as the cloud says."""
        return self.provenance.complete

    @property
    def images(self) -> list[dict[str, Any]]:
        """The image details, in the cloud's order, as sent.

        Raises:
            ComparisonError: The answer is an expected error, which has no images.
        """
        if "images" not in self.document:
            raise ComparisonError(
                f"an expected {self.status_code} answer has no images; none is not an empty list",
                where=f"cloud {self.cloud}, query {self.query}",
                remedy="look at .error, or ask a query that answers with a listing",
            )
        images: list[dict[str, Any]] = self.document["images"]
        return list(images)

    @property
    def by_id(self) -> dict[str, dict[str, Any]]:
        """The image details by id.

        Raises:
            ComparisonError: An id stands twice, so a mapping would drop an image.
        """
        repeated = [id_ for id_, n in Counter(each["id"] for each in self.images).items() if n > 1]
        if repeated:
            raise ComparisonError(
                f"image id {repeated[0]!r} stands more than once in the listing",
                where=f"cloud {self.cloud}, query {self.query}",
                remedy="use .images, which has every one of them",
            )
        return {each["id"]: each for each in self.images}

    @property
    def error(self) -> dict[str, Any] | None:
        """`{"code", "message"}` of an expected error answer; None for a listing.

        Nova wraps it in a name (`badRequest`, `itemNotFound`), keystonemiddleware in `error`; the
        body has that, too. What is no such document is a message as it is, with its status.
        """
        if "images" in self.document:
            return None
        for value in self.document.values():
            if isinstance(value, dict) and "message" in value:
                return {"code": value.get("code"), "message": value["message"]}
        return {"code": self.status_code, "message": self.body.strip()}

    def is_numbered_with(self, other: "Listing") -> bool:
        """Whether equal placeholders of both mean equal values."""
        return self.numbering is not None and self.numbering is other.numbering

    def normalized(self, profile: str | None = None) -> Normalized:
        """The images made comparable under a profile, and what that took."""
        return normalize(_answer_of(self), profile or DEFAULT_PROFILE)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Listing):
            return NotImplemented
        if self.complete != other.complete:
            return False  # a part is not the whole, even if it should hold every image
        refused = error_status(self.recording)
        if refused != error_status(other.recording):
            return False
        if refused is not None:
            raise errors_alone(self, other)
        which = numbered(DEFAULT_PROFILE, together=self.is_numbered_with(other))
        return says_the_same(*normalized_together(self, other), which)

    __hash__ = None  # type: ignore[assignment]  # equal listings need not be the same recording

    def __repr__(self) -> str:
        found = f"{len(self.document['images'])} images" if "images" in self.document else "error"
        return f"<Listing {self.cloud} {self.query}: {self.status_code}, {found}>"


def errors_alone(one: Listing, other: Listing) -> ComparisonError:
    """The error of who compares two refusals of one status: they are neither equal nor different.

    Args:
        one: A refusal.
        other: Another.
    """
    status = one.status_code
    return ComparisonError(
        f"both sides answered {status}; two errors have no images to compare",
        where=f"query {one.query} of {one.cloud} and {other.cloud}",
        remedy="look at both: imagedetail show CLOUD, or .error in a test\n"
        f"to compare what they say: imagedetail.compare(..., expect={status}) in a test, "
        f"--expect {status} in a shell",
    )


def normalized_together(
    one: Listing, other: Listing, profile: str = DEFAULT_PROFILE
) -> tuple[Normalized, Normalized]:
    """Both listings made comparable under a profile, as `Listing.normalized` makes each.

    Links that say the same are one object in both, so that most are equal at a glance.
    """
    pool: dict[str, Links] = {}
    first, second = (normalize(_answer_of(each), profile, pool=pool) for each in (one, other))
    return first, second


def _answer_of(listing: Listing) -> Answer:
    pages = listing.recording.interactions
    return Answer(
        images=tuple(listing.images),
        status_code=max(each.response.status_code for each in pages),
        top_level={name: value for name, value in listing.document.items() if name != "images"},
        complete=listing.complete,
        media_types=listing.media_types,
        asked_for=tuple(map(_asked_for, pages)),
    )


@paused_gc()
def read(recording: Recording, *, expect: int | None = None) -> Listing:
    """Make a listing of a recording.

    Args:
        recording: The pages.
        expect: An error status that the caller wants; then a listing is the surprise.

    Raises:
        ResponseError: The status is not what was expected.
        BodyError: The body is not JSON or not a listing.
    """
    provenance = recording.provenance
    where = f"cloud {provenance.cloud}, query {provenance.query}"
    first = recording.interactions[0].response
    if expect is not None and expect not in LISTING_STATUSES:
        return _expected_error(recording, expect, where)
    _check_status(first.status_code, expect, first.body, where)
    images: list[dict[str, Any]] = []
    document: dict[str, Any] = {}
    next_links: list[Any] = []
    for number, interaction in enumerate(recording.interactions, start=1):
        place = where if len(recording.interactions) == 1 else f"{where}, page {number}"
        if number > 1:
            _check_status(interaction.response.status_code, None, interaction.response.body, place)
        page = read_page(interaction.response.body, where=place)
        images += page["images"]
        found = page.get("images_links", [])
        next_links += found if isinstance(found, list) else [found]
        document.update(page)
    document["images"] = images
    if len(recording.interactions) > 1 and "images_links" in document:
        document["images_links"] = next_links  # each page's; one that leads astray is not lost
    return Listing(recording=recording, document=document)


def error_status(recording: Recording) -> int | None:
    """The status of a recorded error, which whoever kept it wanted; None for a listing."""
    status = recording.interactions[0].response.status_code
    return None if status in LISTING_STATUSES else status


def read_page(body: bytes, *, where: str) -> dict[str, Any]:
    """Read one page of a listing.

    Raises:
        BodyError: It is not UTF-8, neither JSON nor XML, or not an object whose `images` is a list
            of objects with an `id`.
    """
    document = _document(body, where)
    form = "XML" if xmltext.is_xml(body) else "JSON"
    if not isinstance(document, dict) or "images" not in document:
        raise _not_a_listing(f"it has no `images` ({_outline(document)})", where, form)
    faults = [name for name, value in document.items() if _is_fault(value)]
    if faults:
        raise _not_a_listing(f"it has `images` and an error, `{_plain(faults[0])}`", where, form)
    images = document["images"]
    if not isinstance(images, list):
        raise _not_a_listing(f"`images` is {_outline(images)}", where, form)
    for position, image in enumerate(images):
        if not isinstance(image, dict) or not isinstance(image.get("id"), _ID):
            raise _not_a_listing(f"images[{position}] is no object with an `id`", where, form)
    return document


def media_type(body: bytes) -> str:
    """The media type of a body that could be read."""
    return _XML if xmltext.is_xml(body) else _JSON


def _asked_for(interaction: Interaction) -> str:
    """The media type that a request wants: by its path's suffix, else by `Accept`, else JSON."""
    if urlsplit(interaction.url).path.endswith(".xml"):
        return _XML
    accept = interaction.request_headers.get("accept", "")
    return _XML if "xml" in accept and "json" not in accept else _JSON


def _document(body: bytes, where: str) -> Any:
    """What a body in JSON or XML says; an HTML page says nothing."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError(
            f"the body is not UTF-8: byte {error.start} is {body[error.start]:#04x}",
            where=where,
            remedy="JSON is UTF-8 (RFC 8259, 8.1); ask the cloud again",
        ) from error
    if not xmltext.is_xml(body):
        return jsontext.parse(text, where=where)
    if _HTML.search(text[:400]):
        raise BodyError(
            "the body is HTML, not JSON",
            where=where,
            remedy="this is a web server's or proxy's page, not Nova's answer; check the endpoint",
        )
    return xmltext.parse(body, where=where)


def _is_fault(value: Any) -> bool:
    """Whether a value is Nova's form of an error: `{"code", "message"}`."""
    return isinstance(value, dict) and {"code", "message"} <= value.keys()


def _expected_error(recording: Recording, expect: int, where: str) -> Listing:
    response = recording.interactions[0].response
    _check_status(response.status_code, expect, response.body, where)
    try:
        document = _document(response.body, where)
    except BodyError:
        document = {}  # HTML, plain text or nothing: .body still has it
    if not isinstance(document, dict):
        document = {}
    if "images" in document:
        raise BodyError(
            f"the status is {expect} and the body is a listing: one of them is not what was sent",
            where=where,
            remedy="check the status that was given for this body",
        )
    return Listing(recording=recording, document=document)


def _check_status(status: int, expect: int | None, body: bytes, where: str) -> None:
    wanted = LISTING_STATUSES if expect is None else {expect}
    if status in wanted:
        return
    expected = " or ".join(map(str, sorted(wanted)))
    raise ResponseError(
        f"the cloud answered {status}, not {expected}: {_start(body)}",
        where=where,
        remedy=_REMEDIES.get(status, _ANY_REMEDY).format(status=status),
        status_code=status,
    )


_ANY_REMEDY = (
    "if this answer is the one you want, say so: expect={status} in a test, "
    "--expect={status} in a shell"
)
_REMEDIES = {
    **dict.fromkeys(
        (300, 301, 302, 303, 305, 307, 308),
        "a redirect is never followed: the token would go wherever it leads\n"
        "check that the compute endpoint in the catalog is right, its scheme and path too",
    ),
    200: "the cloud accepts the query now; expect nothing, or ask the cloud that refuses it",
    400: "Nova refuses the query or the project in the URL; the body says which\n" + _ANY_REMEDY,
    401: "the token was refused: check the credentials in clouds.yaml, then ask again",
    403: "the project may not see this: check its roles, or the marker's owner\n" + _ANY_REMEDY,
    404: "images/detail ends with microversion 2.35: ask without one, or with 2.35 at most\n"
    "and check that the compute endpoint in the catalog is right",
    **dict.fromkeys(
        (413, 429),
        "the cloud limits how often it is asked: wait, then ask again; nothing was written",
    ),
    **dict.fromkeys(
        (500, 502, 503, 504),
        "the cloud is busy or failed: ask again when it is well; nothing was written",
    ),
}


def _not_a_listing(why: str, where: str, form: str) -> BodyError:
    return BodyError(
        f"the body is {form}, but not a listing of images: {why}",
        where=where,
        remedy="check that the URL ends in /images/detail and is Nova's, not Glance's",
    )


def _outline(value: Any) -> str:
    if isinstance(value, dict):
        return f"an object with {', '.join(map(_plain, list(value)[:5])) or 'nothing in it'}"
    names = {list: "a list", str: "a string", type(None): "null", bool: "a boolean"}
    return names.get(type(value), "a number")


def _start(body: bytes) -> str:
    text = _plain(" ".join(body.decode("utf-8", errors="replace").split()))
    if not text:
        return "an empty body"
    return text if len(text) <= _BODY_START else text[:_BODY_START] + "..."


def _plain(text: str) -> str:
    """A text from a cloud without what could move a terminal's cursor."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
