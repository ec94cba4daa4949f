"""Gather the evidence for a cause: request, both answers, contract, and how to accept it."""

import glob
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail import contract, text
from pytest_imagedetail.cassette import file_name
from pytest_imagedetail.compare.comparison import Step
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import OF_QUERY, Difference, Query, Side
from pytest_imagedetail.normalize import Normalized
from pytest_imagedetail.report import notes
from pytest_imagedetail.report.findings import Finding, field_of
from pytest_imagedetail.transport.request import headers_of, url_of

_LONGEST_BODY: Final = 1200  # characters of a body that is not an image
_Cache = dict[tuple[int, str], Normalized]
"""Normalized listings by identity and profile, because many causes share a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAnswer:
    """One cloud's answer, as evidence."""

    cloud: str
    recorded_at: str | None
    file: str  # its cassette, relative to the cassette folder
    sent: str  # the image, or the start of the answer
    compared: str  # the image, normalized; "" if the answer is not a listing
    rules: str  # normalization rules that changed the answer: "R2 link host 27"


def sent_answers(findings: Sequence[Finding]) -> Iterator[list[SentAnswer]]:
    """Yield both clouds' answers for each cause; [] if they are unknown."""
    cache: _Cache = {}
    for finding in findings:
        yield [_sent_answer(listing, finding, cache) for listing in finding.places[0].step.listings]


def explain(finding: Finding, arguments: str | None) -> Iterator[tuple[str, str]]:
    """Yield the grounds for a severity, and how to accept the cause; see `Report.arguments`."""
    yield from facts(finding.places[0].step)
    yield "accept", accept_line(finding, arguments)


def facts(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the grounds for a severity, as pairs of a label and a line."""
    yield from _promise(step.difference, step.sides)
    for name in dict.fromkeys(name for name, _ in step.queries[0].params):
        documented = "property-" if name.startswith("property-") else name
        if note := contract.FILTERS.get(documented):
            yield "filter", f"{name}: {note}"


def accept_command(arguments: str, path: str, kind: str) -> str:
    """Return the command that accepts a difference; see `Report.arguments`."""
    sign = "=" if path.startswith("-") else " "  # or argparse reads the path as an option
    path = f"--path{sign}{shlex.quote(path)}"
    return f"imagedetail accept {arguments} {path} --kind {kind} --reason WHY --expires DAY"


def accept_line(finding: Finding, arguments: str | None) -> str:
    """Return the command that accepts a cause, or a line for the rules file."""
    (place, *others), where = finding.places, ""
    if arguments is not None:
        return accept_command(arguments, place.path, finding.kind)
    if not others:
        clouds = {side.name: side.cloud for side in place.step.sides}
        pair = [clouds.get(name, name) for name in (place.step.baseline, place.step.candidate)]
        where = f"between: {json.dumps(pair)}, "
    if finding.kind in OF_QUERY:  # or the rule would count as unused for other queries
        where += f"query: {json.dumps(glob.escape(finding.subject))}, "
    rule = f"id: '{finding.id}', {where}reason: WHY, expires: DAY"
    return f"in imagedetail-rules.yaml: - {{{rule}}}"


def _promise(difference: Difference, sides: Sequence[Side]) -> Iterator[tuple[str, str]]:
    if not difference.any_image.startswith("images[*]."):
        return
    name = field_of(difference.any_image)
    if (promise := contract.FIELDS.get(name)) is None:
        yield "contract", f"no release of Nova sends {name}"
        return
    types = " or ".join(contract.JSON_TYPES[each] for each in promise.part.types)
    since = contract.release_name(contract.release_index(promise.since) or 0)
    always = "with every image" if promise.since == promise.required_since else "not with every one"
    if promise.required_since not in {None, promise.since}:
        required = contract.release_name(contract.release_index(promise.required_since) or 0)
        always = f"with every image since {required}"
    yield "contract", f"{name} is {types}, sent since {since}, {always}; {promise.source}"
    for side in sides:
        if side.release is None:
            yield "release", f"{side.cloud} declares none: it is judged as the newest"


def curl_of(query: Query) -> str:
    """Return the curl command for a query, without a token."""
    fields = [f"{name}: {value}" for name, value in headers_of(query).fields]  # its microversion
    escaped = (re.sub(r'["$`\\]', r"\\\g<0>", field) for field in fields)
    options = (f'-H "{line}"' for line in ("X-Auth-Token: $OS_TOKEN", *escaped))
    return " ".join(["curl", *options, f'"{url_of("$OS_COMPUTE_URL", query)}"'])


def _sent_answer(listing: Listing, finding: Finding, cache: _Cache) -> SentAnswer:
    first, provenance, profile = finding.first, listing.provenance, finding.results[0].profile
    sent, compared, rules = "it has no such image", "", ""
    image = first.image or next(iter(first.examples), None)
    if first.kind == "header_changed":
        fields = (f"{name}: {value}" for name, value in listing.headers.fields)
        sent = "\n".join([f"status {listing.status_code}", *fields])
    elif image is None or listing.error is not None:
        sent = f"status {listing.status_code}\n{text.cut(listing.body, _LONGEST_BODY)}"
    else:
        ids = [str(image["id"]) for image in listing.images]
        if image.id in ids:
            number = ids.index(image.id)
            key = (id(listing), profile)
            normalized = cache.get(key) or cache.setdefault(key, listing.normalized(profile))
            sent, compared = map(_json, (listing.images[number], normalized.images[number]))
            rules = notes.applied_rules(normalized.counts)
    return SentAnswer(
        cloud=provenance.cloud,
        recorded_at=provenance.recorded_at,
        file=f"{provenance.cloud}/{file_name(provenance.query)}",
        sent=sent,
        compared=compared,
        rules=rules,
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)
