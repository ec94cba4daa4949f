"""Say what a cause rests on: the request, both answers, the contract, and how to accept it."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from pytest_imagedetail import contract
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import Difference, Query, Side
from pytest_imagedetail.report import text
from pytest_imagedetail.report.findings import Finding
from pytest_imagedetail.transport.request import headers_of

_LONGEST_BODY: Final = 1200  # characters of a body that is no image


def explain(finding: Finding, typed: str | None) -> Iterator[tuple[str, str]]:
    """Yield what a severity rests on, and how to accept the cause; see `Report.typed`."""
    yield from facts(finding.first, finding.places[0].sides)
    yield "accept", accept_line(finding, typed)


def facts(difference: Difference, sides: Sequence[Side]) -> Iterator[tuple[str, str]]:
    """Yield what a severity rests on, as pairs of a label and a line."""
    yield from _promise(difference, sides)
    for side in sides[:1]:
        for name, _ in dict.fromkeys(side.query.params):
            known = "property-" if name.startswith("property-") else name
            if note := contract.FILTERS.get(known):
                yield "filter", f"{name}: {note}"


def accept_command(typed: str, path: str, kind: str) -> str:
    """Return the command that accepts a difference; `typed` are sides and options, quoted."""
    sign = "=" if path.startswith("-") else " "  # or argparse would take the path for an option
    path = f"--path{sign}{shlex.quote(path)}"
    return f"imagedetail accept {typed} {path} --kind {kind} --reason WHY --expires DAY"


def accept_line(finding: Finding, typed: str | None) -> str:
    """Return how to accept a cause: by the command, or by a line in the file of rules."""
    (place, *others), between = finding.places, ""
    if typed is not None:
        return accept_command(typed, place.group.path, finding.kind)
    if not others:
        pair = [each.cloud for each in place.sides] or [place.baseline, place.candidate]
        between = f"between: {json.dumps(pair)}, "
    rule = f"id: '{finding.id}', {between}reason: WHY, expires: DAY"
    return f"in imagedetail-rules.yaml: - {{{rule}}}"


def _promise(difference: Difference, sides: Sequence[Side]) -> Iterator[tuple[str, str]]:
    found = re.match(r"images\[\*\]\.([^.\[]+)", difference.any_image)
    if found is None:
        return
    if (promise := contract.FIELDS.get(found[1])) is None:
        yield "contract", f"no release of Nova sends {found[1]}"
        return
    types = " or ".join(contract.JSON_TYPES[each] for each in promise.part.types)
    since = contract.release_name(contract.release_index(promise.since) or 0)
    always = "with every image" if promise.since == promise.required_since else "not with every one"
    if promise.required_since not in {None, promise.since}:
        required = contract.release_name(contract.release_index(promise.required_since) or 0)
        always = f"with every image since {required}"
    yield "contract", f"{found[1]} is {types}, sent since {since}, {always}; {promise.source}"
    for side in sides:
        if side.release is None:
            yield "release", f"{side.cloud} declares none: it is judged as the newest"


def curl(query: Query) -> str:
    """Return the command that asks a cloud, without a token."""
    headers = [("X-Auth-Token", "$OS_TOKEN"), *headers_of(query).fields]
    url = "$OS_COMPUTE_URL/images/detail" + (f"?{query.wire}" if query.params else "")
    return " ".join(["curl", *(f'-H "{name}: {value}"' for name, value in headers), f'"{url}"'])


def body(listing: Listing, difference: Difference) -> str:
    """Return what a difference is about, as sent: the image, the headers or the whole answer."""
    status = f"status {listing.status_code}"
    if difference.kind == "header_changed":
        fields = (f"{name}: {value}" for name, value in listing.headers.fields)
        return "\n".join([status, *fields])
    image = difference.image or next(iter(difference.examples), None)
    if image is None or listing.error is not None:
        return f"{status}\n{text.cut(listing.body, _LONGEST_BODY)}"
    found = next((each for each in listing.images if each.get("id") == image.id), None)
    if found is None:
        return "it has no such image"
    return json.dumps(found, indent=1, ensure_ascii=False)
