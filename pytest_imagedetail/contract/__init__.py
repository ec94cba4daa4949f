"""Define what each Nova release promises for image details, and how it treats query parameters.

Sources: Nova's `views/images.py` at the tags named and its api-ref.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Final

API_VERSIONS: Final = frozenset({"v1.1", "v2", "v2.0", "v2.1"})
"""The names that Nova and vendors use for the same API in paths of links.

Nova 2013.1 etc/nova/api-paste.ini maps v1.1 and v2 to the same application; v2.1 since 2015.1.
"""

_MICROVERSION: Final = re.compile(r"(\d+)\.(\d+)", re.ASCII)

# In order of publication: codename, year-based name, newest microversion. Source of the last:
# `_MAX_API_VERSION` in Nova's `api_version_request.py` (15.1.5 to 33.0.2), before that
# `rest_api_version_history.rst`; for 2026.2 the recordings here.
_RELEASES: Final = (
    ("bexar", "2011.1", None),
    ("cactus", "2011.2", None),
    ("diablo", "2011.3", None),
    ("essex", "2012.1", None),
    ("folsom", "2012.2", None),
    ("grizzly", "2013.1", None),
    ("havana", "2013.2", None),
    ("icehouse", "2014.1", None),
    ("juno", "2014.2", None),
    ("kilo", "2015.1", (2, 3)),
    ("liberty", "2015.2", (2, 12)),
    ("mitaka", "2016.1", (2, 25)),
    ("newton", "2016.2", (2, 38)),
    ("ocata", "2017.1", (2, 42)),
    ("pike", "2017.2", (2, 53)),
    ("queens", "2018.1", (2, 60)),
    ("rocky", "2018.2", (2, 65)),
    ("stein", "2019.1", (2, 72)),
    ("train", "2019.2", (2, 79)),
    ("ussuri", "2020.1", (2, 87)),
    ("victoria", "2020.2", (2, 87)),
    ("wallaby", "2021.1", (2, 88)),
    ("xena", "2021.2", (2, 90)),
    ("yoga", "2022.1", (2, 90)),
    ("zed", "2022.2", (2, 93)),
    ("antelope", "2023.1", (2, 95)),
    ("bobcat", "2023.2", (2, 95)),
    ("caracal", "2024.1", (2, 96)),
    ("dalmatian", "2024.2", (2, 96)),
    ("epoxy", "2025.1", (2, 100)),
    ("flamingo", "2025.2", (2, 100)),
    ("gazpacho", "2026.1", (2, 103)),
    ("hibiscus", "2026.2", (2, 104)),
)

_INDEX: Final = {name: index for index, row in enumerate(_RELEASES) for name in row[:2]}

MAX_MICROVERSIONS: Final = {codename: newest for codename, _, newest in _RELEASES if newest}
"""The newest microversion of each release that has any."""


def release_index(name: str | None) -> int | None:
    """Return the index of "Juno" or "2014.2" in release order; None if unknown or undeclared."""
    return None if name is None else _INDEX.get(name.lower())


@cache
def releases_of(microversion: str | None) -> range | None:
    """Return the indexes of the releases whose newest microversion this is, for example "2.96".

    A microversion between those of two releases is from a development version; both count. A newer
    one than any known gives an empty range. None or malformed text gives None.
    """
    match = _MICROVERSION.fullmatch(microversion or "")
    if match is None:
        return None
    number = int(match[1]), int(match[2])
    known = [(_INDEX[name], newest) for name, newest in MAX_MICROVERSIONS.items()]
    same = [index for index, newest in known if newest == number]
    if same:
        return range(same[0], same[-1] + 1)
    later = [index for index, newest in known if newest > number]
    if not later:
        return range(len(_RELEASES), len(_RELEASES))
    return range(max(later[0] - 1, known[0][0]), later[0] + 1)


def release_names() -> tuple[str, ...]:
    """Return every known release as "codename (year-based name)", oldest first."""
    return tuple(release_name(index) for index in range(len(_RELEASES)))


def release_name(index: int) -> str:
    """Return the release with an index as "codename (year-based name)"."""
    codename, number, _ = _RELEASES[index]
    return f"{codename} ({number})"


def release_number(index: int) -> str:
    """Return the year-based name of the release with an index; -1 is the newest."""
    return _RELEASES[index][1]


def reached(release: str | None, first: str) -> bool:
    """Return whether a release is at least as new as another; True if undeclared or unknown."""
    index, bound = release_index(release), release_index(first)
    return index is None or bound is None or index >= bound


JSON_TYPES: Final[dict[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}
"""JSON's names by Python type; 1.0 is a number but not an integer, as typed clients read it."""

ISOTIME: Final = "isotime"
UUID: Final = "uuid"
HEXADECIMAL: Final = "hexadecimal"  # a UUID without dashes
NUMBERED: Final = "integer in a string"

_FORMATS: Final = (
    (UUID, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    (ISOTIME, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("isotime with a fraction", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"),
    ("isotime with an offset", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:?\d\d"),
    ("isotime without a zone", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?"),
    (HEXADECIMAL, r"[0-9a-f]{32}"),
    (NUMBERED, r"-?\d+"),
    ("number in a string", r"-?\d+(\.\d+)?([eE][+-]?\d+)?"),
    ("boolean in a string", r"[Tt]rue|[Ff]alse"),
    ("URL", r"[a-z][a-z0-9+.-]*://\S+"),
    ("empty", r""),
)
_PATTERNS: Final = {name: re.compile(pattern, re.ASCII) for name, pattern in _FORMATS}


def json_type(value: Any) -> str:
    """Return the JSON type of a value as `json` reads it."""
    return JSON_TYPES[type(value)]


def text_format(value: str) -> str:
    """Return the format of a text: "uuid", "isotime", ...; "text" if it has no known one."""
    form = next((name for name, regex in _PATTERNS.items() if regex.fullmatch(value)), "text")
    if is_isotime(form):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return "text"
    return form


def is_uuid(text: str) -> bool:
    """Return whether a text is a lower-case UUID, as Nova writes it."""
    return _PATTERNS[UUID].fullmatch(text) is not None


def is_isotime(name: str) -> bool:
    """Return whether a format is an ISO 8601 date, in Nova's form or another."""
    return name.startswith(ISOTIME)


def with_article(kind: str) -> str:
    """Return a type or format with its article, if it takes one: "an integer", "null"."""
    if kind in ("empty", "hexadecimal", "null", "text"):
        return kind
    names = {ISOTIME: "an ISO 8601 time", UUID: "a UUID"}
    return names.get(kind, f"{'an' if kind[0] in 'aio' else 'a'} {kind}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A broken promise, and what the value is: "a string, not an integer"."""

    reason: str
    seen: str  # equal for values that break a promise in the same way


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is promised for one value."""

    types: tuple[type, ...] = ()  # as Python types; empty for any, also for the values below
    values: frozenset[Any] = frozenset()  # of an enumeration; empty for any
    form: str | None = None  # of a text, as in `text_format`
    least: int | None = None  # the smallest number
    names: Mapping[str, "Part"] = field(default_factory=dict)  # values under named keys
    others: "Part | None" = None  # values under any other key and at any position of a list
    several: bool = False  # a list of such values is allowed, as for links of one relation

    def at(self, key: str | int) -> "Part":
        """Return the part under a key or at a position of a list."""
        if isinstance(key, str) and key in self.names:
            return self.names[key]
        if isinstance(key, int) and self.several:
            return self
        return self.others or ANYTHING

    def along(self, path: Sequence[str | int]) -> "Part":
        """Return the part at a path below this one."""
        part = self
        for key in path:
            part = part.at(key)
        return part

    def breaches(
        self, value: Any, path: tuple[str | int, ...]
    ) -> Iterator[tuple[tuple[str | int, ...], Breach]]:
        """Yield the promises that the value or its parts break, each with its path."""
        if self.several and isinstance(value, list):
            for item in value:
                yield from self.breaches(item, path)
        elif (breach := self._breach(value, path[-1])) is not None:
            yield path, breach
        elif isinstance(value, dict | list):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from self.at(key).breaches(item, (*path, key))

    def _breach(self, value: Any, name: str | int) -> Breach | None:
        if self.types and type(value) not in self.types:
            reason = "does not allow null here" if value is None else "names another JSON type"
            expected = " or ".join(with_article(JSON_TYPES[each]) for each in self.types)
            seen = f"{with_article(json_type(value))}, not {expected}"
            return Breach(reason=f"the contract {reason}", seen=seen)
        if self.values and value not in self.values:
            return Breach(reason=f"no {name} of the contract", seen=json.dumps(value))
        if self.form is not None and isinstance(value, str):
            form = text_format(value)
            if form != self.form and not (self.form == ISOTIME and is_isotime(form)):
                seen = f"{with_article(form)}, not {with_article(self.form)}"
                return Breach(reason=f"the contract promises {self.form}", seen=seen)
        if self.least is not None and isinstance(value, int) and value < self.least:
            reason = f"the contract promises {self.least} or more"
            return Breach(reason=reason, seen=f"less than {self.least}")
        return None


ANYTHING: Final = Part()
"""A part without promises."""


STATUSES: Final = ("ACTIVE", "SAVING", "DELETED", "ERROR", "UNKNOWN")
"""The values of `status` since Diablo: Nova views/images.py, _get_status and its callers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What is promised for one field of an image detail, since the first release that sends it."""

    part: Part
    since: str
    required_since: str | None  # the first release in which every image has it
    source: str  # where the promise is documented
    # Earlier promises, each with the release that ended it, oldest first.
    earlier: tuple[tuple[str, Part], ...] = ()
    cause: str | None = None  # the metadata key that makes Nova send the field

    def part_in(self, release: str | None) -> Part:
        """Return what a release promises for the value; the newest if none is declared."""
        older = (part for first, part in self.earlier if not reached(release, first))
        return next(older, self.part)


JSON_PROPERTIES: Final = ("block_device_mapping", "mappings")
"""The metadata that Nova decodes from JSON; the rest is Glance's text.

Nova nova/image/glance.py, _CONVERT_PROPS; the same from Nova 19 to 34.
"""

_TEXT: Final = Part(types=(str,))
_COUNT: Final = Part(types=(int,), least=0)
_DATE: Final = Part(types=(str,), form=ISOTIME)
_METADATA: Final = Part(
    types=(dict,),
    names=dict.fromkeys(JSON_PROPERTIES, ANYTHING),
    others=Part(types=(str, type(None))),
)
_LINKS: Final = Part(
    types=(list,),
    others=Part(types=(dict,), names={"rel": _TEXT, "href": _TEXT}, others=ANYTHING, several=True),
)

_VIEWS: Final = "views/images.py"

FIELDS: Final[dict[str, Field]] = {
    "id": Field(
        part=Part(types=(str,), form=UUID),
        since="bexar",
        required_since="bexar",
        source="api-ref; UUID since Essex, counted by Glance before, a number before Diablo",
        earlier=(("diablo", Part(types=(int,))), ("essex", _TEXT)),
    ),
    "name": Field(
        part=Part(types=(str, type(None))),
        since="bexar",
        required_since="bexar",
        source="schemas/images.py; Glance lets an image have no name",
    ),
    "status": Field(
        part=Part(types=(str,), values=frozenset(STATUSES)),
        since="bexar",
        required_since="diablo",
        source=_VIEWS,
        earlier=(("diablo", _TEXT),),
    ),
    "progress": Field(part=_COUNT, since="cactus", required_since="diablo", source=_VIEWS),
    "minRam": Field(part=_COUNT, since="essex", required_since="essex", source=f"{_VIEWS}, MiB"),
    "minDisk": Field(part=_COUNT, since="essex", required_since="essex", source=f"{_VIEWS}, GiB"),
    "created": Field(part=_DATE, since="cactus", required_since="cactus", source="api-ref"),
    "updated": Field(
        part=Part(types=(str, type(None)), form=ISOTIME),
        since="cactus",
        required_since="cactus",
        source="schemas/images.py allows null",
    ),
    "metadata": Field(part=_METADATA, since="diablo", required_since="diablo", source="api-ref"),
    "links": Field(part=_LINKS, since="cactus", required_since="cactus", source="api-ref"),
    "server": Field(
        part=Part(
            types=(dict,),
            # Nova copies instance_uuid, which users can set to any text.
            names={"id": _TEXT, "links": _LINKS},
            others=ANYTHING,
        ),
        since="diablo",
        required_since=None,
        source=f"{_VIEWS}: only with metadata.instance_uuid",
        cause="instance_uuid",
    ),
    "OS-EXT-IMG-SIZE:size": Field(
        part=Part(types=(int,)),
        since="grizzly",
        required_since="stein",
        source="Nova d2b553030e; an extension with a policy through Rocky",
    ),
    "OS-DCF:diskConfig": Field(
        part=Part(types=(str,), values=frozenset({"AUTO", "MANUAL"})),
        since="diablo",
        required_since=None,
        source=f"{_VIEWS}: only with metadata.auto_disk_config",
        cause="auto_disk_config",
    ),
}


def promises(name: str, release: str | None) -> bool:
    """Return whether a release promises the field for every image.

    An undeclared release promises what the newest does, because today's clients rely on that.
    """
    since = FIELDS[name].required_since if name in FIELDS else None
    return since is not None and reached(release, since)


def offers(name: str, release: str | None) -> bool:
    """Return whether a release can send the field at all; an undeclared one can send any."""
    return name in FIELDS and reached(release, FIELDS[name].since)


@cache
def image_in(release: str | None) -> Part:
    """Return what a release promises for an image detail; the newest if none is declared."""
    names = {name: each.part_in(release) for name, each in FIELDS.items() if offers(name, release)}
    return Part(types=(dict,), names=names, others=ANYTHING)


IMAGE: Final = image_in(None)
"""What the newest release promises for an image detail."""

_SUPPORTED: Final = "Nova api/openstack/compute/images.py, SUPPORTED_FILTERS"

FILTERS: Final[Mapping[str, str]] = {
    "name": "equality; since Newton a colon in it is taken for an operator, which is a 400; "
    "Glance 13.0.0 db/sqlalchemy/api.py, split_filter_op",
    "status": "a status of Glance in lower case since Essex: SAVING finds no queued image, ERROR "
    "and UNKNOWN find none; Nova ff716dee03",
    "server": "since Essex the last segment of the URL is the id; a trailing slash finds nothing; "
    "Nova api/openstack/compute/images.py, _get_filters",
    "type": "equality with metadata.image_type (snapshot, backup); BASE, SERVER and ALL are "
    f"documented and were never in Nova, so they find nothing; {_SUPPORTED}",
    "changes-since": "through Mitaka deleted images are included and the bound is not; since "
    "Newton the other way round; Nova 14.0.0 conf/glance.py, use_glance_v1; Glance v1 and v2",
    "minRam": f"equality, although the documents say at least; {_SUPPORTED}",
    "minDisk": f"equality, although the documents say at least; {_SUPPORTED}",
    "limit": "0 means no limit through 2024.1; since 2024.2 the schema refuses it; Nova 30.0.0, "
    "commit 41b436bff7; Nova 29.4.0 has no such schema; recordings of 2023.1 and 2024.2",
    "marker": "the id of the last image seen; Diablo takes integers only; Nova 2011.3 "
    "api/openstack/common.py",
    "property-": "since Newton letters of `property-` are cut from the key, too: os_type is asked "
    "as s_type; Nova 8eca306ab0",
}
"""How Nova treats query parameters by name; `property-` stands for all with that prefix."""
