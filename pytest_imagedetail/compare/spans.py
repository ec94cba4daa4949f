"""From which cloud of a row to which one a field or a behavior was seen."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pytest_imagedetail.compare.matrix import Span
from pytest_imagedetail.compare.shape import describe
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import Query, path_of
from pytest_imagedetail.settings import DEFAULT_PROFILE

_NEXT: Final = "images_links"
_NEXT_LINK: Final = "the next link"

Seen = dict[str, list[str]]
"""What was seen, and in which clouds."""


def spans(row: Mapping[str, Mapping[Query, Listing]], profile: str) -> tuple[Span, ...]:
    """What not every cloud shows: fields and links, statuses, forms of links, where next pages lie.

    A cloud that answered no image says nothing about fields, one that was not asked a query nothing
    about its status, one that shows no link of a kind nothing about how it is written.

    Args:
        row: The clouds in their order, with what each answered.
        profile: How far to normalize.
    """
    fields: Seen = {}
    speaking = []
    for cloud, answers in row.items():
        shown = dict.fromkeys(path for each in answers.values() for path in _fields(each, profile))
        if any(path.startswith("images[") for path in shown):
            speaking.append(cloud)
            for path in shown:
                fields.setdefault(path, []).append(cloud)
    return (
        *(_span("field", path, seen, speaking) for path, seen in _uneven(fields, speaking)),
        *_statuses(row),
        *_manners(row),
    )


def _fields(listing: Listing, profile: str) -> Iterator[str]:
    if listing.error is not None:
        return
    for name in listing.document:
        if name != "images":
            yield path_of((name,))
    for path in describe(listing, listing.normalized(profile)).traits:
        yield path_of(("images", *path))


def _statuses(row: Mapping[str, Mapping[Query, Listing]]) -> Iterator[Span]:
    for query in dict.fromkeys(query for answers in row.values() for query in answers):
        asked = [cloud for cloud, answers in row.items() if query in answers]
        statuses: Seen = {}
        for cloud in asked:
            statuses.setdefault(str(row[cloud][query].status_code), []).append(cloud)
        for status, seen in _uneven(statuses, asked):
            yield _span("behavior", f"{query} answers {status}", seen, asked)


def _manners(row: Mapping[str, Mapping[Query, Listing]]) -> Iterator[Span]:
    """What clouds do with links, whatever they were asked."""
    found: dict[str, Seen] = {}
    for cloud, answers in row.items():
        shown = (each for listing in answers.values() for each in _of_links(listing))
        for what, how in dict.fromkeys(shown):
            found.setdefault(what, {}).setdefault(how, []).append(cloud)
    for what, seen in found.items():
        showing = [cloud for cloud in row if any(cloud in clouds for clouds in seen.values())]
        for how, clouds in _uneven(seen, showing):
            yield _span("behavior", f"{what} {how}", clouds, showing)


def _of_links(listing: Listing) -> Iterator[tuple[str, str]]:
    """Each kind of link, and how it is written; a next link, and where it leads."""
    if listing.error is not None:
        return
    # The profile that takes out of links what releases changed is the one that says what it was.
    for path, forms in listing.normalized(DEFAULT_PROFILE).answer.link_forms.items():
        yield from ((path, form) for form in sorted(map(str, forms)))
    links = listing.document.get(_NEXT, [])
    for link in links if isinstance(links, list) else [links]:
        yield _NEXT_LINK, _where(link)
    if not links and _is_full(listing):
        yield _NEXT_LINK, "is missing after a full page"


def _where(link: Any) -> str:
    """Where a next link leads, without host, project and what it asks."""
    href = link.get("href") if isinstance(link, dict) and link.get("rel") == "next" else None
    if not isinstance(href, str) or not href:
        return "is none that can be followed"
    path = href.partition("?")[0]
    known = (each for each in ("/images", "/images/detail") if path.endswith(each))
    return f"leads to {next(known, 'no list of images')}"


def _is_full(listing: Listing) -> bool:
    """Whether this is one page with as many images as were asked for; Nova takes the last limit."""
    limits = [value for name, value in listing.query.params if name == "limit"]
    return listing.provenance.pages == 1 and limits[-1:] == [str(len(listing.images))] != ["0"]


def _uneven(found: Seen, clouds: list[str]) -> Iterator[tuple[str, list[str]]]:
    return ((what, seen) for what, seen in found.items() if seen != clouds)


def _span(kind: str, what: str, seen: list[str], clouds: list[str]) -> Span:
    first, last = clouds.index(seen[0]), clouds.index(seen[-1])
    return Span(
        kind=kind,
        what=what,
        first=None if first == 0 else seen[0],
        last=None if last == len(clouds) - 1 else seen[-1],
        missing=tuple(each for each in clouds[first : last + 1] if each not in seen),
    )
