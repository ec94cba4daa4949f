"""From which cloud of a row to which one a field or a behavior was seen."""

from collections.abc import Iterator, Mapping

from pytest_imagedetail.listing import Listing
from pytest_imagedetail.matrix import Span
from pytest_imagedetail.model import Query, path_of
from pytest_imagedetail.shape import describe

Seen = dict[str, list[str]]
"""What was seen, and in which clouds."""


def spans(row: Mapping[str, Mapping[Query, Listing]], profile: str) -> tuple[Span, ...]:
    """What not every cloud shows: fields and links of images, fields beside them, statuses.

    A cloud that answered no image says nothing about fields, one that was not asked a query nothing
    about its status.

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
        *_behaviors(row),
    )


def _fields(listing: Listing, profile: str) -> Iterator[str]:
    if listing.error is not None:
        return
    for name in listing.document:
        if name != "images":
            yield path_of((name,))
    for path in describe(listing, profile).traits:
        yield path_of(("images", *path))


def _behaviors(row: Mapping[str, Mapping[Query, Listing]]) -> Iterator[Span]:
    for query in dict.fromkeys(query for answers in row.values() for query in answers):
        asked = [cloud for cloud, answers in row.items() if query in answers]
        statuses: Seen = {}
        for cloud in asked:
            statuses.setdefault(str(row[cloud][query].status_code), []).append(cloud)
        for status, seen in _uneven(statuses, asked):
            yield _span("behavior", f"{query} answers {status}", seen, asked)


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
