"""Run the checks and return one verdict with evidence for each."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.check.asking import Cloud, Target
from pytest_imagedetail.check.forecast import Finding
from pytest_imagedetail.check.relations import Outcome, Problem, compare_images
from pytest_imagedetail.check.samples import Images, distinct_images
from pytest_imagedetail.compare.pairing import reference
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Image, ImageRef, RuleRef, id_of
from pytest_imagedetail.report.notes import expired, why
from pytest_imagedetail.rules import Rules, matching_rule, rules_for_check, unused
from pytest_imagedetail.text import count

VERDICTS: Final = ("fail", "inconclusive", "known-deviation", "vacuous", "pass")
"""Worst first."""

CONCLUSIVE: Final = ("fail", "known-deviation", "pass")
"""Verdicts of checks that showed whether their relation holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What releases from `since` to `until` are known to do instead; None sets no bound.

    A problem is this deviation if it fits `pattern` and `instead`, if given.
    """

    what: str
    source: str  # where that was read or measured
    since: str | None = None
    until: str | None = None
    pattern: str = ""  # a regular expression for the problem's text, in either case
    instead: bool = False  # the check knows which images are listed instead

    @property
    def releases(self) -> str:
        """The affected releases in words: "since newton"."""
        if self.since:
            return f"{self.since} to {self.until}" if self.until else f"since {self.since}"
        return f"through {self.until}" if self.until else "all releases"

    def matches(self, problem: Problem, releases: range) -> bool:
        """Return whether a problem of one of these releases is this deviation."""
        first, last = map(release_index, (self.since, self.until))
        return (
            (first is None or first <= releases[-1])
            and (last is None or releases[0] <= last)
            and re.search(self.pattern, problem.text, re.IGNORECASE) is not None
            and (problem.instead or not self.instead)
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
    needs: str = "an image"  # what a cloud must have, or the verdict is vacuous
    outcomes: Ask = field(repr=False)
    deviations: tuple[Deviation, ...] = ()
    needs_stability: bool = True  # counts only if the listing did not change meanwhile
    asks_again: bool = False  # requests all images a second time
    is_forecast: bool = False  # judges what all other checks received, errors included
    fixed: tuple[str, ...] = ()  # parameters whose values do not depend on the cloud


def check(relation: str, *deviations: Deviation, **facts: Any) -> Callable[[Ask], Check]:
    """Turn a function into a check: its name is the id, its docstring the title."""
    made = partial(Check, relation=relation, deviations=deviations, **facts)
    return lambda ask: made(id=ask.__name__[1:].upper(), title=ask.__doc__ or "", outcomes=ask)


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
        by_what = {deviation.what: deviation for deviation in self.check.deviations}
        return tuple(by_what[cause.accepted] for cause in self.causes if cause.accepted in by_what)

    @property
    def failing(self) -> tuple[Cause, ...]:
        """The causes that nothing accepts."""
        return tuple(cause for cause in self.causes if not cause.accepted)

    def from_causes(self, causes: Iterable[Cause]) -> "Verdict":
        """Return the verdict that follows from causes, with the first that fails as example."""
        verdict = replace(self, causes=tuple(causes))
        first = (verdict.failing or verdict.causes)[0]
        return replace(
            verdict,
            verdict="fail" if verdict.failing else "known-deviation",
            reason=first.reason,
            image=first.image,
            curl=first.curl,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as `check --json` prints it."""
        facts = {"id": self.check.id, "cloud": self.cloud, "verdict": self.verdict}
        evidence = {
            "question": self.check.title,
            "id": "".join(each.id for each in self.failing[:1]),
            **{
                name: value for name, value in asdict(self).items() if name not in {"check", *facts}
            },
            "known_deviations": [deviation.to_dict() for deviation in self.deviations],
        }
        shown = {name: value for name, value in evidence.items() if value}
        return {**facts, "relation": self.check.relation, "evidence": shown}


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """Return 1 for a failure, 2 if a cloud could not be asked, else 0."""
    failed = any(verdict.verdict == "fail" for verdict in verdicts)
    return 1 if failed else 2 * any(verdict.unasked for verdict in verdicts)


def apply_rules(verdicts: Sequence[Verdict], rules: Rules) -> tuple[Verdict, ...]:
    """Turn failures into known deviations if rules accept the ids of all their causes."""
    return tuple(
        verdict.from_causes(
            _apply(rules_for_check(rules, verdict.check.id, verdict.cloud), cause)
            for cause in verdict.causes
        )
        if verdict.verdict == "fail"
        else verdict
        for verdict in verdicts
    )


def _apply(rules: Rules, cause: Cause) -> Cause:
    rule = matching_rule(rules, kind="", path="", cause=cause.id)
    if rule is None or cause.accepted:
        return cause
    if rule.expired:
        return replace(cause, expired=expired(rule))
    return replace(cause, accepted=why(rule))


def unused_rules(
    verdicts: Sequence[Verdict], rules: Rules, checks: Sequence[Check]
) -> tuple[RuleRef, ...]:
    """Return the rules that accept no cause: of conclusive checks, or of none of `checks`."""
    pairs = [
        (rule, verdict)
        for verdict in verdicts
        if verdict.verdict in CONCLUSIVE
        for rule in rules_for_check(rules, verdict.check.id, verdict.cloud)
    ]
    used = {rule.ref for rule, each in pairs if rule.ref.id in [cause.id for cause in each.causes]}
    of_checks, ids = tuple(rule for rule in rules if rule.check), {check.id for check in checks}
    unknown = {rule for rule in of_checks if rule.check not in ids}
    return unused(of_checks, {rule for rule, _ in pairs} | unknown, used)


def run(cloud: Cloud, checks: Sequence[Check]) -> tuple[Verdict, ...]:
    """Run checks on a cloud between two requests for all images.

    If the listing of all images is an error, only forecasts run.

    Raises:
        RecordingError: The live cloud could not be asked.
        ResponseError: The listing of all images is an error that no forecast explains.
    """
    answer, name = cloud.listing(), cloud.target.name
    status, images, reason = answer.status, answer.images, answer.missing
    if status and not answer.is_listing:
        reason = f"the listing of all images was answered {status}"
    unjudged = partial(Verdict, cloud=name, verdict="inconclusive", reason=reason)
    # Checks that list everything again run late, so that all questions lie between both listings.
    by_id = {
        check.id: unjudged(check=check, unasked=not status)
        if reason and not (check.is_forecast and status)
        else _judge(check, cloud, images)
        for check in sorted(checks, key=lambda check: (check.is_forecast, check.asks_again))
    }
    verdicts = tuple(by_id[check.id] for check in checks)
    if reason and status and not any(verdict.verdict == "fail" for verdict in verdicts):
        remedy = f"look at the answer: {cloud.target.curl(answer)}"
        raise ResponseError(reason, where=f"cloud {name}", remedy=remedy, status_code=status)
    change, image = ("", None) if reason else _listing_change(cloud, images)
    changed = partial(replace, verdict="inconclusive", reason=change, image=image)
    return tuple(
        changed(verdict, causes=(), curl="")
        if change and verdict.check.needs_stability and verdict.verdict != "vacuous"
        else verdict
        for verdict in verdicts
    )


def _listing_change(cloud: Cloud, before: Images) -> tuple[str, ImageRef | None]:
    """Return how the listing changed while it was checked; "" if it did not."""
    after = cloud.listing(again=True)
    if not after.status and len(cloud.received) < cloud.budget:
        return "", None  # a recording does not change
    found = compare_images(after, _stamps(before), _stamps(after.images), ignored=("name",))
    for each in found.problems:
        reason = f"the listing changed while it was checked: {each.text}"
        reason, image = cloud.target.redact([reason, each.image])
        return reason, reference(image) if image else None
    return cloud.target.redact(found.missing), None


def _stamps(images: Images) -> Images:
    """Return the ids and names, and when each image was updated."""
    fields = ("id", "name", "updated")
    stamps = ({key: image.get(key) for key in fields} for image in distinct_images(images))
    return sorted(stamps, key=lambda image: str(image["id"]))


def _judge(check: Check, cloud: Cloud, images: Sequence[Image]) -> Verdict:
    cloud.trace.clear()
    outcomes = list(check.outcomes(cloud, images))
    missing = [outcome.missing for outcome in outcomes if outcome.missing]
    agreeing = [outcome for outcome in outcomes if not (outcome.problems or outcome.missing)]
    problems = [problem for outcome in outcomes for problem in outcome.problems]
    questions = count(len(outcomes), "question")
    counted = f"{count(len(images), 'image')}; {len(agreeing)} of {questions} agree" + (
        f", {len(missing)} not asked" if missing else ""
    )
    verdict = Verdict(
        check=check,
        cloud=cloud.target.name,
        verdict="pass",
        counted=next((outcome.counted for outcome in outcomes if outcome.counted), counted),
        requests=tuple(dict.fromkeys(cloud.target.redact([*cloud.trace]))),
    )
    if problems:
        causes: dict[str, Cause] = {}
        for cause in (_cause(check, problem, cloud.target) for problem in problems):
            causes.setdefault(cause.id, cause)
        found = [problem.finding for problem in problems if problem.finding]
        # Values of properties may be secrets.
        facts = [{"image": e.image, "value": e.value, "error": e.error} for e in found]
        redacted = zip(found, cloud.target.redact(facts), strict=True)
        findings = tuple(replace(finding, **shown) for finding, shown in redacted)
        return replace(verdict, findings=findings).from_causes(causes.values())
    if missing:
        return replace(verdict, verdict="inconclusive", reason=cloud.target.redact(missing[0]))
    if all(outcome.vacuous for outcome in agreeing):
        return replace(verdict, verdict="vacuous", reason=f"needs {check.needs}")
    return verdict


def _cause(check: Check, problem: Problem, target: Target) -> Cause:
    question = problem.answer.question(urlsplit(target.root).path, check.fixed)
    image = problem.image and {key: problem.image.get(key) for key in ("id", "name")}
    what, reason, image = target.redact([f"{question} {problem.kind}", problem.text, image])
    deviation = next((e.what for e in check.deviations if e.matches(problem, target.releases)), "")
    if deviation and target.release is None:
        reason += "; the release is not declared, so this may be a known deviation"
    what = deviation or (problem.kind if problem.finding else what)
    return Cause(
        id=f"{check.id}-{id_of(check.id, what)}",
        what=what,
        reason=reason,
        image=reference(image) if image else None,
        curl=target.curl(problem.answer),
        accepted=deviation,
    )
