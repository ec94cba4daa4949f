"""Define the values that flow from a cloud to a report."""

import hashlib
import reprlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from functools import partial
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qsl, quote, unquote, urlencode

from pytest_imagedetail.errors import UsageError, did_you_mean

Image = dict[str, Any]
"""An image detail: one element of `images`, as sent or made comparable."""

Path = tuple[str | int, ...]
"""Keys and positions from the top of a JSON document down."""

Types = Mapping[str, tuple[Any, str]]
"""The types that arguments may have, by name, and what to write."""

Severity = Literal["breaking", "compatible", "data"]
FailOn = Literal["breaking", "change", "none"]
RecordMode = Literal["none", "once", "new_episodes", "rewrite", "verify"]
Unused = Literal["ignore", "warn", "fail"]

SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
FAIL_ON: Final[tuple[FailOn, ...]] = get_args(FailOn)
RECORD_MODES: Final[tuple[RecordMode, ...]] = get_args(RecordMode)
UNUSED: Final[tuple[Unused, ...]] = get_args(Unused)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of difference."""

    says: str  # a format string with field, query, baseline and candidate
    severities: tuple[Severity, ...]  # the possible ones, worst first
    judged: str  # what decides between them
    source: str = "Nova's views/images.py in each release: contract"


_ANY: Final = SEVERITIES
_WORSE: Final[tuple[Severity, ...]] = ("breaking", "compatible")
_DATA: Final[tuple[Severity, ...]] = ("data",)
_LINKS: Final = "Nova's views/images.py and common.py: links, without version and project"
_OWNERS: Final = "what users put into images is not the API's"
_ERRORS: Final = "Nova's faults.py; recordings of nine releases"

KINDS: Final[Mapping[str, Kind]] = {
    "field_added": Kind(
        "{field} is new",
        _ANY,
        "breaking if its type breaks the contract, data in metadata, else compatible",
    ),
    "field_removed": Kind(
        "{field} is missing",
        _ANY,
        "breaking if the baseline's release promises it, data if it depends on the image",
    ),
    "type_changed": Kind(
        "{field} has another type",
        _ANY,
        "breaking unless the contract allows both types, or the baseline broke it",
    ),
    "null_changed": Kind(
        "{field} is null on one side",
        _ANY,
        "breaking unless the contract allows null, or the baseline broke it",
    ),
    "value_changed": Kind(
        "{field} has another value",
        _ANY,
        "breaking if the new value breaks the contract, compatible if it follows it again",
    ),
    "item_added": Kind("{field} has more items", _ANY, "as for a field that is added"),
    "item_removed": Kind("{field} has fewer items", _ANY, "as for a field that is removed"),
    "link_changed": Kind(
        "{field} leads elsewhere",
        _ANY,
        "compatible if it leads to the same place or the right one, else breaking",
        _LINKS,
    ),
    "vendor_added": Kind(
        "{field}: a vendor's metadata is new", _DATA, "one side has none of this vendor's", _OWNERS
    ),
    "vendor_removed": Kind(
        "{field}: a vendor's metadata is gone", _DATA, "one side has none of this vendor's", _OWNERS
    ),
    "image_added": Kind(
        "images were added",
        ("breaking", "data"),
        "which images there are; breaking if the candidate ignores a filter",
        _OWNERS,
    ),
    "image_removed": Kind("images are gone", _DATA, "which images there are", _OWNERS),
    "image_repeated": Kind(
        "an image is listed more than once",
        _WORSE,
        "breaking if the candidate repeats an id",
        "ids are unique: api-ref of Compute, List images details",
    ),
    "order_changed": Kind(
        "the images are in another order", _DATA, "no order is promised", "Glance sorts by creation"
    ),
    "status_changed": Kind(
        "{query} answers {candidate}, not {baseline}",
        _WORSE,
        "breaking if the candidate refuses what was answered, or fails where it was refused",
        "RFC 9110, 15; api-ref of Compute",
    ),
    "error_changed": Kind(
        "the text of an error changed",
        _WORSE,
        "compatible if only its words changed, breaking if its code or a name did",
        _ERRORS,
    ),
    "header_changed": Kind(
        "the response header {field} changed",
        _WORSE,
        "breaking if the media type changed",
        "RFC 9110, 8.3",
    ),
    "answer_changed": Kind(
        "{field} changed, beside the images",
        _WORSE,
        "clients read `images`; breaking if the candidate repeats the key",
    ),
    "presence_changed": Kind(
        "{field} is sent with other images", _ANY, "as for a field that is removed"
    ),
    "format_changed": Kind(
        "{field} has another format", _ANY, "breaking if the contract promises another one"
    ),
    "enumeration_changed": Kind(
        "{field} takes other values", _ANY, "breaking if a new value breaks the contract"
    ),
    "page_changed": Kind(
        "the link to the next page changed",
        _ANY,
        "breaking if the candidate's link loses the place, a filter or the project, or is missing "
        "from a full page; data if only one side needs one",
        _LINKS,
    ),
    "recording_missing": Kind(
        "the baseline has no recording of {query}",
        ("breaking",),
        "nothing tells what the baseline answered",
        "docs/matrix.md",
    ),
}
"""The kinds of difference: of fields, of images, of whole answers, of shapes."""

OF_QUERY: Final = frozenset({"status_changed", "recording_missing"})
"""The kinds of difference that concern the whole answer to a query."""

MASKED: Final = "<hidden>"
"""Replaces a secret in texts."""

LISTING_STATUSES: Final = frozenset({200, 203})  # the normal ones in the API reference

# Python name -> wire name. The first five are documented; Nova also accepts the others.
_WIRE_NAMES: Final = {
    "changes_since": "changes-since",
    "server": "server",
    "name": "name",
    "status": "status",
    "type": "type",
    "min_disk": "minDisk",
    "min_ram": "minRam",
    "limit": "limit",
    "marker": "marker",
}
_QUERY_TYPES: Final[Types] = {
    "properties": (Mapping | None, "a dict, for example {'os_distro': 'cirros'}"),
    "params": (Mapping | None, "a dict; a list repeats the name: {'status': ['a', 'b']}"),
    "microversion": (str | None, "it in quotes, as '2.30'; the number 2.30 is 2.3"),
}


class Missing(Enum):
    """The type of `MISSING`; as an enumeration it stays one object across processes."""

    MISSING = "absent"

    def __repr__(self) -> str:
        return self.value


class AnyKey(str):
    """A part of a path that stands for any key; a literal key `*` is quoted."""

    __slots__ = ()


ANY_KEY: Final = AnyKey("*")
"""Stands for every metadata key in a difference that concerns all of them."""

MISSING: Final = Missing.MISSING
"""The value of a side that has none; None is a JSON value."""

_SECRETS: Final = frozenset(
    {
        *("authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"),
        *("x-auth-key", "x-auth-token", "x-service-token", "x-storage-token", "x-subject-token"),
    }
)


class Headers(Mapping[str, str]):
    """HTTP header fields with case-insensitive names.

    `headers["vary"]` joins repeated fields with a comma (RFC 9110, 5.3); `all("vary")` does not.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.fields: Final = tuple(fields)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a header, in order."""
        return tuple(value for key, value in self.fields if key.lower() == name.lower())

    def without(self, *names: str) -> "Headers":
        """Return the headers without these fields; the names must be lower-case."""
        return Headers(pair for pair in self.fields if pair[0].lower() not in names)

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        if not values:
            raise KeyError(name)
        return ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key for key, _ in self.fields))

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self.fields})

    def __repr__(self) -> str:
        masked = [(key, MASKED if key.lower() in _SECRETS else value) for key, value in self.fields]
        return f"Headers({masked!r})"


@dataclass(frozen=True, slots=True)
class Query:
    """The filters of one request, by wire name, and its microversion.

    Pairs are sorted by name. Values of one name keep their order, because Nova takes the last one.
    """

    params: tuple[tuple[str, str], ...] = ()
    microversion: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", tuple(sorted(self.params, key=lambda pair: pair[0])))

    @classmethod
    def of(
        cls,
        *,
        properties: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
        microversion: str | None = None,
        **filters: object,
    ) -> "Query":
        """Build a query from Python names.

        Args:
            properties: `{"os_distro": "cirros"}` becomes `property-os_distro=cirros`.
            params: Anything else, sent as given; a list or tuple value repeats the name.
            microversion: "2.35" or "latest"; None sends no header, which Nova treats as 2.1.
            **filters: `changes_since` (str or aware datetime), `server`, `name`, `status`, `type`,
                `min_disk` (GiB), `min_ram` (MiB), `limit`, `marker`. None leaves a filter out.

        Raises:
            UsageError: An unknown filter, a naive datetime, or an argument of another type.
        """
        arguments = {"properties": properties, "params": params, "microversion": microversion}
        check_types(arguments, _QUERY_TYPES)
        pairs: list[tuple[str, str]] = []
        for name, value in filters.items():
            if name not in _WIRE_NAMES:
                raise UsageError(
                    f"unknown filter {name!r}",
                    where="the query of a listing",
                    remedy=f"{did_you_mean(name, [*_WIRE_NAMES, 'properties'])}known filters: "
                    f"{', '.join(_WIRE_NAMES)}, properties\n"
                    f"anything else goes as given in params={{{name!r}: ...}}",
                )
            if value is not None:
                pairs.append((_WIRE_NAMES[name], _wire_value(name, value)))
        for key, value in (properties or {}).items():
            pairs.append((f"property-{key}", _wire_value(str(key), value)))
        for key, value in (params or {}).items():
            values = value if isinstance(value, list | tuple) else (value,)
            pairs += [(str(key), _wire_value(str(key), item)) for item in values]
        return cls(tuple(pairs), microversion)

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Parse the query of a URL, without its `?`; keep blank values and repeated names."""
        return cls(tuple(parse_qsl(text, keep_blank_values=True, errors="surrogateescape")))

    @classmethod
    def from_text(cls, text: str) -> "Query":
        """Parse the output of `str(query)`: "all @2.35"; "name=R&D" is one filter, too.

        Raise UsageError if it is not a query.
        """
        filters, _, microversion = text.partition(" @")
        if filters != "all" and filters.find("=") < 1:
            raise UsageError(
                f"a query is NAME=VALUE, not {text!r}", remedy="for example --query status=ACTIVE"
            )
        return cls(_pairs(filters), microversion or None)

    @property
    def wire(self) -> str:
        """The query, percent-encoded for a URL; bytes that are not UTF-8 are kept."""
        return urlencode(self.params, quote_via=quote, errors="surrogateescape")

    @property
    def options(self) -> tuple[str, ...]:
        """The query as options of the `imagedetail` command, quoted for a shell."""
        filters = tuple(f"--query={shell_quoted(str(Query((pair,))))}" for pair in self.params)
        if self.microversion is None:
            return filters
        return (*filters, f"--microversion={shell_quoted(self.microversion)}")

    @property
    def is_whole(self) -> bool:
        """Whether all pages are requested: neither `limit` nor `marker` is given."""
        return not any(name in {"limit", "marker"} for name, _ in self.params)

    def replaced(self, **values: str) -> "Query":
        """Return the query with the values of these names replaced."""
        unchanged = tuple(pair for pair in self.params if pair[0] not in values)
        return Query(unchanged + tuple(values.items()), self.microversion)

    def __str__(self) -> str:
        """Return the query as text that `from_text` reads back, percent-encoded if necessary."""
        text = "&".join(f"{name}={value}" for name, value in self.params)
        if text and not (text.isprintable() and " @" not in text and _pairs(text) == self.params):
            text = self.wire
        text = text or "all"
        return text if self.microversion is None else f"{text} @{self.microversion}"


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    parts = [] if text == "all" else text.split("&")
    if not all(part.find("=") > 0 for part in parts):  # an ampersand is in the value
        parts = [text]
    decode = partial(unquote, errors="surrogateescape")
    pairs = (part.partition("=") for part in parts)
    return tuple((decode(name), decode(value)) for name, _, value in pairs)


def check_types(arguments: Mapping[str, object], types: Types, *, place: str = "") -> None:
    """Raise UsageError for the first argument whose value has another type."""
    for name, value in arguments.items():
        expected, example = types[name]
        if isinstance(value, bool) or not isinstance(value, expected):  # True is an int
            problem = f"{name}{place} cannot be {reprlib.repr(value)}"
            raise UsageError(problem, remedy=f"write {example}")


def shell_quoted(word: str) -> str:
    r"""Quote a word for a shell; write unprintable characters and bytes as `$'Z\374rich'`."""
    if word.isprintable():
        return shlex.quote(word)
    try:
        raw = word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON can contain lone surrogates
        raw = word.encode("utf-8", "surrogatepass")
    plain = set(range(0x20, 0x7F)) - set(b"'\\")
    escaped = (chr(byte) if byte in plain else f"\\{byte:03o}" for byte in raw)
    return f"$'{''.join(escaped)}'"


def isotime(moment: datetime) -> str:
    """Format a moment in UTC as OpenStack does: "2026-11-30T01:02:03Z"."""
    return f"{moment.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _wire_value(name: str, value: object) -> str:
    if isinstance(value, Iterable | None) and not isinstance(value, str):  # also bytes
        raise UsageError(
            f"{name} cannot be {reprlib.repr(value)}",
            remedy="write one value; a list in params repeats the name: "
            "params={'status': ['a', 'b']}",
        )
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise UsageError(
            f"{name} is a datetime without a time zone",
            where=f"{name}={value.isoformat()}",
            remedy="give it one, for example datetime.now(UTC); clouds differ on naive times",
        )
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One HTTP response; the body is complete and has no content encoding."""

    status_code: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes = field(repr=False)


NO_RESPONSE: Final = Response(status_code=0, body=b"")
"""The response of an interaction that is only a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One request and its response, as in a cassette.

    Its repr is short, because failed tests show it and it has secrets before redaction.
    """

    method: str = "GET"
    url: str = field(repr=False)
    request_headers: Headers = field(default_factory=Headers, repr=False)
    request_body: bytes = field(default=b"", repr=False)
    response: Response

    @property
    def is_bodiless(self) -> bool:
        """Whether the response has no body; its length is another response's (RFC 9110, 8.6)."""
        return self.method == "HEAD" or self.response.status_code == 304  # noqa: PLR2004


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The origin of a recording, in the order of a cassette."""

    cloud: str
    release: str | None = None  # as declared, never guessed
    # For a test's own traffic: its node id without the cloud, or the name of a shared cassette.
    test: str | None = None
    query: Query = field(default_factory=Query)  # unused for a test's own traffic
    # A cloud, a saved body, or another tool's recording.
    source: Literal["recorded", "imported", "scrubbed"] = "recorded"
    recorded_at: str | None = None  # UTC, ISO 8601; None if imported
    api_version: str | None = None  # the segment of the request path: "v2", "v2.1"
    max_microversion: str | None = None  # the cloud's newest
    endpoint: str | None = None  # redacted; only for a test's own traffic
    catalog: tuple[Mapping[str, str], ...] = ()  # of endpoints: type, interface, region, url
    pages: int = 1
    complete: bool = True  # the last page has no `next` link
    redactions: Mapping[str, int] = field(default_factory=dict)  # by kind of value
    volatile: tuple[str, ...] = ()  # paths where two identical requests differed
    project: str | None = None  # a digest of the authenticated project: 32 hexadecimal digits
    user: str | None = None  # the same for the user; only for a test's own traffic
    plugin: str = ""  # the version that wrote the cassette


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One cloud's answer to one query, or one test's traffic, with provenance."""

    provenance: Provenance
    interactions: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """The image that a difference is about; its name may be null, as in the API."""

    id: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.id} ({'no name' if self.name is None else self.name})"


def path_of(parts: tuple[str | int, ...], image: ImageRef | None = None) -> str:
    """Return a path as in reports: `images[*].metadata['a.b'][0]`.

    As a rule's pattern it matches only itself, so keys with special characters are quoted.
    """
    text = ""
    if parts[:1] == ("images",) or image is not None:
        text = f"images[{'*' if image is None else _path_key(image.id)}]"
        parts = parts[1:]
    for part in parts:
        if isinstance(part, AnyKey) or (isinstance(part, str) and _path_key(part) == part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


def dotted_path(path: Path) -> str:
    """Return a path with its keys as they are: `images[3].metadata.db_password`."""
    keys = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return "".join(keys).removeprefix(".")


def _path_key(key: str) -> str:
    plain = key and key.isprintable() and not set(key) & set(".[]'\"` *?")
    return key if plain else repr(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRef:
    """A rule as shown in reports."""

    path: str | None  # as written; None accepts any
    kinds: tuple[str, ...]  # empty accepts any
    id: str | None = None  # of a cause of a difference or of a check; None accepts any
    reason: str
    reference: str | None
    expires: date | None  # the last day on which it applies
    expired: bool
    where: str  # its file and line
    typo: str = ""  # what it seems to misspell

    @property
    def about(self) -> str:
        """What it accepts, on one line: its path, id or kinds."""
        return self.path or (f"id {self.id}" if self.id else " or ".join(self.kinds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One path where baseline and candidate differ.

    Attributes:
        kind: For example "field_removed", "type_changed", "image_added".
        severity: "breaking", "compatible" or "data", by the contract of both releases.
        path: For example `images[*].metadata.hw_rng_model`.
        image: The image, or None if the difference is about several or the whole answer.
        count: The number of images that share it.
        reason: Why it has this severity.
        examples: Up to three of the images, when several share it.
        baseline: The old value, or MISSING.
        candidate: The new value, or MISSING.
        rule: The rule that accepts it, expired or not.
    """

    kind: str
    severity: Severity
    path: str
    image: ImageRef | None = None
    count: int = 1
    reason: str = ""
    examples: tuple[ImageRef, ...] = ()
    baseline: Any = MISSING
    candidate: Any = MISSING
    rule: RuleRef | None = None

    @property
    def any_image(self) -> str:
        """The path with `[*]` in place of the image."""
        if self.image is None:
            return self.path
        return self.path.replace(path_of((), self.image), "images[*]", 1)

    def id(self, query: Query) -> str:
        """Return twelve hex digits that identify the cause, also in reports on later recordings.

        Differences with one severity, kind and path share it, whatever their image and values. If
        the whole answer to a query changed, the query replaces the path.
        """
        subject = str(query) if self.kind in OF_QUERY else self.any_image
        return id_of(self.severity, self.kind, subject)


def id_of(*parts: str) -> str:
    """Return twelve hex digits that depend only on these texts."""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """Images on one side only, and those with several possible pairs."""

    baseline: tuple[ImageRef, ...] = ()
    candidate: tuple[ImageRef, ...] = ()
    ambiguous: tuple[ImageRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A comparison that was impossible or does not count."""

    baseline: str  # the name of the old side
    candidate: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side of a comparison for the head of a report, mostly from `Provenance`."""

    cloud: str
    query: Query
    release: str | None
    images: int  # 0 for an error
    error: int | None = None  # the status of an error answer
    volatile: tuple[str, ...] = ()
    project: str | None = None
    max_microversion: str | None = None
    # Distinguishes recordings of one cloud: a git revision, or "now" for a live answer.
    version: str = ""
    recorded_at: str | None

    @property
    def name(self) -> str:
        """The name of the cloud, with its version: "staging (HEAD~1)"."""
        return f"{self.cloud} ({self.version})" if self.version else self.cloud
