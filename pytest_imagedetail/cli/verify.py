"""Compare live clouds with their recordings: `verify`."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import text
from pytest_imagedetail.cli import output, sides
from pytest_imagedetail.cli.arguments import QUERY, Options, add_verb, value
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ComparisonError,
    ImageDetailError,
    UsageError,
)
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import FAIL_ON, Failure, Query
from pytest_imagedetail.record import clouds
from pytest_imagedetail.record.release_guard import mislabelled, remedies_for_change, upgraded
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import verify
from pytest_imagedetail.report import notes
from pytest_imagedetail.report.findings import Place
from pytest_imagedetail.settings import nothing_selected
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.workspace import read_rules

_VERDICTS: Final = ("same", "accepted", "different", "error", "skipped")


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "ask live clouds what was recorded of them, and compare; writes no cassette"
    shared = ("--rules", "--since", "--report", "--json", "--github")
    parser = add_verb(verbs, "verify", _verify, summary, *QUERY, *shared)
    says = "a cloud or a glob (default: every cloud that is recorded or declared)"
    value(parser, "clouds", "NAME", says, nargs="*")
    says = "the name of the one cloud in clouds.yaml (default: as imagedetail.yaml says)"
    value(parser, "--os-cloud", "NAME", says)
    parser.add_argument("--fail-on", choices=FAIL_ON, default="change", help="default: change")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verified:
    cloud: str
    path: Path  # may not exist
    recorded: Listing | None = None  # None if unreadable
    comparison: Comparison | None = None  # with the cloud's current answer
    error: ImageDetailError | None = None  # why there is no comparison or it does not count
    access: Access | None = None  # with which the cloud was asked

    @property
    def verdict(self) -> str:
        """One of `_VERDICTS`."""
        if self.error is not None:
            return "error"
        if self.comparison is None:
            return "skipped"
        if self.comparison.same:
            return "same"
        return "different" if self.comparison.differences else "accepted"

    @property
    def finding(self) -> str:
        if self.error is not None:
            return f"error: {self.error.problem}"
        if self.comparison is None:
            return "skipped: imported, so there is no cloud to ask"
        if self.verdict == "different":
            return f"different: {self.comparison.summary.partition(': ')[2]}"
        found = "same" if self.comparison.same else self.comparison.summary
        return "; ".join([found, *(line for _, line in notes.redaction(self.comparison))])

    def to_dict(self) -> dict[str, Any]:
        return {
            "cloud": self.cloud,
            "query": str(self.recorded.query) if self.recorded is not None else None,
            "path": str(self.path),
            "verdict": self.verdict,
            "problem": str(self.error) if self.error is not None else None,
            "comparison": self.comparison.to_dict() if self.comparison is not None else None,
        }


def _verify(options: Options) -> int:
    chosen = options.chosen
    done = [*_verified(_targets(options), options)]
    compared = [(each.path, each.comparison) for each in done if each.comparison is not None]
    failures = [
        Failure(baseline=each.cloud, candidate=f"{each.cloud} (now)", problem=str(each.error))
        for each in done
        if each.error is not None
    ]
    paths = {(each.candidate.name, each.query): path for path, each in compared}

    def path_of(place: Place) -> Path:
        return paths[place.step.candidate, place.queries[0]]

    results = [each for _, each in compared]
    shown = output.reported(options, results, failures, path_of)
    if options.json:
        asked = {each.verdict for each in done} - {"skipped"}
        as_shown = dict(zip([path for path, _ in compared], shown.comparisons, strict=True))
        document = {
            **shown.head(),
            "schema": 1,
            "same": asked == {"same"},
            "compatible": shown.verdict.passed is True,
            "cassettes": [
                replace(each, comparison=as_shown.get(each.path)).to_dict() for each in done
            ],
        }
        output.print_json(document)
    else:
        output.print_report(shown)
        _print_cassettes(done, options)
    for problem in dict.fromkeys(each.problem for each in failures):
        output.say(problem)
    if not compared and not failures:
        raise ComparisonError(
            "nothing was verified: what was imported cannot be asked again",
            where=str(chosen.cassette_dir),
            remedy="record from a cloud: imagedetail record --os-cloud NAME",
        )
    return shown.verdict.exit_code


def _targets(options: Options) -> list[tuple[str, Path]]:
    """Return cloud and path of each cassette to verify, including missing ones."""
    chosen, store, asked = options.chosen, options.store, options.asked
    own = store.clouds()
    shipped = {*store.library_clouds()} - {*own}  # these cannot be queried
    for name in shipped.intersection(options.clouds).difference(chosen.declared):
        raise UsageError(
            f"{name} is in the reference library, and verify needs a live cloud",
            remedy="name clouds of your own: imagedetail clouds lists them",
        )
    names = replace(chosen, clouds=tuple(options.clouds)).select(own)
    if not options.clouds:
        names = tuple(name for name in names if name not in shipped)
    if not names:
        raise nothing_selected(chosen)
    if options.os_cloud and len(names) != 1:
        raise UsageError(
            f"--os-cloud is for one cloud, and these are {len(names)}: {', '.join(names)}",
            remedy="name the one: imagedetail verify CLOUD --os-cloud NAME\n"
            "or declare each cloud's os_cloud in imagedetail.yaml",
        )
    if asked == Query():
        recorded = {name: [*filter(store.is_own, store.paths(name))] for name in names}
        return [
            (name, path)
            for name, paths in recorded.items()
            for path in paths or [store.path(name, asked)]
        ]
    found = [(name, store.path(name, asked)) for name in names]
    if not options.clouds:
        found = [(name, path) for name, path in found if path.exists()]
    if not found:
        raise CassetteNotFoundError(
            f"no cloud has a recording of query {str(asked)!r}",
            where=str(chosen.cassette_dir),
            remedy="imagedetail ls lists what is recorded",
        )
    return found


def _verified(targets: Sequence[tuple[str, Path]], options: Options) -> Iterator[_Verified]:
    chosen = options.chosen
    sessions, rules = CloudSessions(clouds.connect), read_rules(chosen)

    def verified(cloud: str, path: Path) -> _Verified:
        found, declared = _Verified(cloud=cloud, path=path), chosen.declaration(cloud)
        name = options.os_cloud or declared.os_cloud
        try:
            if not path.exists():
                raise _not_recorded(cloud, path, options.asked, name)
            recorded = sides.own(path)
            found = replace(found, recorded=recorded)
            if recorded.provenance.source == "imported":
                return found
            access = sessions.access(name)
            compared = verify(recorded, access, fail_on=chosen.fail_on, rules=rules)
            mislabel = mislabelled(recorded.provenance, declared.release)
            error = mislabel or upgraded(recorded.provenance, access)
            return replace(
                found,
                comparison=replace(compared, candidate=replace(compared.candidate, version="now")),
                error=error and output.in_folder(error, options),
                access=access,
            )
        except ImageDetailError as error:
            return replace(found, error=output.in_folder(error, options))

    for number, (cloud, path) in enumerate(targets, start=1):
        with output.waiting(f"asking {cloud} ({number} of {len(targets)})"):
            found = verified(cloud, path)
        yield found


def _not_recorded(cloud: str, path: Path, asked: Query, os_cloud: str) -> CassetteNotFoundError:
    named = [] if os_cloud == cloud else [f"--name={cloud}"]
    command = shlex.join(["imagedetail", "record", f"--os-cloud={os_cloud}", *named])
    return CassetteNotFoundError(
        "nothing is recorded to verify",
        where=str(path),
        remedy=f"record it first: {' '.join([command, *asked.options])}",
    )


def _findings(done: Sequence[_Verified]) -> Iterator[str]:
    """Yield the finding of each cassette; an error that several share once."""
    shown = set()
    for each in done:
        yield "error: as above" if each.error and each.finding in shown else each.finding
        shown.add(each.finding)


def _print_cassettes(done: Sequence[_Verified], options: Options) -> None:
    print()
    output.print_table(zip((each.path for each in done), _findings(done), strict=True))
    remedies = dict.fromkeys(
        remedy
        for each in done
        if each.error is None and each.access is not None
        if each.comparison is not None and each.comparison.differences
        for remedy in remedies_for_change(
            each.comparison, each.access, cassette_dir=options.cassette_dir
        ).splitlines()
    )
    print("", *remedies, sep="\n")
    counts = Counter(each.verdict for each in done)
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    print(f"{text.count(len(done), 'cassette')}: {found}; nothing was written")
