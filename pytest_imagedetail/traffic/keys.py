"""What makes two interactions the same: by that they are found, counted and missed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pytest_imagedetail.model import Headers, Interaction, Recording

Key = tuple[str, str, tuple[tuple[str, str], ...], bytes]
"""What makes two requests the same: method, URL, headers and body, redacted."""


def key_of(each: Interaction) -> Key:
    """What makes the request of an interaction the same as another's."""
    return each.method, each.url, _fields(each.request_headers), each.request_body


def by_request(interactions: Iterable[Interaction]) -> dict[Key, list[Interaction]]:
    """Interactions by what makes their requests the same, each in its order."""
    found: dict[Key, list[Interaction]] = {}
    for each in interactions:
        found.setdefault(key_of(each), []).append(each)
    return found


def answer_of(each: Interaction) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """What makes two answers the same: status, headers and body."""
    return each.response.status_code, _fields(each.response.headers), each.response.body


def times_asked(recording: Recording) -> Counter[Key]:
    """How often each request was asked."""
    return Counter(map(key_of, recording.interactions))


def lacking(kept: Recording, heard: Sequence[Interaction]) -> list[Interaction]:
    """What was heard and is not in a recording."""
    left = Counter(map(_whole, kept.interactions))
    missing = []
    for each in heard:
        if left[_whole(each)]:
            left[_whole(each)] -= 1
        else:
            missing.append(each)
    return missing


def unasked(recording: Recording, asked: Mapping[Key, int]) -> list[str]:
    """The requests of a recording that were asked less often than it holds them, a line for each.

    Args:
        recording: Of several tests.
        asked: The most often that one of them asked each.
    """
    return [
        line(each[0]) if len(each) == 1 else f"{line(each[0])} ({len(each)} times)"
        for key, each in by_request(recording.interactions).items()
        if asked.get(key, 0) < len(each)
    ]


def line(each: Interaction) -> str:
    """What was asked, in one line."""
    return f"{each.method} {each.url}"


def _whole(each: Interaction) -> tuple[object, ...]:
    return key_of(each), answer_of(each)


def _fields(headers: Headers) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in headers.fields))
