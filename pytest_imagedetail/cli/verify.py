"""`imagedetail verify`: asks live clouds what was recorded of them; writes no cassette."""

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import clouds, report
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_json,
    add_query,
    add_report,
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
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.doors import Doors
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ComparisonError,
    ImageDetailError,
    UsageError,
)
from pytest_imagedetail.harness import reference_library
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import FAIL_ON, Failure
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.settings import Settings, nothing_selected
from pytest_imagedetail.transport import Access
from pytest_imagedetail.verification import verify

_VERDICTS: Final = ("same", "different", "error", "skipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What became of one cassette.

    Attributes:
        cloud: Its cloud.
        path: Its file, whether or not it is there.
        recorded: What it holds; None if that cannot be read.
        comparison: With what the cloud answers now; None if it was not asked or did not answer.
        error: Why there is no comparison; None too where the recording was imported.
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
        return "same" if self.comparison.same else "different"

    @property
    def finding(self) -> str:
        """The verdict, and in one line what there is to say of it."""
        if self.error is not None:
            return f"error: {self.error.problem}"
        if self.comparison is None:
            return "skipped: imported, so there is no cloud to ask"
        if self.comparison.same:
            return "same"
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
    failures = [
        Failure(baseline=each.cloud, candidate=each.cloud, problem=str(each.error))
        for each in done
        if each.error is not None
    ]
    for path in chosen.reports:
        compared = [each.comparison for each in done if each.comparison is not None]
        report.write(compared, path, failures=failures)
    if options.json:
        asked = [each.verdict for each in done if each.verdict != "skipped"]
        same = set(asked) == {"same"}
        print_json({"schema": 1, "same": same, "cassettes": [each.to_dict() for each in done]})
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
    progress, doors = Progress(), Doors(clouds.connect)
    for number, (cloud, path) in enumerate(targets, start=1):
        with progress.waiting(f"asking {cloud} ({number} of {len(targets)})"):
            way = partial(doors.open, os_cloud or chosen.declaration(cloud).os_cloud)
            found = _verify(Verified(cloud=cloud, path=path), way, chosen, progress.say)
        yield found


def _verify(
    one: Verified, way: Callable[[], Access], chosen: Settings, say: Callable[[str], None]
) -> Verified:
    try:
        declared = chosen.declaration(one.cloud).release
        recorded = sides.own(one.path, declared) if one.path.exists() else _missing(one)
        one = replace(one, recorded=recorded)
        if recorded.provenance.source == "imported":
            return one
        compared = verify(recorded, way(), fail_on=chosen.fail_on, report=say)
        return replace(one, comparison=compared)
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
        print(f"if that is right: {_record_command(each, os_cloud, options.cassette_dir)}")
    counts = Counter(each.verdict for each in done)
    found = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    print(f"\n{text.count(len(done), 'cassette')}: {found}; nothing was written")


def _record_command(one: Verified, os_cloud: str, cassette_dir: str | None) -> str:
    """The command that records what the cloud answers now."""
    if one.comparison is None:
        return ""
    recorded, answered = one.comparison.baseline, one.comparison.candidate
    words = ["imagedetail", "record", f"--os-cloud={os_cloud}"]
    if os_cloud != one.cloud:
        words.append(f"--name={one.cloud}")
    if recorded.release:
        words.append(f"--release={recorded.release}")
    if answered.error is not None:
        words.append(f"--expect={answered.error}")
    if cassette_dir:
        words.append(f"--cassette-dir={shlex.quote(cassette_dir)}")
    return " ".join([*words, *recorded.query.options])


def _exit_code(done: Sequence[Verified]) -> int:
    if any(each.error is not None for each in done):
        return IMPOSSIBLE
    compared = (each.comparison for each in done if each.comparison is not None)
    return SAME if all(each.compatible for each in compared) else DIFFERENT
