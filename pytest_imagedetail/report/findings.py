"""Gather what results show: the verdict, and each cause once with all that follows from it."""

import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pytest_imagedetail.cassette import file_name
from pytest_imagedetail.compare.comparison import (
    SCHEMA,
    Comparison,
    evidence,
    is_compatible,
    side_of,
)
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import KINDS, SEVERITIES, Difference, Failure, Query, Severity, Side
from pytest_imagedetail.normalize import Normalized
from pytest_imagedetail.report import grid, text
from pytest_imagedetail.transport.request import headers_of

Result = Comparison | Matrix
_Normalize = Callable[[Listing, str], Normalized]

_LONGEST_BODY: Final = 1200  # characters of a body that is no image


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One side of a piece of evidence.

    Attributes:
        cloud: Its name.
        recorded_at: UTC, ISO 8601; None for an imported body.
        file: Its cassette, below the folder of all.
        sent: The image as sent, or the start of the answer.
        compared: The image as compared, normalized; "" if the answer is no listing.
        rules: What the rules of the profile changed in the whole answer: "R2 link host 27".
    """

    cloud: str
    recorded_at: str | None
    file: str
    sent: str
    compared: str
    rules: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cause shows: between two clouds.

    Attributes:
        baseline: The name of the old cloud.
        candidate: The name of the new one.
        queries: The queries that show it.
        seen: When the answers of the new one were recorded, if known.
        group: Its differences.
        sides: Both sides; none if a matrix was read from its JSON form.
        listings: Both answers; none if the result was read from its JSON form.
        profile: How they were normalized.
    """

    baseline: str
    candidate: str
    queries: tuple[Query, ...]
    seen: tuple[str, ...]
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
        first_seen: When the first answer that shows it was recorded, in this report or in an
            earlier one; None if not known. UTC, ISO 8601.
        last_seen: When the last one was.
        new: Whether an earlier report, if one is given, lacks it.
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
    first_seen: str | None
    last_seen: str | None
    new: bool
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
    def subject(self) -> str:
        """Its path, or the query whose whole answer changed."""
        whole = self.kind in {"status_changed", "recording_missing"}
        return text.plain(str(self.places[0].queries[0])) if whole else self.path

    @property
    def field(self) -> str:
        """The field or header at its path: "minRam", "metadata"; or what else differs."""
        return re.split(r"[.\[]", self.path.removeprefix("images[*]."))[0]

    @property
    def count(self) -> int:
        """How many differences it stands for."""
        return sum(len(each.group.differences) for each in self.places)

    @property
    def history(self) -> str:
        """When it was seen: "first seen 2026-11-20, last seen 2026-11-23"; may be empty."""
        first, last = (each and each[:10] for each in (self.first_seen, self.last_seen))
        if first == last:
            return f"seen {first}" if first else ""
        return f"first seen {first}, last seen {last}"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without evidence."""
        return {
            "id": self.id,
            "severity": self.severity,
            "kind": self.kind,
            "path": self.path,
            "title": self.title,
            "reason": self.reason,
            "count": self.count,
            "clouds": list(self.clouds),
            "queries": list(self.queries),
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


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
        return {
            "passed": self.passed,
            "exit_code": self.exit_code,
            "sentence": self.sentence,
            "facts": list(self.facts),
            "limits": limits,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A cause that an earlier report has and this one has not.

    Attributes:
        id: See `Finding`.
        severity: As it was; of a check its verdict.
        title: As it was.
        why: "gone", "accepted by a rule" or "not compared".
    """

    id: str
    severity: str
    title: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What changed since an earlier report.

    Attributes:
        where: The file of the earlier report.
        new: How many causes it lacks.
        known: How many it has, too.
        gone: The causes that it alone has.
    """

    where: str
    new: int
    known: int
    gone: tuple[Gone, ...]

    @property
    def line(self) -> str:
        """For example "last.json: 1 new cause, 6 known, 2 gone"."""
        counts = Counter(each.why for each in self.gone)
        rest = "".join(f", {number} {why}" for why, number in counts.items())
        return f"{self.where}: {text.count(self.new, 'new cause')}, {self.known} known{rest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What every form of a report shows.

    Attributes:
        results: Comparisons and matrices, in their order.
        failures: Comparisons that could not be made.
        verdict: On all of them.
        findings: Each cause once, worst first.
        since: What changed since an earlier report, if one is given.
    """

    results: tuple[Result, ...]
    failures: tuple[Failure, ...]
    verdict: Verdict
    findings: tuple[Finding, ...]
    since: Since | None

    def fails(self, finding: Finding) -> bool:
        """Tell whether a cause reaches the severity from which on the results fail."""
        thresholds = {each.fail_on for each in self.results}
        return not all(is_compatible([finding.severity], each) for each in thresholds)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        since = {} if self.since is None else {"since": asdict(self.since)}
        return {
            "schema": SCHEMA,
            "verdict": self.verdict.to_dict(),
            "findings": [each.to_dict() for each in self.findings],
            **since,
            "comparisons": [
                each.to_dict() for each in self.results if not isinstance(each, Matrix)
            ],
            "matrices": [each.to_dict() for each in self.results if isinstance(each, Matrix)],
            "failures": [asdict(each) for each in self.failures],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier report to compare with.

    Attributes:
        where: Its file.
        findings: Its findings in their JSON form, by id.
    """

    where: str
    findings: Mapping[str, Mapping[str, Any]]


def report_of(
    results: Sequence[Result],
    failures: Sequence[Failure] = (),
    *,
    earlier: Earlier | None = None,
    exit_code: int | None = None,
) -> Report:
    """Gather what a report on these results shows.

    Args:
        results: Comparisons and matrices, in their order.
        failures: Comparisons that could not be made.
        earlier: An earlier report to compare with.
        exit_code: Of the run; None for that of a command with these results.
    """
    found = findings_of(results, earlier)
    return Report(
        results=tuple(results),
        failures=tuple(failures),
        verdict=verdict_of(results, failures, exit_code),
        findings=found,
        since=None if earlier is None else _since(earlier, found, results),
    )


def _since(earlier: Earlier, found: Sequence[Finding], results: Sequence[Result]) -> Since:
    here = {each.id for each in found}
    new = sum(each.new for each in found)
    accepted = {one.id(query) for each in results for one, query in accepted_in(each)}
    compared = {pair for each in results for pair in _compared(each)}
    gone = []
    for id_, facts in earlier.findings.items():
        pairs = {(cloud, query) for cloud in facts["clouds"] for query in facts["queries"]}
        if id_ not in here:
            why = "gone" if pairs & compared else "not compared"
            why = "accepted by a rule" if id_ in accepted else why
            title = text.plain(facts["title"])
            gone.append(Gone(id=id_, severity=facts["severity"], title=title, why=why))
    return Since(where=earlier.where, new=new, known=len(found) - new, gone=tuple(gone))


def accepted_in(result: Result) -> Iterator[tuple[Difference, Query]]:
    """Yield what rules accept, each with its first query."""
    if isinstance(result, Matrix):
        yield from ((each.difference, each.queries[0]) for each in result.expected)
    else:
        yield from ((each, result.query) for each in result.expected)


def _compared(result: Result) -> Iterator[tuple[str, str]]:
    """Yield the candidates with the queries that were compared."""
    if isinstance(result, Matrix):
        yield from ((text.plain(cloud), text.plain(str(query))) for query, cloud in result.cells)
    else:
        yield text.plain(result.candidate.name), text.plain(str(result.query))


def verdict_of(
    results: Sequence[Result], failures: Sequence[Failure], exit_code: int | None = None
) -> Verdict:
    """Judge the results of one command or run together.

    Args:
        results: Comparisons and matrices.
        failures: Comparisons that could not be made.
        exit_code: Of the run; None for that of a command with these results.
    """
    failing = [each for each in results if not each.compatible]
    lost = any(isinstance(each, Matrix) and each.lost for each in failing)
    if exit_code is None:
        exit_code = 2 if failures or lost else int(bool(failing))
    return Verdict(
        passed=not failing and not failures if results or failures else None,
        sentence=_sentence(results, failing, failures),
        exit_code=exit_code,
        facts=(*_facts(results), f"exit code {exit_code}", *_counts(results)),
        limits=tuple(dict.fromkeys(limit for each in results for limit in _limits(each))),
    )


def findings_of(results: Sequence[Result], earlier: Earlier | None = None) -> tuple[Finding, ...]:
    """Return each cause once, worst first."""
    before = {} if earlier is None else earlier.findings
    found: dict[str, list[Place]] = {}
    for result in results:
        for place in _places(result):
            found.setdefault(place.group.first.id(place.queries[0]), []).append(place)
    ordered = sorted(found.items(), key=lambda each: SEVERITIES.index(_first(each[1]).severity))
    known: dict[tuple[int, str], Normalized] = {}

    def normalize(listing: Listing, profile: str) -> Normalized:
        """Normalize each listing once: many findings are about the same few."""
        key = (id(listing), profile)
        if key not in known:
            known[key] = listing.normalized(profile)
        return known[key]

    return tuple(_finding(id_, places, normalize, before.get(id_)) for id_, places in ordered)


def count_of(result: Result) -> str:
    """Return how much was compared: "9 clouds, 43 queries, 387 answers"."""
    if isinstance(result, Matrix):
        return grid.head(result)
    sides = (result.baseline, result.candidate)
    images = " and ".join(text.side(each)[1] for each in sides)
    return f"{images}, query {text.plain(str(result.query))}"


def name_of(result: Result) -> str:
    """Return the clouds of a result: "nova-2019.1 → 7 clouds → nova-2026.2"."""
    if isinstance(result, Matrix):
        return grid.title(result)
    return text.plain(f"{result.baseline.name} → {result.candidate.name}")


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
        number = sum(each.count for each in failures)
        parts.append(f"{text.count(number, 'comparison')} could not be made")
    if len(results) == 1:
        parts.append(_sentence_of(results[0]))
    elif failing:
        fail = "fails" if len(failing) == 1 else "fail"
        parts.append(f"{len(failing)} of {text.count(len(results), 'comparison')} {fail}")
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
        names = result.baseline.name, result.candidate.name
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
                baseline=result.baseline.name,
                candidate=result.candidate.name,
                queries=(result.query,),
                seen=_known([result.candidate.recorded_at]),
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
            cells = [result.cells.get((query, candidate)) for query in step.queries]
            yield Place(
                baseline=baseline,
                candidate=candidate,
                queries=step.queries,
                seen=_known(each.recorded_at for each in cells if each is not None),
                group=group,
                sides=tuple(map(side_of, listings)),
                listings=listings,
                profile=result.profile,
            )


def _known(dates: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(text.plain(each) for each in dates if each)


def _first(places: Sequence[Place]) -> Difference:
    return places[0].group.first


def _finding(
    id_: str,
    places: Sequence[Place],
    normalize: _Normalize,
    earlier: Mapping[str, Any] | None,
) -> Finding:
    place = places[0]
    dates = [each for place in places for each in place.seen]
    before = _known([earlier["first_seen"]]) if earlier is not None else ()
    first, query = place.group.first, place.queries[0]
    names = [each.cloud for each in place.sides] or [place.baseline, place.candidate]
    typed = " ".join([shlex.join(names), *query.options])
    return Finding(
        id=id_,
        severity=first.severity,
        kind=first.kind,
        title=_title(first, query),
        path=text.plain(first.any_image),
        reason=text.plain(first.reason),
        places=tuple(places),
        first_seen=min([*before, *dates], default=None),
        last_seen=max(dates, default=None),
        new=earlier is None,
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
    compared = sent = rules = ""
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
            normalized = normalize(listing, place.profile)
            compared = _json(normalized.images[number])
            rules = text.rules_done(normalized.counts)
    return Answer(
        cloud=text.plain(provenance.cloud),
        recorded_at=next(iter(_known([provenance.recorded_at])), None),
        file=text.plain(f"{provenance.cloud}/{file_name(provenance.query)}"),
        sent=_lines(sent) or "it has no such image",
        compared=_lines(compared),
        rules=rules,
    )


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str)


def _lines(many: str) -> str:
    return "\n".join(map(text.plain, many.splitlines()))
