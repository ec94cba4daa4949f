"""Give a test its clouds, which answer from cassettes or live, depending on the settings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.cassette import Store, Written, check_cloud_name, load_once
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import (
    Matrix,
    by_release,
    compare_neighbors,
    refuse_repeated,
)
from pytest_imagedetail.errors import ImageDetailError, ReleaseError, UsageError, VerificationError
from pytest_imagedetail.listing import Listing, error_status, read
from pytest_imagedetail.model import SEVERITIES, Failure, Query, Types, check_types
from pytest_imagedetail.record import recorder
from pytest_imagedetail.record.recorder import LiveCloud
from pytest_imagedetail.record.release_guard import REWRITE, remedies_for_change, upgrade_error
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.redact.placeholders import OWN_PROJECT, host
from pytest_imagedetail.report import notes, terminal
from pytest_imagedetail.report.findings import Result
from pytest_imagedetail.rules import Rules
from pytest_imagedetail.settings import (
    RULES_TYPE,
    WILDCARDS,
    RuleSources,
    Settings,
    only,
    rule_sources,
    unknown_cloud,
)
from pytest_imagedetail.traffic.keystone import TOKEN, endpoint_of
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.workspace import (
    is_shipped,
    read_rules,
    refuse_upgraded,
    selectable,
    with_library,
)

_UNCHANGED: Final = f"recorded ({Written.UNCHANGED.value})"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cloud:
    """A cloud as a named source of answers.

    Attributes:
        name: As in cassettes, `imagedetail.yaml` and test ids.
    """

    name: str
    _harness: "Harness" = field(repr=False)

    def list(self, *, expect: int | None = None, **query: Any) -> Listing:
        """Request "List images details".

        Args:
            expect: An expected error status, for example 400; `.error` then has the answer.
            **query: As for `Query.of`: `name`, `status`, `changes_since`, `limit` ...

        Raises:
            CassetteError: While replaying: nothing was recorded for this query, or the cassette is
                damaged, older than allowed, or from another release than declared.
            ResponseError: The answer is not a listing, or not the expected error.
            BodyError: The body is not JSON or not a listing.
            RecordingError: While recording: the cloud could not be queried.
            LeakError: While recording: a secret was left after redaction.
            VerificationError: In record mode verify: the live cloud's answer differs.
        """
        check_types({"expect": expect}, _ARGUMENTS)
        return self._harness.answer(self.name, self._harness.merge_query(query), expect)

    @property
    def endpoint(self) -> str:
        """The compute endpoint: live while recording, its placeholder while replaying."""
        access = self._harness.access(self.name)
        return access.endpoint if access else self._harness.recorded_endpoint(self.name)

    @property
    def headers(self) -> Mapping[str, str]:
        """Request headers for the test's own client; the token is live only while recording."""
        access = self._harness.access(self.name)
        token = access.token if access else TOKEN
        return {"X-Auth-Token": token, "Accept": "application/json"}

    @property
    def project_id(self) -> str:
        """The project: live while recording, its placeholder while replaying."""
        access = self._harness.access(self.name)
        return access.project_id if access else OWN_PROJECT


_CLOUD: Final = (str | Cloud, "the name of a cloud in quotes")
_SIDE: Final = (str | Cloud | Listing, "the name of a cloud in quotes, or give a listing")
_ARGUMENTS: Final[Types] = {
    "the name of a cloud": _CLOUD,
    "baseline": _SIDE,
    "candidate": _SIDE,
    "expect": (int | None, "a status, for example 400"),
    "rules": (RULES_TYPE[0] | None, RULES_TYPE[1]),
}


@dataclass(slots=True)
class RunResult:
    """What tests compared, read and wrote; pytest-xdist's workers send theirs to the controller."""

    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # impossible comparisons
    done: dict[str, str] = field(default_factory=dict)  # what was done to a recording, by its name
    used: set[Path] = field(default_factory=set)  # cassettes read or written
    unplayed: dict[Path, list[str]] = field(default_factory=dict)  # interactions, by cassette
    expected: set[str] = field(default_factory=set)  # tests that use the fixtures
    left_out: str = ""  # why one of these may not have run

    def add(self, other: "RunResult") -> None:
        """Merge the result of another test or process into this one."""
        self.results += other.results
        self.failures += other.failures
        for name, done in other.done.items():
            self.note(name, done)
        self.used |= other.used
        for cassette, interactions in other.unplayed.items():
            # Several tests may replay one read-only file.
            previous = self.unplayed.get(cassette, interactions)
            self.unplayed[cassette] = [line for line in previous if line in interactions]
        self.expected |= other.expected
        self.left_out = self.left_out or other.left_out

    def note(self, name: str, done: str) -> None:
        """Note what was done to a recording; that it is unchanged only if nothing else was done."""
        if done != _UNCHANGED or name not in self.done:
            self.done[name] = done

    def properties(self) -> Iterator[tuple[str, int]]:
        """Yield the counts of comparisons as JUnit XML properties, if there were any."""
        if not self.results and not self.failures:
            return
        matrices = sum(isinstance(result, Matrix) for result in self.results)
        yield "imagedetail_comparisons", len(self.results) - matrices
        yield "imagedetail_matrices", matrices
        yield "imagedetail_not_compared", len(self.failures)
        severities = [severity for result in self.results for severity in result.severities]
        for severity in SEVERITIES:
            yield f"imagedetail_{severity}", severities.count(severity)
        yield "imagedetail_expected", sum(len(result.expected) for result in self.results)


class Harness:
    """All clouds of a run by name; sessions are only opened to record."""

    def __init__(self, settings: Settings, *, store: Store, sessions: CloudSessions) -> None:
        self.settings: Final = settings
        self.store: Final = store
        self.result: Final = RunResult()
        self.unverified: Final[list[ImageDetailError]] = []  # what verify found
        # Placeholders for clouds whose traffic with the test's own client is replayed.
        self.endpoints: Final[dict[str, str]] = {}
        self._sessions: Final = sessions

    __iter__ = None  # otherwise Python iterates by asking for clouds 0, 1, ...

    def __repr__(self) -> str:
        return "<imagedetail>"

    @property
    def clouds(self) -> tuple[str, ...]:
        """The names of the clouds selected for this run."""
        return self.settings.select(selectable(self.store, self.settings))

    @property
    def baseline(self) -> Cloud:
        """The cloud that others are compared with.

        Raises:
            UsageError: No baseline is named.
        """
        if self.settings.baseline is None:
            raise UsageError(
                "no baseline is named",
                remedy="name one: --imagedetail-baseline NAME, the marker's baseline=, "
                "or `baseline:` in imagedetail.yaml",
            )
        return self[self.settings.baseline]

    def __getitem__(self, cloud: str | Cloud) -> Cloud:
        name = self._cloud_name(cloud)
        check_cloud_name(name)
        if self.settings.record_mode == "none" and not self.store.has(name):
            recorded = (*self.store.clouds(), *self.store.traffic_clouds())
            clouds = (*recorded, *self.settings.declared, *self.store.library_clouds())
            if name not in clouds:
                where = self.settings.cassette_dir
                unknown = unknown_cloud(name, dict.fromkeys(clouds), where=where)
                unknown.remedy += "\nor in a test: pytest --imagedetail-record-mode=once"
                raise unknown
        return Cloud(name=name, _harness=self)

    def compare(
        self,
        baseline: str | Cloud | Listing,
        candidate: str | Cloud | Listing,
        *,
        level: str | None = None,
        profile: str | None = None,
        expect: int | None = None,
        rules: RuleSources | None = None,
        **query: Any,
    ) -> Comparison:
        """Compare the answers of two clouds to one query.

        Args:
            baseline: The old side: a cloud, its name, or a listing.
            candidate: The new side.
            level: "facts", image by image, or "shape", for clouds with different images.
            profile: One of `PROFILES`. Level and profile default to those of the marker or the run.
            expect: An error status that both must answer with; their messages are then compared. A
                recorded error of one side needs none: it is a difference.
            rules: Replaces the run's: a file of accepted differences, a rule as a mapping, or a
                sequence of both.
            **query: As for `Cloud.list`; not allowed with listings, which have their own.

        Raises:
            ComparisonError: Both are errors, or one is incomplete; see `compare.compare`.
            UsageError: A query is given with a listing.
            SettingsError: A rules file is invalid.
            ImageDetailError: As for `Cloud.list`.
        """
        given = {"baseline": baseline, "candidate": candidate, "expect": expect, "rules": rules}
        check_types(given, _ARGUMENTS)
        with self._noting_failure(baseline, candidate):
            comparison = compare(
                self._listing(baseline, query, expect),
                self._listing(candidate, query, expect),
                level=self.settings.level if level is None else level,
                profile=self.settings.profile if profile is None else profile,
                fail_on=self.settings.fail_on,
                expect=expect,
                rules=self._rules(rules),
            )
        self.result.results.append(comparison)
        return comparison

    def why_unequal(self, baseline: Listing, candidate: Listing) -> Comparison:
        """Compare two listings that a test's `==` found unequal, with the settings of `==`."""
        with self._noting_failure(baseline, candidate):
            comparison = compare(baseline, candidate, fail_on="change")
        self.result.results.append(comparison)
        return comparison

    def matrix(
        self,
        *names: str | Cloud,
        profile: str | None = None,
        expect: int | None = None,
        rules: RuleSources | None = None,
        **query: Any,
    ) -> Matrix:
        """Compare each cloud's answer to one query with the next cloud's.

        Without a query, compare the answers to every recorded query.

        Args:
            *names: Clouds, oldest first; by default those of the run. They and clouds of a glob are
                sorted by release.
            profile: As for `compare`, like the following arguments.
            expect: An error status that all must answer with; a recorded error is always an answer.
            rules: Replaces the run's.
            **query: As for `Cloud.list`.

        Raises:
            UsageError: Fewer than two clouds.
            ImageDetailError: As for `compare`.
        """
        check_types({"expect": expect, "rules": rules}, _ARGUMENTS)
        merged, project = self.merge_query(query), replace(self.store, library=None)
        groups = [self._names(name) for name in names] or [self.clouds]
        refuse_repeated([_name(name) for name in names])
        clouds = tuple(dict.fromkeys(cloud for group in groups for cloud in group))
        with self._noting_failure(*(clouds[0], clouds[-1]) if clouds else ("", "")):
            row = {
                name: {
                    each: self.answer(name, each, expect, as_recorded=True)
                    for each in ([merged] if merged != Query() else self._recorded_queries(name))
                }
                for name in clouds
            }
            rows = [by_release({name: row[name] for name in group}) for group in groups]
            ordered = {name: row[name] for group in rows for name in group}
            matrix = compare_neighbors(
                ordered,
                profile=self.settings.profile if profile is None else profile,
                fail_on=self.settings.fail_on,
                expect=expect,
                rules=self._rules(rules),
                own={} if merged != Query() else {name: project.queries(name) for name in clouds},
            )
        self.result.results.append(matrix)
        return matrix

    def merge_query(self, query: Mapping[str, Any]) -> Query:
        """Merge a call's filters into those of the marker."""
        return Query.of(**{**self.settings.query, **query})

    def answer(
        self, name: str, query: Query, expect: int | None = None, *, as_recorded: bool = False
    ) -> Listing:
        """Answer a query as the record mode demands; see `Cloud.list` for the errors.

        If `as_recorded`, a recorded error is an answer, whatever its status.
        """
        mode = self.settings.record_mode
        replay = partial(self._replay, name, expect=expect, as_recorded=as_recorded)
        if mode == "none" or is_shipped(name, self.settings):
            return replay(query)
        keeps = mode in {"once", "new_episodes"}
        if keeps and self.store.find(name, query) is not None:
            return replay(query)
        # A `server` URL from a live answer has secrets; its cassette's name has none.
        redacted = recorder.known_query(self._live(name), query, cloud=name)
        if keeps and self.store.find(name, redacted) is not None:
            return replay(redacted)
        if mode == "verify":
            try:
                return self._verify(name, query, partial(replay, redacted))
            except (ReleaseError, VerificationError) as error:
                self.unverified.append(error)
                raise
        adds = not self.store.path(name, redacted).exists()
        try:
            answer = recorder.ask(self.live_cloud(name, adds=adds), query, expect=expect)
        except KeyboardInterrupt:
            self.result.done[f"{name}: {redacted}"] = "not kept: the run was interrupted"
            raise
        written = recorder.keep(self.store, answer)
        self.result.used.add(self.store.path(name, redacted))
        self.result.note(f"{name}: {redacted}", f"recorded ({written.value})")
        return answer.listing

    def access(self, name: str) -> Access | None:
        """Return the live access to a cloud, or None while replaying."""
        replays = self.settings.record_mode == "none" or name in self.endpoints
        return None if replays else self._live(name)

    def live_cloud(self, name: str, *, adds: bool) -> LiveCloud:
        """Return a live cloud; raise ReleaseError if it is not the recorded or declared one."""
        release = refuse_upgraded(name, self.settings, self.store, self._sessions, adds=adds)
        return LiveCloud(access=self._live(name), name=name, release=release)

    def recorded_endpoint(self, name: str) -> str:
        """Return the endpoint in a cloud's cassettes, with placeholders."""
        if name in self.endpoints:
            return self.endpoints[name]
        for path in self.store.paths(name):
            self.result.used.add(path)
            return endpoint_of(load_once(path).interactions[0].url)
        return f"https://{host('compute', name)}/v2/{OWN_PROJECT}"

    def _replay(self, name: str, query: Query, *, expect: int | None, as_recorded: bool) -> Listing:
        declared = self.settings.declaration(name).release
        store = self.store
        if self.settings.record_mode != "none" and is_shipped(name, self.settings):
            store = with_library(store)
        existing = store.find(name, query)
        path = existing or store.path(name, query)
        self.result.used.add(path)  # even if it is refused, as a test may expect
        if existing is None:
            self[name]  # raises for an unknown cloud
        recording = store.load(name, query) if existing is None else load_once(existing)
        recorder.refuse_stale(recording, declared)
        if as_recorded and expect is None:
            expect = error_status(recording)
        listing = recorder.follow(recording, declared=declared, expect=expect)
        # Users cannot record the library again, and verify queries the live cloud anyway.
        if self.settings.record_mode != "verify":
            self.store.refuse_old(path, listing.provenance)
        return listing

    def _recorded_queries(self, name: str) -> Sequence[Query]:
        return with_library(self.store).queries(self[name].name) or (Query(),)

    def _names(self, cloud: str | Cloud) -> tuple[str, ...]:
        check_types({"the name of a cloud": cloud}, _ARGUMENTS)
        pattern = _name(cloud)
        if WILDCARDS.isdisjoint(pattern):
            return (pattern,)
        selection = replace(self.settings, clouds=(pattern,))
        return selection.select(selectable(self.store, selection))

    def _cloud_name(self, cloud: str | Cloud) -> str:
        names = self._names(cloud)
        return only(_name(cloud), names)

    def _rules(self, sources: RuleSources | None) -> Rules:
        return read_rules(self.settings, None if sources is None else rule_sources(sources))

    @contextmanager
    def _noting_failure(self, *sides: str | Cloud | Listing) -> Iterator[None]:
        try:
            yield
        except ImageDetailError as error:
            baseline, candidate = map(_name, sides)
            failure = Failure(baseline=baseline, candidate=candidate, problem=str(error))
            self.result.failures.append(failure)
            raise

    def _live(self, name: str) -> Access:
        return self._sessions.access(self.settings.declaration(name).os_cloud)

    def _listing(
        self, side: str | Cloud | Listing, query: Mapping[str, Any], expect: int | None
    ) -> Listing:
        if isinstance(side, Listing):
            if query:
                raise UsageError(
                    f"a listing answers its own query, {side.query}; no other can be given",
                    remedy="give the names of clouds with a query, or listings without one",
                )
            is_expected = expect in {None, side.status_code}
            return side if is_expected else read(side.recording, expect=expect)
        name = self._cloud_name(side)
        return self.answer(name, self.merge_query(query), expect, as_recorded=True)

    def _verify(self, name: str, query: Query, replay: Callable[[], Listing]) -> Listing:
        """Return the recording if the live cloud still gives this answer."""
        access = self._live(name)
        with self._noting_failure(name, f"{name} (now)"):
            recorded = replay()
            comparison = verify(recorded, access, query=query, rules=self._rules(None))
            self.result.results.append(comparison)
            upgrade = upgrade_error(recorded.provenance, access)
            if upgrade is not None:
                upgrade.add_note(terminal.details(comparison))
                raise upgrade
        if not comparison.compatible:
            raise VerificationError(
                "the live cloud's answer differs from its recording\n"
                f"{terminal.details(comparison)}",
                where=f"cloud {recorded.cloud}, query {recorded.query}; nothing was written",
                remedy=remedies_for_change(comparison, access, command=REWRITE),
            )
        hidden = (line for _, line in notes.redaction(comparison))
        self.result.done[f"{recorded.cloud}: {recorded.query}"] = "; ".join(["verified", *hidden])
        return recorded


def _name(side: str | Cloud | Listing) -> str:
    if isinstance(side, str):
        return side
    return side.name if isinstance(side, Cloud) else side.cloud
