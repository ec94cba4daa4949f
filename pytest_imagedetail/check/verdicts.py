"""Run the checks and return one verdict with evidence for each."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Final

from pytest_imagedetail.check.asking import Answer, Cloud, Target
from pytest_imagedetail.compare.pairing import reference
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Image, ImageRef, RuleRef, id_of
from pytest_imagedetail.report.notes import expired, why
from pytest_imagedetail.rules import Rules, accepting, of_check, unused
from pytest_imagedetail.text import count

VERDICTS: Final = ("fail", "inconclusive", "known-deviation", "vacuous", "pass")
"""Worst first."""

JUDGED: Final = ("fail", "known-deviation", "pass")
"""Of checks whose relation was shown to hold or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """The image that a finding is about; None for what the answer does not contain."""

    id: Any
    name: Any = None
    owner: Any = None
    visibility: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What a finding leads to: who is affected, since which release, under which setting."""

    status: int | None = None  # sent by Nova instead of the listing
    since: str | None = None
    option: str | None = None
    affected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that breaks the schema of "nova" or "tempest", or that Nova cannot read."""

    schema: str | None = None
    where: str  # the answer, as the caller names it
    path: str
    image: FoundImage | None  # None if the place belongs to no image
    keys: tuple[str, ...] = ()  # names that are missing, not allowed, or have unreadable values
    value: Any = None
    error: str  # as Nova sends it, if the schema is Nova's
    consequence: Consequence
    command: str | None = None  # removes the properties at fault
    advice: str

    @property
    def place(self) -> str:
        """The path and the names: "images[8].metadata 'a/b'"."""
        return self.path + "".join(f" {key!r}" for key in self.keys)

    @property
    def kind(self) -> str:
        """The same place in any image: "images[*].metadata 'a/b'"."""
        return re.sub(r"^images\[\d+\]", "images[*]", self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One way in which an answer breaks a relation."""

    answer: Answer
    text: str
    kind: str = ""  # the same without request and values
    image: Image | None = None  # shows it
    lists: tuple[str, ...] = ()  # which images are listed instead: see `Deviation.lists`
    findings: tuple[Finding, ...] = ()  # of a forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one question to the cloud showed."""

    answer: Answer  # the last one needed
    problems: tuple[Problem, ...] = ()  # one of each kind
    shows: bool = True  # False if agreement proves nothing: no image could have matched
    missing: str = ""  # why it is inconclusive
    counted: str = ""  # what was judged, if not the cloud's images


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What releases from `since` to `until` are known to do instead; None sets no bound.

    A problem is this deviation if it fits `requests`, `problems` and `lists`, if given.
    """

    what: str
    source: str  # where that was read or measured
    since: str | None = None
    until: str | None = None
    requests: tuple[str, ...] = ()  # the request contains one of these, ignoring case
    problems: tuple[str, ...] = ()  # the problem's text contains one of these
    lists: str = ""  # "nothing", "a part" of the images, or those that are known "instead"

    @property
    def releases(self) -> str:
        """The affected releases in words: "since newton"."""
        if self.since:
            return f"{self.since} to {self.until}" if self.until else f"since {self.since}"
        return f"through {self.until}" if self.until else "all releases"

    def matches(self, problem: Problem, release: str | None) -> bool:
        """Return whether a problem is this deviation; an unknown release can have any."""
        index, first, last = map(release_index, (release, self.since, self.until))
        request = problem.answer.request.upper()
        return (
            (index is None or first is None or first <= index)
            and (index is None or last is None or index <= last)
            and (not self.requests or any(each.upper() in request for each in self.requests))
            and (not self.problems or any(each in problem.text for each in self.problems))
            and (not self.lists or self.lists in problem.lists)
        )

    def to_dict(self) -> dict[str, str]:
        """Return the deviation as `check --json` prints it."""
        return {"what": self.what, "releases": self.releases, "source": self.source}


Ask = Callable[[Cloud, Sequence[Image]], Iterable[Outcome]]
"""Query a cloud that has these images and yield the outcome of each question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A relation that must hold on every cloud. The id is stable: M1 to M27, S1 to S3."""

    id: str
    title: str  # a question
    relation: str
    shown_by: str = "an image"  # what a cloud needs to show it
    outcomes: Ask = field(repr=False)
    deviations: tuple[Deviation, ...] = ()
    needs_rest: bool = True  # counts only if the listing did not change meanwhile
    asks_again: bool = False  # requests all images a second time
    is_forecast: bool = False  # judges what all other checks received, errors included
    fixed: tuple[str, ...] = ()  # parameters whose values do not depend on the cloud


def check(
    title: str, relation: str, *deviations: Deviation, **facts: Any
) -> Callable[[Ask], Check]:
    """Turn a function that yields outcomes into a check with the function's name as its id."""
    made = partial(Check, title=title, relation=relation, deviations=deviations, **facts)
    return lambda ask: made(id=ask.__name__.strip("_").upper(), outcomes=ask)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One way in which a check is broken, with its first example."""

    id: str  # "M24-4432bdb99e6e", the same for other clouds and in later reports
    what: str  # "GET /images/detail?name= lacks an image": without values
    reason: str
    image: ImageRef | None = None
    curl: str = ""
    accepted: str = ""  # the known deviation or the rule that accepts it
    expired: str = ""  # the rule that accepted it until it expired


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a check on a cloud, with its evidence."""

    check: Check
    cloud: str
    verdict: str
    reason: str = ""
    counted: str = ""
    requests: tuple[str, ...] = ()  # the ones needed, sent or not
    causes: tuple[Cause, ...] = ()
    image: ImageRef | None = None
    curl: str = ""
    findings: tuple[Finding, ...] = ()
    unasked: bool = False  # the cloud could not be asked at all

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """The known deviations among the causes."""
        known = {each.what: each for each in self.check.deviations}
        return tuple(known[each.accepted] for each in self.causes if each.accepted in known)

    @property
    def failing(self) -> tuple[Cause, ...]:
        """The causes that nothing accepts."""
        return tuple(each for each in self.causes if not each.accepted)

    def from_causes(self, causes: Iterable[Cause]) -> "Verdict":
        """Return the verdict that follows from causes, with the first that fails as example."""
        found = replace(self, causes=tuple(causes))
        first = (found.failing or found.causes)[0]
        return replace(
            found,
            verdict="fail" if found.failing else "known-deviation",
            reason=first.reason,
            image=first.image,
            curl=first.curl,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as `check --json` prints it."""
        evidence = {
            "question": self.check.title,
            "id": "".join(each.id for each in self.failing[:1]),
            "reason": self.reason,
            "counted": self.counted,
            "requests": list(self.requests),
            "image": self.image and asdict(self.image),
            "curl": self.curl,
            "known_deviations": [each.to_dict() for each in self.deviations],
            "causes": [asdict(each) for each in self.causes],
            "findings": [asdict(each) for each in self.findings],
            "unasked": self.unasked,
        }
        return {
            "id": self.check.id,
            "cloud": self.cloud,
            "verdict": self.verdict,
            "relation": self.check.relation,
            "evidence": {key: value for key, value in evidence.items() if value},
        }


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """Return 1 for a failure, 2 if a cloud could not be asked, else 0."""
    failed = any(each.verdict == "fail" for each in verdicts)
    return 1 if failed else 2 * any(each.unasked for each in verdicts)


def accepted(verdicts: Sequence[Verdict], rules: Rules) -> tuple[Verdict, ...]:
    """Turn failures into known deviations if rules accept the ids of all their causes."""
    return tuple(
        each.from_causes(
            _by_rule(one, of_check(rules, each.check.id, each.cloud)) for one in each.causes
        )
        if each.verdict == "fail"
        else each
        for each in verdicts
    )


def _by_rule(cause: Cause, rules: Rules) -> Cause:
    rule = accepting(rules, kind="", path="", id_=cause.id)
    if rule is None or cause.accepted:
        return cause
    if rule.expired:
        return replace(cause, expired=expired(rule))
    return replace(cause, accepted=why(rule))


def unused_rules(verdicts: Sequence[Verdict], rules: Rules) -> tuple[RuleRef, ...]:
    """Return the rules for judged checks that accept no cause."""
    pairs = [
        (rule, each)
        for each in verdicts
        if each.verdict in JUDGED
        for rule in of_check(rules, each.check.id, each.cloud)
    ]
    used = {rule.ref for rule, each in pairs if rule.ref.id in {one.id for one in each.causes}}
    of_checks = tuple(rule for rule in rules if rule.check)
    return unused(of_checks, {rule for rule, _ in pairs}, used)


def run(cloud: Cloud, checks: Sequence[Check]) -> tuple[Verdict, ...]:
    """Run checks on a cloud between two requests for all images.

    If the listing of all images is an error, only forecasts run.

    Raises:
        RecordingError: The live cloud could not be asked.
        ResponseError: The listing of all images is an error that no forecast explains.
    """
    whole = cloud.listing()
    if not whole.is_listing:
        return _without_listing(cloud, checks, whole)
    images = whole.images
    # Checks that list everything again run late, so that all questions lie between both listings.
    order = sorted(checks, key=lambda each: (each.is_forecast, each.asks_again))
    judged = {each.id: _judge(each, cloud, images) for each in order}
    verdicts = tuple(judged[each.id] for each in checks)
    reason, image = _moved(cloud, images)
    if not reason:
        return verdicts
    moved: dict[str, Any] = {"verdict": "inconclusive", "reason": reason, "image": image}
    return tuple(
        replace(each, **moved, causes=(), curl="")
        if each.check.needs_rest and each.verdict != "vacuous"
        else each
        for each in verdicts
    )


def _without_listing(cloud: Cloud, checks: Sequence[Check], whole: Answer) -> tuple[Verdict, ...]:
    """Judge a cloud whose listing of all images is an error or was not requested."""
    name, is_error = cloud.target.name, whole.status != 0
    reason = f"the listing of all images was answered {whole.status}" if is_error else whole.missing
    verdicts = tuple(
        _judge(each, cloud, [])
        if each.is_forecast and is_error
        else Verdict(
            check=each, cloud=name, verdict="inconclusive", reason=reason, unasked=not is_error
        )
        for each in checks
    )
    if is_error and not any(each.verdict == "fail" for each in verdicts):
        remedy = f"look at the answer: {whole.curl}"
        raise ResponseError(reason, where=f"cloud {name}", remedy=remedy, status_code=whole.status)
    return verdicts


def _moved(cloud: Cloud, before: Sequence[Image]) -> tuple[str, ImageRef | None]:
    """Return how the listing changed while it was checked; "" if it did not."""
    after = cloud.listing(again=True)
    if not after.status:  # a recording does not change
        return ("" if len(cloud.received) < cloud.budget else after.missing), None
    if not after.is_listing:
        error = f"the listing of all images was answered {after.status} when it was asked again"
        return error, None
    old, new = ({each["id"]: each for each in images} for images in (before, after.images))
    for id_, image in (old | new).items():
        if id_ not in new:
            change = "disappeared"
        elif id_ not in old:
            change = "appeared"
        elif old[id_].get("updated") != image.get("updated"):
            change = "was updated"
        else:
            continue
        moved = reference(image)
        return f"the listing moved while it was checked: {moved} {change}", moved
    return "", None


def _judge(check: Check, cloud: Cloud, images: Sequence[Image]) -> Verdict:
    cloud.trace.clear()
    outcomes = list(check.outcomes(cloud, images))
    missing = [each.missing for each in outcomes if each.missing]
    held = [each for each in outcomes if not (each.problems or each.missing)]
    broken = [one for each in outcomes for one in each.problems]
    counted = (
        f"{count(len(images), 'image')}; {len(held)} of {count(len(outcomes), 'question')} agree"
        + (f", {len(missing)} not asked" if missing else "")
    )
    verdict = Verdict(
        check=check,
        cloud=cloud.target.name,
        verdict="pass",
        counted=next((each.counted for each in outcomes if each.counted), counted),
        requests=tuple(cloud.trace),
    )
    if broken:
        causes: dict[str, Cause] = {}
        for problem in broken:
            for cause in _causes(check, problem, cloud.target):
                causes.setdefault(cause.id, cause)
        findings = [one for each in broken for one in each.findings]
        shown = tuple(_shown(each, cloud.target) for each in findings)
        return replace(verdict, findings=shown).from_causes(causes.values())
    if missing:
        return replace(verdict, verdict="inconclusive", reason=missing[0])
    if not any(each.shows for each in held):
        return replace(verdict, verdict="vacuous", reason=f"needs {check.shown_by}")
    return verdict


def _causes(check: Check, problem: Problem, target: Target) -> Iterator[Cause]:
    """Yield the causes of one problem: one for each finding, if it has any."""
    reason = target.shown(problem.text)
    known = next((e.what for e in check.deviations if e.matches(problem, target.release)), "")
    if known and target.release is None:
        reason += "; the release is not declared, so this may be a known deviation"
    what = known or target.shown(f"{problem.answer.question(check.fixed)} {problem.kind}")
    found = [(each.kind, each.image and asdict(each.image)) for each in problem.findings]
    for kind, image in found or [(what, problem.image)]:
        yield Cause(
            id=f"{check.id}-{id_of(check.id, kind)}",
            what=kind,
            reason=reason,
            image=reference(image) if image else None,
            curl=problem.answer.curl,
            accepted=known,
        )


def _shown(finding: Finding, target: Target) -> Finding:
    """Redact a finding, because values of properties may be secrets."""
    owner = finding.image and finding.image.owner
    shown = target.shown({"owner": owner, "value": finding.value, "error": finding.error})
    image = finding.image and replace(finding.image, owner=shown["owner"])
    return replace(finding, image=image, value=shown["value"], error=shown["error"])
