"""Gather the differences of all results by their cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pytest_imagedetail.compare.comparison import Comparison, Step, is_compatible
from pytest_imagedetail.compare.matrix import Matrix
from pytest_imagedetail.model import (
    KINDS,
    OF_QUERY,
    SEVERITIES,
    Difference,
    ImageRef,
    Query,
    Severity,
)
from pytest_imagedetail.text import count, shows_values, value

Result = Comparison | Matrix

_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a cause occurs: steps with one severity, kind and path, usually of the same clouds."""

    steps: tuple[Step, ...]

    @property
    def step(self) -> Step:
        """The step that represents all of them."""
        return self.steps[0]

    @property
    def first(self) -> Difference:
        """The difference of `step`."""
        return self.step.difference

    @property
    def differences(self) -> tuple[Difference, ...]:
        """All differences; they differ in images or values."""
        return tuple(step.difference for step in self.steps)

    @property
    def pair(self) -> str:
        """The names of both clouds: "a -> b"."""
        return f"{self.step.baseline} -> {self.step.candidate}"

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(query for step in self.steps for query in step.queries))

    @property
    def path(self) -> str:
        """The path, with `[*]` where the image differs."""
        paths = {difference.path for difference in self.differences}
        return paths.pop() if len(paths) == 1 else self.first.any_image

    @property
    def examples(self) -> tuple[ImageRef, ...]:
        """Up to three images; none if this is about the whole answer."""
        refs = (ref for each in self.differences for ref in (*each.examples, each.image) if ref)
        return tuple(dict.fromkeys(refs))[:_EXAMPLES]

    @property
    def image_count(self) -> int:
        """The most images that one answer shows it for; 0 if this is about the whole answer."""
        counts: dict[Query, dict[tuple[object, ...], int]] = {}
        for step in self.steps if self.examples else ():
            same = step.difference.path, step.difference.examples  # also in another result
            for query in step.queries:
                counts.setdefault(query, {})[same] = step.difference.count
        return max((sum(by_image.values()) for by_image in counts.values()), default=0)

    @property
    def image_list(self) -> str:
        """The images: `14 images: "cirros", "debian", "dup", ...`; may be empty."""
        names = ", ".join(value(example.name) for example in self.examples)
        if self.image_count <= 1:
            return names
        more = ", ..." if self.image_count > len(self.examples) else ""
        return f"{self.image_count} images: {names}{more}"

    @property
    def other_values(self) -> str:
        """The number of values besides the first: "2 other values"; "" if none."""
        if not shows_values(self.first):
            return ""
        values = {repr((each.baseline, each.candidate)) for each in self.differences}
        return count(len(values) - 1, "other value") if len(values) > 1 else ""


def places_of(steps: Iterable[Step]) -> list[Place]:
    """Group steps that differ only in clouds, queries, image or value."""
    groups: dict[tuple[str, str, str], list[Step]] = {}
    for step in steps:
        difference = step.difference
        key = difference.severity, difference.kind, difference.any_image
        groups.setdefault(key, []).append(step)
    return [Place(steps=tuple(group)) for group in groups.values()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A cause: differences with one severity, kind and path, wherever they occur."""

    id: str  # see `Difference.id`
    places: tuple[Place, ...]  # one for each pair of clouds
    results: tuple[Result, ...]  # one for each difference
    first_seen: str | None  # in this or an earlier report; UTC, ISO 8601
    new: tuple[Place, ...] = ()  # those missing from the earlier report

    @property
    def first(self) -> Difference:
        """One of its differences."""
        return self.places[0].first

    @property
    def severity(self) -> Severity:
        """The severity of all its differences."""
        return self.first.severity

    @property
    def kind(self) -> str:
        """For example "field_removed"."""
        return self.first.kind

    @property
    def path(self) -> str:
        """For example `images[*].minRam`."""
        return self.first.any_image

    @property
    def subject(self) -> str:
        """Its path, or the query whose whole answer changed."""
        return str(self.places[0].queries[0]) if self.kind in OF_QUERY else self.path

    @property
    def field(self) -> str:
        """The field, header or key at the path: "minRam", "openstack-api-version"."""
        return field_of(self.path)

    @property
    def title(self) -> str:
        """What happened, in words."""
        values = (self.first.baseline, self.first.candidate)
        baseline, candidate = (str(text).partition(" ")[0] for text in values)
        return KINDS[self.kind].says.format(
            field=_below(self.path),
            query=self.places[0].queries[0],
            baseline=baseline,
            candidate=candidate,
        )

    @property
    def reason(self) -> str:
        """Why it has its severity."""
        reasons = (difference.reason for place in self.places for difference in place.differences)
        return "; ".join(dict.fromkeys(reasons))

    @property
    def last_seen(self) -> str | None:
        """When the last answer that shows it was recorded; None if not known."""
        return max(_dates(self.places), default=None)

    @property
    def history(self) -> str:
        """When it was seen: "first seen 2026-11-20, last seen 2026-11-23"; "" if not known."""
        first, last = (date and date[:10] for date in (self.first_seen, self.last_seen))
        if first and last and first != last:
            return f"first seen {first}, last seen {last}"
        return f"seen {first or last}" if first or last else ""

    @property
    def clouds(self) -> tuple[str, ...]:
        """The clouds that show it."""
        return tuple(dict.fromkeys(place.step.candidate for place in self.places))

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(str(query) for place in self.places for query in place.queries))

    @property
    def count(self) -> int:
        """The number of its differences."""
        return sum(len(place.steps) for place in self.places)

    @property
    def fails(self) -> bool:
        """Whether its severity makes one of its results fail."""
        return not all(is_compatible([self.severity], result.fail_on) for result in self.results)

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
            "places": [
                {
                    "baseline": place.step.baseline,
                    "candidate": place.step.candidate,
                    "queries": list(map(str, place.queries)),
                }
                for place in self.places
            ],
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
        }


def field_of(path: str) -> str:
    """Return the field, header or key at a path: "minRam" for `images[*].minRam`."""
    return _below(path).partition(".")[0].partition("[")[0]


def _below(path: str) -> str:
    return path.removeprefix("images[*].").removeprefix("headers.")


def findings_of(results: Sequence[Result]) -> tuple[Finding, ...]:
    """Return each cause once, worst first."""
    steps_by_id: dict[str, dict[tuple[str, str], list[Step]]] = {}
    results_by_id: dict[str, list[Result]] = {}
    for result in results:
        for step in result.steps:
            cause = step.difference.id(step.queries[0])
            pair = step.baseline, step.candidate
            steps_by_id.setdefault(cause, {}).setdefault(pair, []).append(step)
            results_by_id.setdefault(cause, []).append(result)
    findings = []
    for cause, by_pair in steps_by_id.items():
        places = tuple(Place(steps=tuple(steps)) for steps in by_pair.values())
        first_seen, sources = min(_dates(places), default=None), tuple(results_by_id[cause])
        findings.append(Finding(id=cause, places=places, results=sources, first_seen=first_seen))
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _dates(places: Sequence[Place]) -> list[str]:
    """Return when the candidates' answers were recorded; UTC, ISO 8601."""
    return [date for place in places for step in place.steps for date in step.recorded]
