"""The requests that are recorded from every real cloud, and the reasons.

A query is here because its response differs between releases, or because clients get a rule of the
API wrong. The values are those of `images.py`. Recording stops at a status that is not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_imagedetail.model import Query

from .images import IMAGES, INSTANCE, LISTED_TO_DEMO

_FOREIGN_PRIVATE = next(each.id for each in IMAGES if each.name == "private-of-other")
_UNICODE = next(str(each.name) for each in IMAGES if each.name and "\u00fc" in each.name)
_WHEN = "2024-01-06T08:01:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A query, the reason to record it, and its expected statuses."""

    query: Query
    why: str
    statuses: frozenset[int]


def _ask(why, *params, statuses=(200,)):
    return Question(query=Query(params), why=why, statuses=frozenset(statuses))


def _at(microversion, why, status=200):
    query = Query((), microversion)
    return Question(query=query, why=why, statuses=frozenset({status}))


DOCUMENTED = (
    _ask("the main query: every state, field and type that an image can have"),
    _ask("documented; inclusive, and deleted images are not listed", ("changes-since", _WHEN)),
    _ask("documented; finds the snapshots of a server by its id", ("server", INSTANCE)),
    _ask("documented; exact", ("name", "cirros-base")),
    _ask("documented; Glance's status in any case", ("status", "ACTIVE")),
    _ask("documented; really the property image_type", ("type", "snapshot")),
)
"""The main query and each documented parameter."""

OTHERS = (
    # differs between releases
    _ask("differs: the whole list, from 2024.2 on 400", ("limit", "0"), statuses=(200, 400)),
    _ask("differs: the message", ("limit", "-1"), statuses=(400,)),
    _ask("differs: the message", ("limit", "abc"), statuses=(400,)),
    _ask("differs: the message", ("limit", ""), statuses=(400,)),
    _ask("differs: a byte that is not UTF-8", ("name", "Z\udcfcrich"), statuses=(400, 500)),
    _ask("differs: an unknown parameter in the next link", ("foo", "x"), ("limit", "5")),
    _at("9.9", "differs: the message names the newest microversion", 406),
    # microversions
    _at("2.35", "the newest one that has this API"),
    _at("2.36", "the first one without this API", 404),
    _at("latest", "what some clients send", 404),
    _at("banana", "not a microversion", 400),
    # pages
    _ask("what `imagedetail doctor` asks", ("limit", "1")),
    _ask("a first page, with a next link", ("limit", "3")),
    _ask("a page in the middle", ("limit", "3"), ("marker", IMAGES[4].id)),
    _ask("as long as the list: a next link to an empty page", ("limit", "14")),
    _ask("an unknown marker", ("marker", "nope"), statuses=(400,)),
    _ask("a marker that belongs to another project", ("marker", _FOREIGN_PRIVATE), statuses=(403,)),
    _ask(
        "a next link keeps the other filters",
        ("type", "snapshot"),
        ("limit", "1"),
        ("changes-since", "2024-01-01T00:00:00Z"),
    ),
    # changes-since
    _ask("a time with an offset", ("changes-since", "2024-01-06T10:01:00+02:00")),
    _ask("nothing has changed: an empty list", ("changes-since", "2099-01-01T00:00:00Z")),
    _ask("not a time", ("changes-since", "yesterday"), statuses=(400,)),
    # server
    _ask(
        "a URL: only its last segment counts",
        ("server", f"https://compute.example.invalid/servers/{INSTANCE}"),
    ),
    # name
    _ask("two images of one name", ("name", "dup")),
    _ask("no image of this name", ("name", "nope")),
    _ask("spaces, quotes, ampersands and other scripts", ("name", _UNICODE)),
    _ask("Glance parses an operator before the colon", ("name", "org:name"), statuses=(400,)),
    # status
    _ask("images that are shown as SAVING, but not all of them", ("status", "SAVING")),
    _ask("a status of Glance, shown as SAVING", ("status", "queued")),
    _ask("a status of Glance, shown as UNKNOWN", ("status", "deactivated")),
    _ask("documented, and finds nothing", ("status", "ERROR")),
    # type
    _ask("documented as the default, and finds nothing", ("type", "ALL")),
    _ask("the property is compared with case", ("type", "base")),
    # other filters
    _ask("equality, not a minimum", ("minRam", "64")),
    _ask("equality, not a minimum", ("minDisk", "1")),
    _ask("a property of the image", ("property-architecture", "x86_64")),
    _ask("Nova strips letters from the name of this one", ("property-os_distro", "cirros")),
    _ask("three filters at once", ("type", "snapshot"), ("status", "ACTIVE"), ("server", INSTANCE)),
)
"""Requested on /v2.1 only; /v2 has other links and ignores microversions."""

_LEGACY = "/v2/{project}"
_DETAIL = "/v2.1/images/detail"
_SNAPSHOTS = "changes-since=2024-01-01T00%3A00%3A00Z&limit=1&type=snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """A GET of a client; `{project}` in the path stands for the project's id."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


def _besides_detail(endpoint):
    images = f"{endpoint}/images"
    return (
        images,
        *(f"{images}/{id_}" for id_ in LISTED_TO_DEMO),
        f"{images}/5eed9999-0000-4000-8000-000000009999",  # does not exist: a 404
        # openstacksdk finds a name first as an id, a 404, then in the list without details.
        f"{images}/cirros-base",
        f"{images}?name=cirros-base",
    )


def _further_pages(first, limit):
    """Return the requests of all pages after the first, spelled like next links.

    The last page is empty. openstacksdk requests it if it has a limit.
    """
    markers = dict.fromkeys([*LISTED_TO_DEMO[limit - 1 :: limit], LISTED_TO_DEMO[-1]])
    return tuple(f"{first}&marker={id_}" for id_ in markers)


def _all_pages(images, limit):
    first = f"{images}/detail?limit={limit}"
    return (first, *_further_pages(first, limit))


_PATHS = (
    # versions, as openstacksdk 4.22 and python-novaclient 7.1.2 spell them
    "/",
    "/v2.1",
    "/v2.1/",
    "/v2",
    "/v2/",
    _LEGACY,  # novaclient requests the version of its endpoint: a 404
    # the documented URL
    *(
        f"{_LEGACY}/images/detail{wire and '?' + wire}"
        for wire in (each.query.wire for each in DOCUMENTED)
    ),
    *_besides_detail(_LEGACY),
    *_besides_detail("/v2.1"),
    # pages of five, from the first to the last
    *_all_pages("/v2.1/images", 5),
    *_all_pages(f"{_LEGACY}/images", 5),
    # the next links of the listings above
    *_further_pages(f"{_DETAIL}?limit=1", 1),
    *_further_pages(f"{_DETAIL}?limit=3", 3),
    f"{_DETAIL}?limit=3&marker={IMAGES[1].id}",  # after the page in the middle
    *_further_pages(f"{_DETAIL}?limit=14", 14),
    f"{_DETAIL}?{_SNAPSHOTS}&marker={IMAGES[1].id}",
    *_further_pages(f"{_DETAIL}?foo=x&limit=5", 5),  # newer Novas' links lack foo
)

CLIENTS = (
    *(ClientRequest(path=path) for path in _PATHS),
    # as fog-openstack asks
    ClientRequest(path=_DETAIL, headers={"X-OpenStack-Nova-API-Version": "2.15"}),
)
"""What clients request to list and show images, in addition to the listings on /v2.1."""
