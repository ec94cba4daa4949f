"""Compare live clouds with their recordings: `verify`."""

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
from pytest_imagedetail.model import FAIL_ON, Failure
from pytest_imagedetail.record import clouds
from pytest_imagedetail.record.release_guard import label_error, remedies_for_change, upgrade_error
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
    summary = "ask live clouds what was recorded from them, and compare; writes no cassette"
    shared = ("--rules", "--since", "--report", "--json", "--github")
    parser = add_verb(verbs, "verify", _verify, summary, *QUERY, *shared)
    about = "a cloud or a glob (default: every cloud that is recorded or declared)"
    value(parser, "clouds", "NAME", about, nargs="*")
    about = "the name of the one cloud in clouds.yaml (default: as imagedetail.yaml says)"
    value(parser, "--os-cloud", "NAME", about)
    parser.add_argument("--fail-on", choices=FAIL_ON, default="change", help="default: change")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
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
        summary = "same" if self.comparison.same else self.comparison.summary
        return "; ".join([summary, *(line for _, line in notes.redaction(self.comparison))])

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
    settings = options.settings
    with output.reporting_errors(options, "verify", ", ".join(options.clouds) or "all clouds"):
        results = [*_verify_all(_targets(options), options)]
    compared = [(each.path, each.comparison) for each in results if each.comparison is not None]
    failures = [
        Failure(baseline=each.cloud, candidate=f"{each.cloud} (now)", problem=str(each.error))
        for each in results
        if each.error is not None
    ]
    paths = {(comparison.candidate.name, comparison.query): path for path, comparison in compared}

    def path_of(place: Place) -> Path:
        return paths[place.step.candidate, place.queries[0]]

    comparisons = [comparison for _, comparison in compared]
    report = output.make_report(options, comparisons, failures, path_of)
    if options.json:
        verdicts = {result.verdict for result in results} - {"skipped"}
        reported = dict(zip([path for path, _ in compared], report.comparisons, strict=True))
        document = {
            **report.head(),
            "schema": 1,
            "same": verdicts == {"same"},
            "compatible": report.verdict.passed is True,
            "cassettes": [
                replace(each, comparison=reported.get(each.path)).to_dict() for each in results
            ],
        }
        output.print_json(document)
    else:
        output.print_report(report)
        _print_cassettes(results, options)
    for problem in dict.fromkeys(failure.problem for failure in failures):
        output.say(problem)
    if not compared and not failures:
        raise ComparisonError(
            "nothing was verified: what was imported cannot be asked again",
            where=str(settings.cassette_dir),
            remedy="record from a cloud: imagedetail record --os-cloud NAME",
        )
    return report.verdict.exit_code


def _targets(options: Options) -> list[tuple[str, Path]]:
    """Return cloud and path of each cassette to verify, including missing ones."""
    settings, store, query = options.settings, options.store, options.parsed_query
    own = store.clouds()
    shipped = {*store.library_clouds()} - {*own}  # these cannot be queried
    for name in shipped.intersection(options.clouds).difference(settings.declared):
        raise UsageError(
            f"{name} is in the reference library, and verify needs a live cloud",
            remedy="name clouds of your own: imagedetail clouds lists them",
        )
    names = replace(settings, clouds=tuple(options.clouds)).select(own)
    if not options.clouds:
        names = tuple(name for name in names if name not in shipped)
    if not names:
        raise nothing_selected(settings)
    if options.os_cloud and len(names) != 1:
        raise UsageError(
            f"--os-cloud is for one cloud, and these are {len(names)}: {', '.join(names)}",
            remedy="name the one: imagedetail verify CLOUD --os-cloud NAME\n"
            "or declare each cloud's os_cloud in imagedetail.yaml",
        )
    if not options.selects_query:
        recorded = {name: [*filter(store.is_own, store.paths(name))] for name in names}
        return [
            (name, path)
            for name, paths in recorded.items()
            for path in paths or [store.path(name, query)]
        ]
    targets = [(name, store.path(name, query)) for name in names]
    if not options.clouds:
        targets = [(name, path) for name, path in targets if path.exists()]
    if not targets:
        raise CassetteNotFoundError(
            f"no cloud has a recording of query {str(query)!r}",
            where=str(settings.cassette_dir),
            remedy="imagedetail ls lists what is recorded",
        )
    return targets


def _verify_all(targets: Sequence[tuple[str, Path]], options: Options) -> Iterator[_Result]:
    settings = options.settings
    sessions, rules = CloudSessions(clouds.connect), read_rules(settings)
    own = replace(options.store, library=None)

    def verify_one(cloud: str, path: Path) -> _Result:
        result, declaration = _Result(cloud=cloud, path=path), settings.declaration(cloud)
        name = options.os_cloud or declaration.os_cloud
        try:
            if not path.exists():
                own.load(cloud, options.parsed_query)  # raises with the command to record it
            recorded = sides.load_path(path)
            result = replace(result, recorded=recorded)
            if recorded.provenance.source == "imported":
                return result
            access = sessions.access(name)
            compared = verify(recorded, access, fail_on=settings.fail_on, rules=rules)
            mislabel = label_error(recorded.provenance, declaration.release)
            error = mislabel or upgrade_error(recorded.provenance, access)
            return replace(
                result,
                comparison=replace(compared, candidate=replace(compared.candidate, version="now")),
                error=error and output.in_folder(error, options),
                access=access,
            )
        except ImageDetailError as error:
            return replace(result, error=output.in_folder(error, options))

    for number, (cloud, path) in enumerate(targets, start=1):
        with output.waiting(f"asking {cloud} ({number} of {len(targets)})"):
            result = verify_one(cloud, path)
        yield result


def _findings(results: Sequence[_Result]) -> Iterator[str]:
    """Yield the finding of each cassette; an error that several share once."""
    seen = set()
    for result in results:
        yield "error: as above" if result.error and result.finding in seen else result.finding
        seen.add(result.finding)


def _print_cassettes(results: Sequence[_Result], options: Options) -> None:
    print()
    output.print_table(zip((result.path for result in results), _findings(results), strict=True))
    remedies = dict.fromkeys(
        remedy
        for result in results
        if result.error is None and result.access is not None
        if result.comparison is not None and result.comparison.differences
        for remedy in remedies_for_change(
            result.comparison, result.access, cassette_dir=options.cassette_dir
        ).splitlines()
    )
    print("", *remedies, sep="\n")
    counts = Counter(each.verdict for each in results)
    summary = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    print(f"{text.count(len(results), 'cassette')}: {summary}; nothing was written")
