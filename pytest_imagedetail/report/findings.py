"""Gather what results show: the verdict, and each cause once with all that follows from it."""

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.cassette import file_name
from pytest_imagedetail.compare.comparison import Comparison, evidence, is_compatible, side_of
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import KINDS, SEVERITIES, Difference, Failure, Query, Severity, Side
from pytest_imagedetail.normalize import Normalized
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.report.terminal import paint
from pytest_imagedetail.transport.request import headers_of

Result = Comparison | Matrix
_Normalize = Callable[[Listing, str], Normalized]

_LONGEST_BODY: Final = 1200  # characters of a body that is no image


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One side of a piece of evidence.

    Attributes:
        cloud: Its name.
        recorded: When, and in which cassette.
        sent: The image as sent, or the start of the answer.
        compared: The image as compared, normalized; "" if the answer is no listing.
    """

    cloud: str
    recorded: str
    sent: str
    compared: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cause shows: between two clouds.

    Attributes:
        baseline: The name of the old cloud.
        candidate: The name of the new one.
        queries: The queries that show it.
        group: Its differences.
        sides: Both sides; none if a matrix was read from its JSON form.
        listings: Both answers; none if the result was read from its JSON form.
        profile: How they were normalized.
    """

    baseline: str
    candidate: str
    queries: tuple[Query, ...]
    group: text.Group
    sides: tuple[Side, ...]
    listings: tuple[Listing, ...]
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Differences of one kind at one path, wherever they show.

    Attributes:
        id: Twelve hex digits, equal in the report of a later recording.
        severity: Of all of them.
        kind: For example "field_removed".
        title: What happened, in words.
        path: For example `images[*].minRam`.
        reason: Why it has this severity.
        places: Between which clouds; one or more.
        curl: The command that asks for the first of them, without a token.
        facts: What the severity rests on, and the command that accepts the difference.
        answers: Both sides of the first difference.
    """

    id: str
    severity: Severity
    kind: str
    title: str
    path: str
    reason: str
    places: tuple[Place, ...]
    curl: str
    facts: tuple[str, ...]
    answers: tuple[Answer, ...]

    @property
    def clouds(self) -> tuple[str, ...]:
        """The clouds that it shows in."""
        return tuple(dict.fromkeys(text.plain(each.candidate) for each in self.places))

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries that show it."""
        asked = (str(query) for each in self.places for query in each.queries)
        return tuple(dict.fromkeys(map(text.plain, asked)))

    @property
    def count(self) -> int:
        """How many differences it stands for."""
        return sum(len(each.group.differences) for each in self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether results pass, and why.

    Attributes:
        passed: Whether nothing reaches the threshold and all could be compared; None if nothing was
            compared.
        sentence: The answer in one sentence.
        exit_code: Of a command with these results.
        facts: The threshold, the exit code and what was compared.
        limits: What was not compared, as pairs of a label and a line.
    """

    passed: bool | None
    sentence: str
    exit_code: int
    facts: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]

    @property
    def word(self) -> str:
        """PASS or FAIL, or NOTHING."""
        return "NOTHING" if self.passed is None else "PASS" if self.passed else "FAIL"

    @property
    def line(self) -> str:
        """The verdict on one line: "FAIL: 1 of 30 differences from a to b can break a client"."""
        return f"{self.word}: {self.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        limits = [{"label": label, "text": line} for label, line in self.limits]
        facts = {"sentence": self.sentence, "facts": list(self.facts), "limits": limits}
        return {"passed": self.passed, **facts}


def verdict_of(results: Sequence[Result], failures: Sequence[Failure]) -> Verdict:
    """Judge the results of one command or run together."""
    failing = [each for each in results if not each.compatible]
    lost = any(isinstance(each, Matrix) and each.lost for each in failing)
    exit_code = 2 if failures or lost else int(bool(failing))
    return Verdict(
        passed=not failing and not failures if results or failures else None,
        sentence=_sentence(results, failing, failures),
        exit_code=exit_code,
        facts=(*_facts(results), f"exit code {exit_code}", *_counts(results)),
        limits=tuple(dict.fromkeys(limit for each in results for limit in _limits(each))),
    )


def verdict_line(
    results: Sequence[Result], failures: Sequence[Failure] = (), *, color: bool = False
) -> str:
    """Return the verdict for a terminal."""
    verdict = verdict_of(results, failures)
    return paint(verdict.line, "same" if verdict.passed else "breaking", color=color)


def findings_of(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Return each cause once, worst first."""
    found: dict[tuple[str, ...], list[Place]] = {}
    for result in results:
        for place in _places(result):
            found.setdefault(_cause(place), []).append(place)
    ordered = sorted(found.items(), key=lambda each: SEVERITIES.index(_first(each[1]).severity))
    known: dict[tuple[int, str], Normalized] = {}

    def normalize(listing: Listing, profile: str) -> Normalized:
        """Normalize each listing once: many findings are about the same few."""
        key = (id(listing), profile)
        if key not in known:
            known[key] = listing.normalized(profile)
        return known[key]

    return tuple(_finding(cause, places, normalize) for cause, places in ordered)


def count_of(result: Result) -> str:
    """Return how much was compared: "9 clouds, 43 queries, 387 answers"."""
    if isinstance(result, Matrix):
        return grid.head(result)
    sides = (result.baseline, result.candidate)
    images = " and ".join(text.side(each)[1] for each in sides)
    return f"{images}, query {text.plain(str(result.baseline.query))}"


def name_of(result: Result) -> str:
    """Return the clouds of a result: "nova-2019.1 → 7 clouds → nova-2026.2"."""
    if isinstance(result, Matrix):
        return grid.title(result)
    return text.plain(f"{result.baseline.cloud} → {result.candidate.cloud}")


def notes_of(result: Result) -> tuple[tuple[str, str], ...]:
    """Return what was not compared and what the rules did."""
    return grid.notes(result) if isinstance(result, Matrix) else text.notes(result)


def _sentence(
    results: Sequence[Result], failing: Sequence[Result], failures: Sequence[Failure]
) -> str:
    if not results and not failures:
        return "no listing was compared"
    parts = []
    if failures:
        parts.append(f"{text.count(len(failures), 'comparison')} could not be made")
    if len(results) == 1:
        parts.append(_sentence_of(results[0]))
    elif failing:
        parts.append(f"{len(failing)} of {text.count(len(results), 'comparison')} fail")
    elif results:
        parts.append(f"{text.count(len(results), 'comparison')}, and none of them fails")
    return "; ".join(parts)


def _sentence_of(result: Result) -> str:
    """Say in one sentence what separates two clouds, or the first and the last of several."""
    first, last = _ends(result)
    found, breaking = len(result.severities), result.severities.count("breaking")
    of_rules = result.expired_rules and is_compatible(result.severities, result.fail_on)
    if not found or of_rules or (not breaking and not result.compatible):
        expired = "; an expired rule accepts nothing" * bool(result.expired_rules)
        return f"{first} to {last}: {result.summary}{expired}"
    if breaking and result.compatible:
        return f"{first} to {last}: {result.summary}; nothing makes it fail"
    differences = text.count(found, "difference")
    if found == 1:
        breaks = "can break a client" if breaking else "breaks no client"
        return f"the only difference from {first} to {last} {breaks}"
    if not breaking:
        return f"{differences} from {first} to {last}, and none of them breaks a client"
    can = "can break a client" if breaking == 1 else "can break clients"
    return f"{breaking} of {differences} from {first} to {last} {can}"


def _ends(result: Result) -> tuple[str, str]:
    if isinstance(result, Matrix):
        names = result.clouds[0], result.clouds[-1]
    else:
        names = result.baseline.cloud, result.candidate.cloud
    return text.plain(names[0]), text.plain(names[1])


def _facts(results: Sequence[Result]) -> Iterator[str]:
    thresholds = dict.fromkeys(each.fail_on for each in results)
    if thresholds:
        yield f"fails on: {', '.join(thresholds)}"


def _counts(results: Sequence[Result]) -> Iterator[str]:
    if len(results) == 1:
        yield count_of(results[0])
        yield f"profile {results[0].profile}"


def _limits(result: Result) -> Iterator[tuple[str, str]]:
    for label, line in notes_of(result):
        if label != "expected":
            yield label, line


def _places(result: Result) -> Iterator[Place]:
    if isinstance(result, Comparison):
        for group in text.groups(result.differences):
            yield Place(
                baseline=result.baseline.cloud,
                candidate=result.candidate.cloud,
                queries=(result.baseline.query,),
                group=group,
                sides=(result.baseline, result.candidate),
                listings=result.listings,
                profile=result.profile,
            )
        return
    for baseline, candidate, steps in result.pairs():
        for group, step in grid.groups(steps):
            pair = (result.answers.get(each, {}) for each in (baseline, candidate))
            found = [each.get(step.queries[0]) for each in pair]
            listings = tuple(each for each in found if each is not None)
            yield Place(
                baseline=baseline,
                candidate=candidate,
                queries=step.queries,
                group=group,
                sides=tuple(map(side_of, listings)),
                listings=listings,
                profile=result.profile,
            )


def _cause(place: Place) -> tuple[str, ...]:
    first = place.group.first
    of_query = first.kind in {"status_changed", "recording_missing"}
    subject = str(place.queries[0]) if of_query else first.any_image
    return first.severity, first.kind, subject


def _first(places: Sequence[Place]) -> Difference:
    return places[0].group.first


def _finding(cause: tuple[str, ...], places: Sequence[Place], normalize: _Normalize) -> Finding:
    place = places[0]
    first, query = place.group.first, place.queries[0]
    typed = " ".join([shlex.join([place.baseline, place.candidate]), *query.options])
    return Finding(
        id=text.fingerprint(*cause),
        severity=first.severity,
        kind=first.kind,
        title=_title(first, query),
        path=text.plain(first.any_image),
        reason=text.plain(first.reason),
        places=tuple(places),
        curl=_curl(query),
        facts=()
        if first.kind == "recording_missing"
        else evidence(first, place.sides, path=place.group.path, typed=typed),
        answers=tuple(_answer(each, place, normalize) for each in place.listings),
    )


def _title(first: Difference, query: Query) -> str:
    values = (str(each).partition(" ")[0] for each in (first.baseline, first.candidate))
    baseline, candidate = values
    field = first.any_image.removeprefix("images[*].").removeprefix("headers.")
    return text.plain(
        KINDS[first.kind].format(field=field, query=query, baseline=baseline, candidate=candidate)
    )


def _curl(query: Query) -> str:
    headers = [("X-Auth-Token", "$OS_TOKEN"), *headers_of(query).fields]
    url = "$OS_COMPUTE_URL/images/detail" + (f"?{query.wire}" if query.params else "")
    return " ".join(["curl", *(f'-H "{name}: {value}"' for name, value in headers), f'"{url}"'])


def _answer(listing: Listing, place: Place, normalize: _Normalize) -> Answer:
    first, provenance = place.group.first, listing.provenance
    recorded = f"recorded {provenance.recorded_at}" if provenance.recorded_at else "imported"
    compared = sent = ""
    image = first.image or next(iter(first.examples), None)
    if first.kind == "header_changed":
        fields = (f"{name}: {value}" for name, value in listing.headers.fields)
        sent = "\n".join([f"status {listing.status_code}", *fields])
    elif image is None or listing.error is not None:
        sent = f"status {listing.status_code}\n{text.cut(listing.body, _LONGEST_BODY)}"
    else:
        ids = [each.get("id") for each in listing.images]
        if image.id in ids:
            number = ids.index(image.id)
            sent = _json(listing.images[number])
            compared = _json(normalize(listing, place.profile).images[number])
    return Answer(
        cloud=text.plain(provenance.cloud),
        recorded=text.plain(f"{recorded}, {provenance.cloud}/{file_name(provenance.query)}"),
        sent=_lines(sent) or "it has no such image",
        compared=_lines(compared),
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _lines(many: str) -> str:
    return "\n".join(map(text.plain, many.splitlines()))
