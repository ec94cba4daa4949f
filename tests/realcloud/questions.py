"""What every real cloud is asked: the questions of the reference library.

Each parameter alone with good, empty, unknown and bad values, combinations, pages, microversions.
The values are those of `images.py`. A question lists the statuses that some release answers with;
another one is a surprise and stops the recording.
"""

from dataclasses import dataclass

from pytest_imagedetail.model import Query

from .images import BASE, IMAGES, INSTANCE

OK = frozenset({200})
REFUSED = frozenset({400})
BY_RELEASE = frozenset({200, 400})  # limit=0: the whole list through 2023.1, refused from 2024.2

_FOREIGN_PRIVATE = next(each.id for each in IMAGES if each.name == "private-of-other")
_UNICODE = next(str(each.name) for each in IMAGES if each.name and "\u00fc" in each.name)
_LAST = IMAGES[0].id  # the oldest comes last
_SNAPSHOT = "type", "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One query, and the statuses that are no surprise."""

    query: Query
    statuses: frozenset[int] = OK


def _ask(
    *params: tuple[str, str], statuses: frozenset[int] = OK, microversion: str | None = None
) -> Question:
    return Question(query=Query(params, microversion), statuses=statuses)


QUESTIONS: tuple[Question, ...] = (
    _ask(),
    # type: equality on the property image_type, whatever the old reference says
    *(_ask(("type", each)) for each in ("BASE", "SERVER", "ALL", "base", "snapshot", "nope", "")),
    # status: Glance's word, not the one that is shown
    *(
        _ask(("status", each))
        for each in ("ACTIVE", "active", "SAVING", "queued", "DELETED", "ERROR", "UNKNOWN")
    ),
    *(_ask(("status", each)) for each in ("deactivated", "importing", "nope", "")),
    # name
    *(_ask(("name", each)) for each in ("cirros-base", "CIRROS-BASE", "dup", "nope", "", _UNICODE)),
    _ask(("name", "in:dup,cirros-base")),
    _ask(("name", "org:name"), statuses=REFUSED),
    _ask(("name", "100%")),
    _ask(("name", "Z\udcfcrich"), statuses=frozenset({400, 500})),  # a byte that is not UTF-8
    # server: what stands behind the last slash
    _ask(("server", INSTANCE)),
    _ask(("server", f"https://compute.example.invalid/servers/{INSTANCE}")),
    _ask(("server", f"{INSTANCE}/")),
    *(_ask(("server", each)) for each in ("nope", "")),
    # changes-since: every form of time
    *(
        _ask(("changes-since", each))
        for each in (
            "2024-01-06T08:01:00Z",
            "2024-01-06T08:01:00",
            "2024-01-06",
            "2024-01-06T08:01:00.000Z",
            "2024-01-06T10:01:00+02:00",
            "1999-01-01T00:00:00Z",
            "2099-01-01T00:00:00Z",
        )
    ),
    *(
        _ask(("changes-since", each), statuses=REFUSED)
        for each in ("2024-01-06T10:01:00 02:00", "1704528060", "yesterday", "")
    ),
    # minimums: equality, not a minimum
    *(_ask(("minRam", each)) for each in ("64", "63", "0", "abc", "-1", "")),
    *(_ask(("minDisk", each)) for each in ("1", "0", "abc")),
    # properties: Newton and later strip letters of the name
    _ask(("property-architecture", "x86_64")),
    _ask(("property-os_distro", "cirros")),
    _ask(("property-image_type", "base")),
    # pages
    *(_ask(("limit", each)) for each in ("1", "3", "14", "15", "1000", "1001")),
    _ask(("limit", "0"), statuses=BY_RELEASE),
    *(_ask(("limit", each), statuses=REFUSED) for each in ("-1", "abc", "")),
    _ask(("limit", "3"), ("marker", IMAGES[4].id)),
    _ask(("marker", BASE.id)),
    _ask(("marker", "nope"), statuses=REFUSED),
    _ask(("marker", _FOREIGN_PRIVATE), statuses=frozenset({403})),
    _ask(("marker", "")),
    _ask(("limit", "1"), ("limit", "2")),
    # combinations
    _ask(("name", "dup"), ("status", "ACTIVE")),
    _ask(("name", "dup"), ("limit", "1")),
    _ask(_SNAPSHOT, ("status", "ACTIVE"), ("server", INSTANCE)),
    _ask(_SNAPSHOT, ("limit", "1"), ("changes-since", "2024-01-01T00:00:00Z")),
    # unknown ones are passed over
    *(_ask((each, "x")) for each in ("foo", "visibility", "NAME")),
)

MICROVERSIONS: tuple[Question, ...] = (
    *(_ask(microversion=each) for each in ("2.1", "2.35")),
    _ask(("limit", "3"), microversion="2.35"),
    *(_ask(microversion=each, statuses=frozenset({404})) for each in ("2.36", "latest")),
    _ask(microversion="9.9", statuses=frozenset({406})),
    _ask(microversion="banana", statuses=REFUSED),
)
"""Asked on /v2.1 only; /v2 does not look at the header."""

NOBODY = "5eed0000000040008000000000000bad"
"""A project that no cloud has."""

NO_TOKEN = "a-token-that-no-keystone-gave"
"""What is sent as X-Auth-Token where the question is a wrong one."""

WRONG_TOKEN: tuple[Question, ...] = (
    _ask(statuses=frozenset({401})),
    _ask(("limit", "x"), statuses=frozenset({401})),  # who asks is asked first
)
WRONG_PROJECT: tuple[Question, ...] = (
    _ask(statuses=REFUSED),
    _ask(("limit", "x"), statuses=REFUSED),
)
