"""Judge what the checks ask: one verdict for each check, with its evidence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pytest_imagedetail.check.asking import Answer, Cloud, NotAskedError
from pytest_imagedetail.check.forecast import Finding
from pytest_imagedetail.contract import release_index
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Image, ImageRef

VERDICTS: Final = ("fail", "inconclusive", "known-deviation", "vacuous", "pass")
"""Worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What some releases are known to do instead.

    Attributes:
        what: What they do.
        source: Where that was read or measured.
        since: The first of these releases; None for all before `until`.
        until: The last of them; None if it was never changed.
    """

    what: str
    source: str
    since: str | None = None
    until: str | None = None

    @property
    def releases(self) -> str:
        """The releases that have it, for a reader: "since newton"."""
        if self.since and self.until:
            return f"{self.since} to {self.until}"
        if self.since:
            return f"since {self.since}"
        return f"through {self.until}" if self.until else "all releases"

    def is_of(self, release: str | None) -> bool:
        """Return whether a release has it; one that is not known may."""
        index, first, last = map(release_index, (release, self.since, self.until))
        if index is None:
            return True
        return (first is None or first <= index) and (last is None or index <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one question to the cloud showed.

    Attributes:
        answer: The last answer that was needed.
        problem: How the relation is broken; empty if it holds.
        image: The image that shows it, if one does.
        shows: Whether it says anything: an empty set is equal to an ignored one.
        note: What else is worth telling.
    """

    answer: Answer | None = None
    problem: str = ""
    image: ImageRef | None = None
    shows: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question of a check.

    Attributes:
        test: Asks the cloud.
        known: For each known deviation, whether an outcome is that one.
    """

    test: Callable[[], Outcome]
    known: Mapping[Deviation, Callable[[Outcome], bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A relation that holds of every cloud.

    Attributes:
        id: Stable: M1 to M27.
        title: A question.
        relation: What must hold.
        shown_by: What a cloud must have to show it.
        cases: Yields the questions for a cloud.
        deviations: What some releases are known to do instead.
        needs_rest: Whether it counts only if the listing did not change meanwhile.
        asks_again: Whether it asks for the listing of all images a second time.
        judge: Judges what all other checks received, in place of cases.
    """

    id: str
    title: str
    relation: str
    shown_by: str
    cases: Callable[[Cloud, Sequence[Image]], Iterable[Case]] = field(
        default=lambda *_: (), repr=False
    )
    deviations: tuple[Deviation, ...] = ()
    needs_rest: bool = True
    asks_again: bool = False
    judge: "Callable[[Check, Cloud], Verdict] | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check says of a cloud.

    Attributes:
        check: The check.
        cloud: The name of the cloud.
        verdict: One of `VERDICTS`.
        reason: Why, in one line.
        counted: What was looked at.
        requests: The requests that were needed, made or not.
        deviations: The known deviations that were seen.
        image: The image that shows it.
        curl: A command that shows it again; the token stays a variable.
        findings: Of a forecast: every place at fault, and how to heal it.
    """

    check: Check
    cloud: str
    verdict: str
    reason: str = ""
    counted: str = ""
    requests: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    image: ImageRef | None = None
    curl: str = ""
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict as `check --json` prints it."""
        evidence: dict[str, Any] = {
            "question": self.check.title,
            "reason": self.reason,
            "counted": self.counted,
            "requests": list(self.requests),
            "image": self.image and {"id": self.image.id, "name": self.image.name},
            "curl": self.curl,
            "known_deviations": [
                {"what": each.what, "releases": each.releases, "source": each.source}
                for each in self.deviations
            ],
            "findings": [each.to_dict() for each in self.findings],
        }
        return {
            "id": self.check.id,
            "cloud": self.cloud,
            "verdict": self.verdict,
            "relation": self.check.relation,
            "evidence": {key: value for key, value in evidence.items() if value},
        }


def run(cloud: Cloud, checks: Sequence[Check]) -> tuple[Verdict, ...]:
    """Judge a cloud by checks; the listing of all images is asked before and after.

    If the listing of all images is an error, only a forecast can say why.

    Raises:
        RecordingError: The live cloud could not be asked.
        ResponseError: It answered the listing of all images with an error, for no known reason.
    """
    try:
        images = cloud.images()
    except NotAskedError as error:
        return tuple(
            Verdict(check=each, cloud=cloud.target.name, verdict="inconclusive", reason=str(error))
            for each in checks
        )
    except ResponseError as error:
        verdicts = [_explained(each, cloud, error) for each in checks]
        if not any(each.verdict == "fail" for each in verdicts):
            raise
        return tuple(verdicts)
    # What asks for the whole listing again comes late, so that all questions lie between both.
    order = sorted(checks, key=lambda each: (each.judge is not None, each.asks_again))
    judged = {each.id: _judge(each, cloud, images) for each in order}
    verdicts = [judged[each.id] for each in checks]
    moved = _moved(cloud, images)
    if moved is None:
        return tuple(verdicts)
    reason, image = moved
    return tuple(
        replace(each, verdict="inconclusive", reason=reason, image=image, deviations=(), curl="")
        if each.check.needs_rest and each.verdict != "vacuous"
        else each
        for each in verdicts
    )


def _moved(cloud: Cloud, before: Sequence[Image]) -> tuple[str, ImageRef | None] | None:
    """Return how the listing changed while it was checked; None if it did not."""
    try:
        after = cloud.images(again=True)
    except NotAskedError:  # a recording does not change
        return None
    except ResponseError as error:
        return f"{error.problem} when it was asked again", None
    states = [{each["id"]: each for each in listed} for listed in (before, after)]
    for id_ in dict.fromkeys([*states[0], *states[1]]):
        old, new = (each.get(id_) for each in states)
        if old is None or new is None or old.get("updated") != new.get("updated"):
            change = "appeared" if old is None else "disappeared" if new is None else "was updated"
            image = ref(old or new)
            return f"the listing moved while it was checked: {image} {change}", image
    return None


def _explained(check: Check, cloud: Cloud, error: ResponseError) -> Verdict:
    """Judge a cloud whose listing of all images is an error."""
    if check.judge is not None:
        return check.judge(check, cloud)
    name = cloud.target.name
    return Verdict(check=check, cloud=name, verdict="inconclusive", reason=error.problem)


def _judge(check: Check, cloud: Cloud, images: Sequence[Image]) -> Verdict:
    if check.judge is not None:
        return check.judge(check, cloud)
    cloud.trace.clear()
    held: list[Outcome] = []
    broken: list[Outcome] = []
    known: list[tuple[Deviation, Outcome]] = []
    missing: list[str] = []
    for case in check.cases(cloud, images):
        try:
            outcome = case.test()
            deviation = _deviation(case, outcome, cloud.target.release)
        except NotAskedError as error:
            missing.append(str(error))
            continue
        if not outcome.problem:
            held.append(outcome)
        elif deviation is not None:
            known.append((deviation, outcome))
        else:
            broken.append(outcome)
    asked = len(held) + len(broken) + len(known) + len(missing)
    verdict = Verdict(
        check=check,
        cloud=cloud.target.name,
        verdict="pass",
        counted=f"{_count(len(images), 'image')}; {len(held)} of {_count(asked, 'question')} agree"
        + (f", {len(missing)} not asked" if missing else "")
        + "".join(f"; {each}" for each in dict.fromkeys(one.note for one in held) if each),
        requests=tuple(cloud.trace),
        deviations=tuple(dict.fromkeys(each for each, _ in known)),
    )
    if broken or known:
        first = (broken or [each for _, each in known])[0]
        reason = first.problem
        if not broken and cloud.target.release is None:
            reason += "; the release is not declared, so this may be a known deviation"
        return replace(
            verdict,
            verdict="fail" if broken else "known-deviation",
            reason=cloud.target.shown(reason),
            image=first.image,
            curl=first.answer.curl if first.answer else "",
        )
    if missing:
        return replace(verdict, verdict="inconclusive", reason=missing[0])
    if not any(each.shows for each in held):
        return replace(verdict, verdict="vacuous", reason=f"needs {check.shown_by}")
    return verdict


def _deviation(case: Case, outcome: Outcome, release: str | None) -> Deviation | None:
    """Return the known deviation of a release that an outcome shows, or None."""
    found = (each for each, matches in case.known.items() if outcome.problem and matches(outcome))
    return next((each for each in found if each.is_of(release)), None)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def ref(image: Image | None) -> ImageRef:
    """Return the id and the name of an image."""
    found = image or {}
    return ImageRef(id=str(found.get("id")), name=found.get("name"))
