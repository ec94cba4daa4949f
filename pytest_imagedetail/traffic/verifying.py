"""Compare what a cloud answers now with what was recorded."""

import json
from collections.abc import Iterator
from typing import Final

from pytest_imagedetail.compare.differ import diff
from pytest_imagedetail.model import Recording, Response, path_of
from pytest_imagedetail.normalize.equality import strictly_equal
from pytest_imagedetail.report import text
from pytest_imagedetail.traffic.matching import by_request, line

_SHOWN: Final = 8  # changes of one body in a message


def changes(old: Recording, new: Recording) -> list[str]:
    """Return a line for each difference between a recording and new answers."""
    before, now = by_request(old.interactions), by_request(new.interactions)
    lines = [f"no longer asked: {line(each[0])}" for key, each in before.items() if key not in now]
    for key, received in now.items():
        known = before.get(key, [])
        if not known:
            lines.append(f"not recorded: {line(received[0])}")
        elif len(known) != len(received):
            lines.append(f"asked {len(received)} times, recorded {len(known)}: {line(received[0])}")
        for one, other in zip(known, received, strict=False):
            lines += [
                f"{line(one)}: {each}" for each in _response_changes(one.response, other.response)
            ]
    return lines


def _response_changes(old: Response, new: Response) -> Iterator[str]:
    if old.status_code != new.status_code:
        yield f"status {old.status_code} -> {new.status_code}"
        return
    for name in dict.fromkeys([*old.headers, *new.headers]):
        values = old.headers.get(name), new.headers.get(name)
        if values[0] != values[1] and name.lower() != "content-length":
            yield f"header {name}: {values[0]} -> {values[1]}"
    if old.body == new.body:
        return
    try:
        bodies = json.loads(old.body), json.loads(new.body)
    except (ValueError, RecursionError):
        yield f"body: {len(old.body)} -> {len(new.body)} bytes"
        return
    if strictly_equal(*bodies):
        yield "body: the same values in another layout"
        return
    (found,) = diff([bodies])
    lines = []
    for each in found:
        before, after = text.contrast(each.baseline, each.candidate)
        lines.append(f"{path_of(('body', *each.path))}: {before} -> {after}")
    yield from sorted(lines)[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"and {len(lines) - _SHOWN} more in its body"
