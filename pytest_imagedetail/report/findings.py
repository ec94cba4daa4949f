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
        return tuple(each.difference for each in self.steps)

    @property
    def pair(self) -> str:
        """The names of both clouds: "a -> b"."""
        return f"{self.step.baseline} -> {self.step.candidate}"

    @property
    def queries(self) -> tuple[Query, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(query for each in self.steps for query in each.queries))

    @property
    def path(self) -> str:
        """The path, with `[*]` where the image differs."""
        paths = {each.path for each in self.differences}
        return paths.pop() if len(paths) == 1 else self.first.any_image

    @property
    def examples(self) -> tuple[ImageRef, ...]:
        """Up to three images; none if this is about the whole answer."""
        found = (ref for each in self.differences for ref in (*each.examples, each.image) if ref)
        return tuple(dict.fromkeys(found))[:_EXAMPLES]

    @property
    def images(self) -> int:
        """The most images that one answer shows it for; 0 if this is about the whole answer."""
        counts: dict[Query, dict[tuple[object, ...], int]] = {}
        for step in self.steps if self.examples else ():
            same = step.difference.path, step.difference.examples  # also in another result
            for query in step.queries:
                counts.setdefault(query, {})[same] = step.difference.count
        return max((sum(each.values()) for each in counts.values()), default=0)

    @property
    def whom(self) -> str:
        """The images: `14 images: "cirros", "debian", "dup", ...`; may be empty."""
        names = ", ".join(value(each.name) for each in self.examples)
        if self.images <= 1:
            return names
        more = ", ..." if self.images > len(self.examples) else ""
        return f"{self.images} images: {names}{more}"

    @property
    def others(self) -> str:
        """The number of values besides the first: "2 other values"; "" if none."""
        if not shows_values(self.first):
            return ""
        more = len({repr((each.baseline, each.candidate)) for each in self.differences}) - 1
        return count(more, "other value") if more else ""


def places(steps: Iterable[Step]) -> list[Place]:
    """Group steps that differ only in clouds, queries, image or value."""
    found: dict[tuple[str, str, str], list[Step]] = {}
    for each in steps:
        what = each.difference
        found.setdefault((what.severity, what.kind, what.any_image), []).append(each)
    return [Place(steps=tuple(each)) for each in found.values()]


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
        baseline, candidate = (str(each).partition(" ")[0] for each in values)
        return KINDS[self.kind].says.format(
            field=_below(self.path),
            query=self.places[0].queries[0],
            baseline=baseline,
            candidate=candidate,
        )

    @property
    def reason(self) -> str:
        """Why it has its severity."""
        reasons = (each.reason for place in self.places for each in place.differences)
        return "; ".join(dict.fromkeys(reasons))

    @property
    def last_seen(self) -> str | None:
        """When the last answer that shows it was recorded; None if not known."""
        return max(_dates(self.places), default=None)

    @property
    def history(self) -> str:
        """When it was seen: "first seen 2026-11-20, last seen 2026-11-23"; "" if not known."""
        first, last = (each and each[:10] for each in (self.first_seen, self.last_seen))
        if first and last and first != last:
            return f"first seen {first}, last seen {last}"
        return f"seen {first or last}" if first or last else ""

    @property
    def clouds(self) -> tuple[str, ...]:
        """The clouds that show it."""
        return tuple(dict.fromkeys(each.step.candidate for each in self.places))

    @property
    def queries(self) -> tuple[str, ...]:
        """The queries that show it."""
        return tuple(dict.fromkeys(str(query) for each in self.places for query in each.queries))

    @property
    def count(self) -> int:
        """The number of its differences."""
        return sum(len(each.steps) for each in self.places)

    @property
    def fails(self) -> bool:
        """Whether its severity makes one of its results fail."""
        return not all(is_compatible([self.severity], each.fail_on) for each in self.results)

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
                    "baseline": each.step.baseline,
                    "candidate": each.step.candidate,
                    "queries": list(map(str, each.queries)),
                }
                for each in self.places
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
    found: dict[str, dict[tuple[str, str], list[Step]]] = {}
    shown_by: dict[str, list[Result]] = {}
    for result in results:
        for step in result.steps:
            id_ = step.difference.id(step.queries[0])
            pair = step.baseline, step.candidate
            found.setdefault(id_, {}).setdefault(pair, []).append(step)
            shown_by.setdefault(id_, []).append(result)
    findings = []
    for id_, by_pair in found.items():
        places = tuple(Place(steps=tuple(steps)) for steps in by_pair.values())
        seen, shown = min(_dates(places), default=None), tuple(shown_by[id_])
        findings.append(Finding(id=id_, places=places, results=shown, first_seen=seen))
    return tuple(sorted(findings, key=lambda each: SEVERITIES.index(each.severity)))


def _dates(places: Sequence[Place]) -> list[str]:
    """Return when the candidates' answers were recorded; UTC, ISO 8601."""
    return [date for place in places for step in place.steps for date in step.recorded]
