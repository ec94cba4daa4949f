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
from pytest_imagedetail.cassette import (
    check_cloud_name,
    load_own,
    path_of_renamed,
    refuse_unsafe,
)
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
from pytest_imagedetail.scrub import Scrubbed, reading
from pytest_imagedetail.scrub.reading import Source
from pytest_imagedetail.settings import Settings

_SEVERITIES: Final = ("error", "warning", "note")


def add_verbs(verbs: Any) -> None:
    """Add the three verbs."""
    summary = "check cassettes for secrets, damage and stray files; uses no network"
    parser = add_verb(verbs, "lint", _lint, summary, "--json")
    says = "a file, or a folder with everything in it (default: the folder of cassettes)"
    value(parser, "paths", "PATH", says, nargs="*")
    value(parser, "--max-age", "DAYS", "report recordings that are older (default: any age)")
    says = f"skip a rule; repeatable; known: {', '.join(RULES)}"
    value(parser, "--ignore", "RULE", says, action="append", default=[])
    flag(parser, "--strict", "end with 1 for warnings as well")

    summary = "write safe cassettes from recordings of vcrpy, betamax, Ruby's VCR, or HAR files"
    parser = add_verb(verbs, "scrub", _scrub, summary, "--json")
    says = "a recording, or a folder of recordings, whose structure is kept"
    value(parser, "paths", "PATH", says, nargs="+")
    says = "the name to keep it under (default: the one that imagedetail.yaml declares)"
    value(parser, "--cloud", "NAME", says)
    value(parser, "-o", "DIR", "the same as --cassette-dir", dest="cassette_dir")
    says = "replace the recordings themselves, which git must have as they are"
    flag(parser, "--in-place", says)
    flag(parser, "--check", "write nothing, and end with 1 if anything would be removed")
    flag(parser, "--force", "replace another cassette of the same name")

    summary = "move the recordings of tests that were renamed or moved"
    parser = add_verb(verbs, "mv", _mv, summary)
    says = "a test as `ls` shows it, a test without its parameters, a module, or a folder"
    value(parser, "old", "OLD", says)
    value(parser, "new", "NEW", "what it is called now")


def _lint(options: Options) -> int:
    chosen = options.chosen
    for rule in options.ignore:
        if rule not in RULES:
            raise UsageError(f"there is no rule {rule!r}", remedy=f"known: {', '.join(RULES)}")
    paths = [*map(Path, options.paths)] or [chosen.cassette_dir]
    linter = Linter(
        releases={name: each.release for name, each in chosen.declared.items()},
        max_age=chosen.max_age,
        now=datetime.now(UTC),
        folder=chosen.cassette_dir,
    )
    done = lint(paths, linter) if options.paths or chosen.cassette_dir.is_dir() else None
    if done is None or not (done.files or done.findings):
        raise UsageError(
            "there is nothing to check",
            where=", ".join(map(str, paths)),
            remedy="name files or a folder, or record first: imagedetail record --os-cloud NAME",
        )
    found = [each for each in done.findings if each.rule not in options.ignore]
    if options.json:
        findings = [each.to_dict() for each in found]
        print_json({"schema": 1, "files": done.files, "findings": findings})
    else:
        for each in found:
            print(each)
        steps = [
            f"  {rule}: {each.remedy}" for rule in RULES for each in found if each.rule == rule
        ]
        if steps:
            print("\nwhat to do next", *dict.fromkeys(steps), "", sep="\n")
        counts = Counter(each.severity for each in found)
        parts = ", ".join(text.count(counts[kind], kind) for kind in _SEVERITIES if counts[kind])
        print(f"{text.count(done.files, 'file')}: {parts or 'nothing found'}")
    if any(each.rule == "unreadable" for each in found):
        return IMPOSSIBLE
    failing = {"error", "warning"} if options.strict else {"error"}
    return DIFFERENT if any(each.severity in failing for each in found) else SAME


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    file: Path
    outcome: str = "failed"
    path: Path | None = None  # of the cassette, if there is one to write
    done: Scrubbed | None = None  # None if it failed or is clean
    error: ImageDetailError | None = None

    def to_dict(self) -> dict[str, Any]:
        if self.error is not None:
            return {"file": str(self.file), "outcome": self.outcome, "problem": str(self.error)}
        if self.done is None:
            return {"file": str(self.file), "tool": "imagedetail", "outcome": self.outcome}
        return {
            "file": str(self.file),
            "tool": self.done.source.tool,
            "outcome": self.outcome,
            "cassette": None if self.path is None else str(self.path),
            "interactions": self.done.interactions,
            "dropped": {"keystone": self.done.keystone, "unanswered": self.done.unanswered},
            "removed": dict(self.done.removed),
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
    needs_cloud = not options.cloud and any(each.own is None for each in sources)
    cloud = check_cloud_name(_only_cloud(options.chosen) if needs_cloud else options.cloud or "any")
    known = scrubbing.secrets_of(sources)
    results += (
        _tried(each.path, partial(_planned, each, options, cloud, known)) for each in sources
    )
    if not options.check and any(each.error for each in results):
        if len(results) > 1:
            say("nothing was written, because a secret of one file may occur in another")
    elif not options.check:
        if options.in_place:
            replaced = (each for each in results if each.outcome == "would scrub")
            scrubbing.refuse_in_place([each.done.source for each in replaced if each.done])
        results = [_tried(each.file, partial(_written, each, options)) for each in results]
    if not options.json:
        for each in results:
            _print(each, options)
    return _report(results, options)


def _tried(path: Path, step: Callable[[], _Result]) -> _Result:
    try:
        return step()
    except ImageDetailError as error:
        return _Result(file=path, error=error)


def _report(results: Sequence[_Result], options: Options) -> int:
    failed = sum(each.error is not None for each in results)
    if options.json:
        print_json({"schema": 1, "files": [each.to_dict() for each in results]})
    else:
        print(f"{text.count(len(results), 'file')}: {len(results) - failed} done, {failed} failed")
        if any(each.outcome == "scrubbed" for each in results):
            print("review the cassettes before you commit them: image names and metadata are kept")
    if failed:
        return IMPOSSIBLE
    found = (each.done for each in results if each.done is not None)
    removes = any(each.removed or each.keystone or each.unanswered for each in found)
    return DIFFERENT if options.check and removes else SAME


def _only_cloud(chosen: Settings) -> str:
    if len(chosen.declared) == 1:
        return next(iter(chosen.declared))
    raise UsageError(
        "no cloud is named, so there is no folder for the cassettes",
        remedy="choose any name, for example --cloud staging",
    )


def _found(paths: Iterable[str]) -> dict[Path, str]:
    """Return files, also those below folders, each with a distinct name for its cassette."""
    folders: dict[Path, Path] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            folders[path] = path.parent
            continue
        for each in sorted(path.rglob("*")):
            if _may_be_recording(each.relative_to(path)):
                folders[each] = path
    names = {each: _name_below(folder, each) for each, folder in folders.items()}
    if len({*names.values()}) < len(names):  # files in two folders have the same name
        above = Path(os.path.commonpath([each.absolute() for each in folders.values()]))
        names = {each: _name_below(above, each.absolute()) for each in names}
    twice = [path for path, name in names.items() if list(names.values()).count(name) > 1]
    if twice:
        raise UsageError(
            "two recordings would become one cassette, because they differ in their suffix only",
            where=", ".join(map(str, twice[:2])),
            remedy="rename one of them, or scrub them into two folders with -o",
        )
    return names


def _name_below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _may_be_recording(below: Path) -> bool:
    is_hidden = any(part[0] == "." for part in below.parts)
    return reading.may_be_recording(below) and not is_hidden


def _read(paths: Sequence[str]) -> tuple[list[Source], list[_Result]]:
    """Return recordings and failures; other files of a folder are skipped with a message."""
    sources, failed = [], []
    given = set(map(Path, paths))
    for path, name in _found(paths).items():
        try:
            sources.append(reading.read(path, name=name))
        except ImageDetailError as error:
            if isinstance(error, NoRecordingError) and path not in given:
                say(f"passed over, {error.problem}: {path}")
            else:
                failed.append(_Result(file=path, error=error))
    return sources, failed


def _planned(source: Source, options: Options, cloud: str, known: Known) -> _Result:
    done = scrubbing.scrub(source, cloud=cloud, known=known)
    is_clean = source.own is not None and not done.removed
    if is_clean and done.recording is None:
        return _Result(file=source.path, outcome="ours")
    if source.own is not None and not (is_clean or options.in_place or options.check):
        raise CassetteError(
            f"this cassette holds what must be removed: {_removed(done)}",
            where=str(source.path),
            remedy=f"replace it: imagedetail scrub --in-place {source.path}",
        )
    outcome, path = "would convert" if is_clean else "would scrub", source.path
    if options.in_place or source.own is not None:
        scrubbing.replacement(done)  # raises if it is unsafe to write
    elif done.recording is None:
        return _Result(file=source.path, outcome="nothing left", done=done)
    else:
        path = options.store.traffic_path(cloud, source.name)
        refuse_unsafe(done.recording, known=done.known, where=str(path))
    return _Result(file=source.path, outcome=outcome, path=path, done=done)


def _written(result: _Result, options: Options) -> _Result:
    done = result.done
    if done is None or done.recording is None:
        return result
    if options.in_place or done.source.own is not None:
        outcome = "converted" if result.outcome == "would convert" else "scrubbed"
        with writing(done.source.path):
            swap(done.source.path, scrubbing.replacement(done))
    else:
        outcome = scrubbing.write(
            done.recording, known=done.known, store=options.store, force=options.force
        )
    return replace(result, outcome=outcome)


def _print(result: _Result, options: Options) -> None:
    name = text.plain(str(result.file))
    if result.error is not None:
        print(f"failed   {name}", flush=True)
        complain(result.error, options)
        return
    if result.done is None:
        print(f"{name}: already a cassette of imagedetail; nothing to do")
        return
    notes = ", ".join(_notes(result.done))
    if result.path is None:
        print(f"{name}: nothing to write ({notes})")
        return
    head = "= unchanged" if result.outcome == "unchanged" else result.outcome
    count = text.count(result.done.interactions, "interaction") + (f" ({notes})" if notes else "")
    print(f"{head} {name} -> {text.plain(str(result.path))}: {count}")
    print(f"  removed: {_removed(result.done) or 'nothing'}")


def _removed(done: Scrubbed) -> str:
    return ", ".join(f"{kind} {number}" for kind, number in done.removed.items())


def _notes(done: Scrubbed) -> Iterator[str]:
    if done.source.is_old:
        yield f"to schema {SCHEMA}"
    if done.keystone:
        yield f"{text.count(done.keystone, 'login request')} left out"
    if done.unanswered:
        yield f"{done.unanswered} without a response left out"
    if done.mixed:
        yield f"sent as {done.mixed}, which a replay cannot tell apart"


def _mv(options: Options) -> int:
    """Move the recordings of all clouds; change nothing if one cannot be moved."""
    store = options.store
    recorded = [path for cloud in store.traffic_clouds() for path in store.traffic_paths(cloud)]
    tests = {path: load_own(path).provenance.test or "" for path in recorded}
    moves = []
    for path, test in tests.items():
        if (new := _renamed(test, options.old, options.new)) is not None:
            moves.append((path, new, path_of_renamed(path, test, new)))
    if not moves:
        raise UsageError(
            f"there is no recording of {options.old}",
            where=str(store.directory),
            remedy=f"{did_you_mean(options.old, [*tests.values()])}imagedetail ls lists the tests",
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
    old, new = (each.rstrip("/").removeprefix("./") for each in (old, new))
    rest = test.removeprefix(old)
    is_meant = test.startswith(old) and (not rest or rest.startswith(("/", "::", "[")))
    return new + rest if is_meant else None
