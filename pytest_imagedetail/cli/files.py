"""Check, clean and move recordings on disk: `lint`, `scrub` and `mv`."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import scrub as scrubbing
from pytest_imagedetail import text
from pytest_imagedetail.cassette import check_cloud_name, load_own, path_of_renamed, refuse_unsafe
from pytest_imagedetail.cassette.format import SCHEMA
from pytest_imagedetail.cassette.swapping import swap, writing
from pytest_imagedetail.cli.arguments import Options, add_verb, flag, value
from pytest_imagedetail.cli.output import DIFFERENT, IMPOSSIBLE, SAME, complain, print_json, say
from pytest_imagedetail.errors import (
    CassetteError,
    ImageDetailError,
    NoRecordingError,
    UsageError,
    did_you_mean,
)
from pytest_imagedetail.lint import RULES, Linter, lint
from pytest_imagedetail.redact import Known
from pytest_imagedetail.scrub import ScrubResult, reading
from pytest_imagedetail.scrub.reading import Source
from pytest_imagedetail.settings import Settings

_SEVERITIES: Final = ("error", "warning", "note")


def add_verbs(verbs: Any) -> None:
    """Add the three verbs."""
    summary = "check cassettes for secrets, damage and stray files; uses no network"
    parser = add_verb(verbs, "lint", _lint, summary, "--json")
    about = "a file, or a folder with everything in it (default: the folder of cassettes)"
    value(parser, "paths", "PATH", about, nargs="*")
    value(parser, "--max-age", "DAYS", "report recordings that are older (default: any age)")
    about = f"skip a rule; repeatable; known: {', '.join(RULES)}"
    value(parser, "--ignore", "RULE", about, action="append", default=[])
    flag(parser, "--strict", "end with 1 for warnings as well")

    summary = "write safe cassettes from recordings of vcrpy, betamax, Ruby's VCR, or HAR files"
    parser = add_verb(verbs, "scrub", _scrub, summary, "--json")
    about = "a recording, or a folder of recordings, whose structure is kept"
    value(parser, "paths", "PATH", about, nargs="+")
    about = "the name to keep it under (default: the one that imagedetail.yaml declares)"
    value(parser, "--cloud", "NAME", about)
    value(parser, "-o", "DIR", "the same as --cassette-dir", dest="cassette_dir")
    about = "replace the recordings themselves, which git must have as they are"
    flag(parser, "--in-place", about)
    flag(parser, "--check", "write nothing, and end with 1 if anything would be removed")
    flag(parser, "--force", "replace another cassette of the same name")

    summary = "move the recordings of tests that were renamed or moved"
    parser = add_verb(verbs, "mv", _mv, summary)
    about = "a test as `ls` shows it, a test without its parameters, a module, or a folder"
    value(parser, "old", "OLD", about)
    value(parser, "new", "NEW", "what it is called now")


def _lint(options: Options) -> int:
    settings = options.settings
    for rule in options.ignore:
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r}", remedy=f"known: {', '.join(RULES)}")
    paths = [*map(Path, options.paths)] or [settings.cassette_dir]
    linter = Linter(
        releases={name: cloud.release for name, cloud in settings.declared.items()},
        max_age=settings.max_age,
        now=datetime.now(UTC),
        folder=settings.cassette_dir,
    )
    result = lint(paths, linter) if options.paths or settings.cassette_dir.is_dir() else None
    if result is None or not (result.files or result.findings):
        raise UsageError(
            "there is nothing to check",
            where=", ".join(map(str, paths)),
            remedy="name files or a folder, or record first: imagedetail record --os-cloud NAME",
        )
    shown = [finding for finding in result.findings if finding.rule not in options.ignore]
    if options.json:
        findings = [finding.to_dict() for finding in shown]
        counts = {"files": result.files, "skipped": result.skipped}
        print_json({"schema": 1, **counts, "findings": findings})
    else:
        for finding in shown:
            print(finding)
        steps = [
            f"  {rule}: {each.remedy}" for rule in RULES for each in shown if each.rule == rule
        ]
        if steps:
            print("\nwhat to do next", *dict.fromkeys(steps), "", sep="\n")
        counts = Counter(finding.severity for finding in shown)
        parts = ", ".join(text.count(counts[kind], kind) for kind in _SEVERITIES if counts[kind])
        skipped = f", {result.skipped} skipped" if result.skipped else ""
        print(f"{text.count(result.files, 'file')}{skipped}: {parts or 'nothing found'}")
    if any(finding.rule == "unreadable" for finding in shown):
        return IMPOSSIBLE
    failing = {"error", "warning"} if options.strict else {"error"}
    return DIFFERENT if any(finding.severity in failing for finding in shown) else SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    file: Path
    outcome: str = "failed"
    path: Path | None = None  # of the cassette, if there is one to write
    scrubbed: ScrubResult | None = None  # None if it failed or is clean
    error: ImageDetailError | None = None

    def to_dict(self) -> dict[str, Any]:
        if self.error is not None:
            return {"file": str(self.file), "outcome": self.outcome, "problem": str(self.error)}
        if self.scrubbed is None:
            return {"file": str(self.file), "tool": "imagedetail", "outcome": self.outcome}
        return {
            "file": str(self.file),
            "tool": self.scrubbed.source.tool,
            "outcome": self.outcome,
            "cassette": None if self.path is None else str(self.path),
            "interactions": self.scrubbed.interactions,
            "dropped": {"keystone": self.scrubbed.keystone, "unanswered": self.scrubbed.unanswered},
            "removed": dict(self.scrubbed.removed),
        }


def _scrub(options: Options) -> int:
    """Plan every file, and write only if none fails."""
    sources, results = _read(options.paths)
    if not sources and not results:
        raise UsageError(
            "there is no recording to scrub",
            where=", ".join(options.paths),
            remedy="name recordings of vcrpy, pytest-recording, Ruby's VCR, betamax, or HAR files",
        )
    # A cassette of imagedetail names its cloud.
    needs_cloud = not options.cloud and any(source.own is None for source in sources)
    name = _only_cloud(options.settings) if needs_cloud else options.cloud or "any"
    cloud = check_cloud_name(name)
    known = scrubbing.secrets_of(sources)
    results += (
        _attempt(source.path, partial(_plan, source, options, cloud, known)) for source in sources
    )
    if not options.check and any(result.error for result in results):
        if len(results) > 1:
            say("nothing was written, because a secret of one file may occur in another")
    elif not options.check:
        if options.in_place:
            replaced = (each.scrubbed for each in results if each.outcome == "would scrub")
            scrubbing.refuse_in_place([scrubbed.source for scrubbed in replaced if scrubbed])
        results = [_attempt(result.file, partial(_write, result, options)) for result in results]
    if not options.json:
        for result in results:
            _print(result, options)
    return _report(results, options)


def _attempt(path: Path, step: Callable[[], _Result]) -> _Result:
    try:
        return step()
    except ImageDetailError as error:
        return _Result(file=path, error=error)


def _report(results: Sequence[_Result], options: Options) -> int:
    failed = sum(result.error is not None for result in results)
    if options.json:
        print_json({"schema": 1, "files": [result.to_dict() for result in results]})
    else:
        print(f"{text.count(len(results), 'file')}: {len(results) - failed} done, {failed} failed")
        if any(result.outcome == "scrubbed" for result in results):
            print("review the cassettes before you commit them: image names and metadata are kept")
    if failed:
        return IMPOSSIBLE
    all_scrubbed = (result.scrubbed for result in results if result.scrubbed is not None)
    removes = any(each.removed or each.keystone or each.unanswered for each in all_scrubbed)
    return DIFFERENT if options.check and removes else SAME


def _only_cloud(settings: Settings) -> str:
    if len(settings.declared) == 1:
        return next(iter(settings.declared))
    raise UsageError(
        "no cloud is named, so there is no folder for the cassettes",
        remedy="choose any name, for example --cloud staging",
    )


def _recordings(paths: Iterable[str]) -> dict[Path, str]:
    """Return files, also those below folders, each with a distinct name for its cassette."""
    folders: dict[Path, Path] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            folders[path] = path.parent
            continue
        for file in sorted(path.rglob("*")):
            is_hidden = any(part[0] == "." for part in file.relative_to(path).parts)
            if reading.may_be_recording(file) and not is_hidden:
                folders[file] = path
    names = {file: _name_below(folder, file) for file, folder in folders.items()}
    if len({*names.values()}) < len(names):  # files in two folders have the same name
        parent = Path(os.path.commonpath([file.absolute() for file in folders.values()]))
        names = {name: _name_below(parent, name.absolute()) for name in names}
    duplicates = [path for path, name in names.items() if list(names.values()).count(name) > 1]
    if duplicates:
        raise UsageError(
            "two recordings would become one cassette, because they differ in their suffix only",
            where=", ".join(map(str, duplicates[:2])),
            remedy="rename one of them, or scrub them into two folders with -o",
        )
    return names


def _name_below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _read(paths: Sequence[str]) -> tuple[list[Source], list[_Result]]:
    """Return recordings and failures; other files of a folder are skipped with a message."""
    sources, failed = [], []
    given = set(map(Path, paths))
    for path, name in _recordings(paths).items():
        try:
            sources.append(reading.read(path, name=name))
        except ImageDetailError as error:
            if isinstance(error, NoRecordingError) and path not in given:
                say(f"skipped, {error.problem}: {path}")
            else:
                failed.append(_Result(file=path, error=error))
    return sources, failed


def _plan(source: Source, options: Options, cloud: str, known: Known) -> _Result:
    scrubbed = scrubbing.scrub(source, cloud=cloud, known=known)
    is_clean = source.own is not None and not scrubbed.removed
    if is_clean and scrubbed.recording is None:
        return _Result(file=source.path, outcome="ours")
    if source.own is not None and not (is_clean or options.in_place or options.check):
        raise CassetteError(
            f"this cassette holds what must be removed: {_removed(scrubbed)}",
            where=str(source.path),
            remedy=f"replace it: imagedetail scrub --in-place {source.path}",
        )
    outcome, path = "would convert" if is_clean else "would scrub", source.path
    if options.in_place or source.own is not None:
        scrubbing.replacement(scrubbed)  # raises if it is unsafe to write
    elif scrubbed.recording is None:
        return _Result(file=source.path, outcome="nothing left", scrubbed=scrubbed)
    else:
        path = options.store.traffic_path(cloud, source.name)
        refuse_unsafe(scrubbed.recording, known=scrubbed.known, where=str(path))
    return _Result(file=source.path, outcome=outcome, path=path, scrubbed=scrubbed)


def _write(result: _Result, options: Options) -> _Result:
    scrubbed = result.scrubbed
    if scrubbed is None or scrubbed.recording is None:
        return result
    if options.in_place or scrubbed.source.own is not None:
        outcome = "converted" if result.outcome == "would convert" else "scrubbed"
        with writing(scrubbed.source.path):
            swap(scrubbed.source.path, scrubbing.replacement(scrubbed))
    else:
        outcome = scrubbing.write(
            scrubbed.recording, known=scrubbed.known, store=options.store, force=options.force
        )
    return replace(result, outcome=outcome)


def _print(result: _Result, options: Options) -> None:
    name = text.plain(str(result.file))
    if result.error is not None:
        print(f"failed   {name}", flush=True)
        complain(result.error, options)
        return
    if result.scrubbed is None:
        print(f"{name}: already a cassette of imagedetail; nothing to do")
        return
    scrubbed, notes = result.scrubbed, ", ".join(_notes(result.scrubbed))
    if result.path is None:
        print(f"{name}: nothing to write ({notes})")
        return
    head = "= unchanged" if result.outcome == "unchanged" else result.outcome
    count = text.count(scrubbed.interactions, "interaction") + (f" ({notes})" if notes else "")
    print(f"{head} {name} -> {text.plain(str(result.path))}: {count}")
    print(f"  removed: {_removed(scrubbed) or 'nothing'}")


def _removed(scrubbed: ScrubResult) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in scrubbed.removed.items())


def _notes(scrubbed: ScrubResult) -> Iterator[str]:
    if scrubbed.source.is_old:
        yield f"to schema {SCHEMA}"
    if scrubbed.keystone:
        yield f"{text.count(scrubbed.keystone, 'login request')} left out"
    if scrubbed.unanswered:
        yield f"{scrubbed.unanswered} without a response left out"
    if scrubbed.mixed:
        yield f"sent as {scrubbed.mixed}, which a replay cannot tell apart"


def _mv(options: Options) -> int:
    """Move the recordings of all clouds; change nothing if one cannot be moved."""
    store = options.store
    paths = [path for cloud in store.traffic_clouds() for path in store.traffic_paths(cloud)]
    tests = {path: load_own(path).provenance.test or "" for path in paths}
    moves = []
    for path, test in tests.items():
        if (new := _renamed(test, options.old, options.new)) is not None:
            moves.append((path, new, path_of_renamed(path, test, new)))
    if not moves:
        raise UsageError(
            f"there is no recording of {options.old}",
            where=str(store.directory),
            remedy=f"{did_you_mean(options.old, [*tests.values()])}imagedetail ls lists the tests\n"
            "a cloud cannot be renamed: record it under its new name",
        )
    for _, new, target in moves:
        if os.path.lexists(target):
            raise UsageError(
                f"{new} has a recording already; nothing was moved",
                where=str(target),
                remedy="delete the one that is not needed",
            )
    for path, new, target in moves:
        store.rename(path, new, target)
        print(f"moved  {path} -> {target}")
    print(f"{text.count(len(moves), 'cassette')} moved")
    return SAME


def _renamed(test: str, old: str, new: str) -> str | None:
    old, new = (prefix.rstrip("/").removeprefix("./") for prefix in (old, new))
    rest = test.removeprefix(old)
    is_meant = test.startswith(old) and (not rest or rest.startswith(("/", "::", "[")))
    return new + rest if is_meant else None
