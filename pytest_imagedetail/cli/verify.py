"""`imagedetail verify`: asks live clouds what was recorded of them; writes no cassette."""

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import report
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_json,
    add_query,
    add_report,
    add_rules,
    add_verb,
    query,
    settings,
)
from pytest_imagedetail.cli.output import (
    DIFFERENT,
    IMPOSSIBLE,
    SAME,
    cell,
    print_json,
    wants_color,
)
from pytest_imagedetail.cli.progress import Progress
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ComparisonError,
    ImageDetailError,
    UsageError,
)
from pytest_imagedetail.harness import reference_library, utc_now
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import FAIL_ON, Failure
from pytest_imagedetail.record import clouds
from pytest_imagedetail.record.release_guard import record_again, record_under_new_name
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.record.verification import upgraded, verify
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.rules import Rules, rules_of
from pytest_imagedetail.settings import Settings, nothing_selected

_VERDICTS: Final = ("same", "accepted", "different", "error", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of one cassette.

    Attributes:
        cloud: Its cloud.
        path: Its file, whether or not it is there.
        recorded: What it holds; None if that cannot be read.
        comparison: With what the cloud answers now; None if it was not asked or did not answer.
        error: Why there is no comparison, or why it does not count: the cloud is another release.
    """

    cloud: str
    path: Path
    recorded: Listing | None = None
    comparison: Comparison | None = None
    error: ImageDetailError | None = None

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
        """The verdict, and in one line what there is to say of it."""
        if self.error is not None:
            return f"error: {self.error.problem}"
        if self.comparison is None:
            return "skipped: imported, so there is no cloud to ask"
        if self.verdict == "same":
            return "same"
        if self.verdict == "accepted":
            return self.comparison.summary
        _, _, counts = self.comparison.summary.partition(": ")
        return f"different: {counts}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "cloud": self.cloud,
            "query": str(self.recorded.query) if self.recorded is not None else None,
            "path": str(self.path),
            "verdict": self.verdict,
            "problem": str(self.error) if self.error is not None else None,
            "comparison": self.comparison.to_dict() if self.comparison is not None else None,
        }


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "ask live clouds what was recorded of them, and compare; writes no cassette"
    parser = add_verb(verbs, "verify", _run, summary)
    parser.add_argument(
        "clouds",
        nargs="*",
        metavar="CLOUD",
        help="a cloud or a glob (default: every cloud that is recorded or declared)",
    )
    add_query(parser)
    parser.add_argument(
        "--os-cloud",
        metavar="NAME",
        help="the name of the one CLOUD in clouds.yaml (default: as imagedetail.yaml says)",
    )
    parser.add_argument("--fail-on", choices=FAIL_ON, default="change", help="default: change")
    add_rules(parser)
    add_report(parser)
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    chosen = settings(options)
    store = Store(directory=chosen.cassette_dir)
    names = _names(options, chosen, store)
    targets = [(name, path) for name in names for path in _paths(name, options, store)]
    if not targets:
        raise _nothing(options, chosen)
    width = max(len(str(path)) for _, path in targets)
    done: list[Verified] = []
    for each in _verified(targets, options.os_cloud, chosen):
        done.append(each)
        if not options.json:
            print(f"{each.path!s:<{width}}  {cell(each.finding)}", flush=True)
    done = _with_unused_rules(done)
    failures = [
        Failure(baseline=each.cloud, candidate=each.cloud, problem=str(each.error))
        for each in done
        if each.error is not None
    ]
    for path in chosen.reports:
        compared = [each.comparison for each in done if each.comparison is not None]
        report.write(compared, path, failures=failures)
    if options.json:
        print_json(_document(done))
    else:
        _print_details(done, options, chosen)
    for problem in dict.fromkeys(failure.problem for failure in failures):
        print(f"imagedetail: {problem}", file=sys.stderr)
    if all(each.verdict == "skipped" for each in done):
        raise ComparisonError(
            "nothing was verified: what was imported cannot be asked again",
            where=str(chosen.cassette_dir),
            remedy="record from a cloud: imagedetail record --os-cloud NAME",
        )
    return _exit_code(done)


def _document(done: Sequence[Verified]) -> dict[str, Any]:
    asked = [each.verdict for each in done if each.verdict != "skipped"]
    return {
        "schema": 1,
        "same": set(asked) == {"same"},
        "compatible": _exit_code(done) == SAME,
        "cassettes": [each.to_dict() for each in done],
    }


def _with_unused_rules(done: Sequence[Verified]) -> list[Verified]:
    """Call a rule unused only if no comparison used it; if one is missing, nothing is known."""
    compared = [each.comparison for each in done if each.comparison is not None]
    complete = len(compared) == len(done)
    unused = {
        rule
        for each in compared
        for rule in each.unused_rules
        if complete and all(rule in other.unused_rules for other in compared)
    }
    trimmed = []
    for each in done:
        if each.comparison is not None:
            left = tuple(rule for rule in each.comparison.unused_rules if rule in unused)
            each = replace(each, comparison=replace(each.comparison, unused_rules=left))  # noqa: PLW2901
        trimmed.append(each)
    return trimmed


def _names(options: argparse.Namespace, chosen: Settings, store: Store) -> tuple[str, ...]:
    """The clouds to verify.

    Raises:
        UsageError: A name that nobody knows, or `--os-cloud` for several clouds.
    """
    own = store.clouds()
    library = Store(directory=reference_library() or Path()).clouds()
    for name in options.clouds:
        if name in library and name not in (*own, *chosen.declared):
            raise UsageError(
                f"{name} is of the reference library, whose clouds cannot be asked from here",
                remedy="name clouds of your own: imagedetail clouds lists them",
            )
    names = replace(chosen, clouds=tuple(options.clouds)).select(own)
    if options.os_cloud and len(names) != 1:
        raise UsageError(
            f"--os-cloud is the name of one cloud in clouds.yaml, and these are {len(names)}: "
            f"{', '.join(names) or 'none'}",
            remedy="name the one: imagedetail verify CLOUD --os-cloud NAME\n"
            "or declare each cloud's os_cloud in imagedetail.yaml",
        )
    return names


def _paths(name: str, options: argparse.Namespace, store: Store) -> tuple[Path, ...]:
    """The cassettes of a cloud that are to be verified; one that is missed is named, too."""
    if options.query or options.microversion:
        path = store.path(name, query(options))
        return (path,) if path.exists() or options.clouds else ()
    return store.paths(name) or (store.path(name, query(options)),)


def _nothing(options: argparse.Namespace, chosen: Settings) -> ImageDetailError:
    if not (options.query or options.microversion):
        return nothing_selected(chosen)
    return CassetteNotFoundError(
        f"no cloud has a recording of query {str(query(options))!r}",
        where=str(chosen.cassette_dir),
        remedy="imagedetail ls lists what is recorded",
    )


def _verified(
    targets: Sequence[tuple[str, Path]], os_cloud: str | None, chosen: Settings
) -> Iterator[Verified]:
    progress, sessions = Progress(), CloudSessions(clouds.connect)
    rules = rules_of(*chosen.rules, today=utc_now().date())
    for number, (cloud, path) in enumerate(targets, start=1):
        with progress.waiting(f"asking {cloud} ({number} of {len(targets)})"):
            name = os_cloud or chosen.declaration(cloud).os_cloud
            found = _verify(
                Verified(cloud=cloud, path=path), name, sessions, chosen, rules, progress.say
            )
        yield found


def _verify(
    one: Verified,
    os_cloud: str,
    sessions: CloudSessions,
    chosen: Settings,
    rules: Rules,
    say: Callable[[str], None],
) -> Verified:
    try:
        declared = chosen.declaration(one.cloud).release
        recorded = sides.own(one.path, declared) if one.path.exists() else _missing(one)
        one = replace(one, recorded=recorded)
        if recorded.provenance.source == "imported":
            return one
        access = sessions.access(os_cloud)
        compared = verify(recorded, access, fail_on=chosen.fail_on, rules=rules, report=say)
        error = upgraded(recorded, access, os_cloud=os_cloud)
        return replace(one, comparison=compared, error=error)
    except ImageDetailError as error:
        return replace(one, error=error)


def _missing(one: Verified) -> Listing:
    raise CassetteNotFoundError(
        "nothing is recorded to verify",
        where=str(one.path),
        remedy=f"record it first: imagedetail record --os-cloud={one.cloud}",
    )


def _print_details(done: Sequence[Verified], options: argparse.Namespace, chosen: Settings) -> None:
    for each in done:
        if each.comparison is None or each.comparison.same:
            continue
        print(f"\n{each.path}: recorded, and as it answers now")
        print(terminal.render(each.comparison, color=wants_color()))
        os_cloud = options.os_cloud or chosen.declaration(each.cloud).os_cloud
        if each.comparison.differences and each.error is None:
            print(_ways_on(each.comparison, os_cloud, options.cassette_dir))
    compared = [each.comparison for each in done if each.comparison is not None]
    unused = {rule for each in compared for rule in each.unused_rules}
    for label, line in text.rules((), (), sorted(unused, key=lambda rule: rule.where)):
        print(f"{label}  {line}")
    counts = Counter(each.verdict for each in done)
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    print(f"\n{text.count(len(done), 'cassette')}: {found}; nothing was written")


def _ways_on(compared: Comparison, os_cloud: str, cassette_dir: str | None) -> str:
    """Return what to do about a changed answer; nothing here leads over a baseline unasked."""
    recorded, answered = compared.baseline, compared.candidate
    options = [f"--release={recorded.release}"] if recorded.release else []
    options += [f"--expect={answered.error}"] if answered.error is not None else []
    options += [f"--cassette-dir={shlex.quote(cassette_dir)}"] if cassette_dir else []
    return "\n".join(
        [
            record_under_new_name(recorded.cloud, os_cloud, None),
            record_again(recorded.cloud, os_cloud, recorded.query, *options),
        ]
    )


def _exit_code(done: Sequence[Verified]) -> int:
    if any(each.error is not None for each in done):
        return IMPOSSIBLE
    compared = (each.comparison for each in done if each.comparison is not None)
    return SAME if all(each.compatible for each in compared) else DIFFERENT
