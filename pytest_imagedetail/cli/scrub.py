"""`imagedetail scrub`: makes safe cassettes of what other tools recorded; asks no cloud."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.cassette import Store, check_cloud_name
from pytest_imagedetail.cli.arguments import add_json, add_verb, settings
from pytest_imagedetail.cli.output import DIFFERENT, IMPOSSIBLE, SAME, complain, print_json
from pytest_imagedetail.errors import ImageDetailError, UsageError
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.redact import Secrets
from pytest_imagedetail.report import text
from pytest_imagedetail.scrub import (
    Outcome,
    Scrubbed,
    Source,
    check,
    exposed_in,
    path_of,
    read,
    scrubbed,
    write,
)
from pytest_imagedetail.settings import Settings

_HINT: Final = (
    "read what was written before you commit it: names and metadata of images stay as they are"
)


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "make safe cassettes of recordings of vcrpy, betamax, Ruby's VCR, or HAR files"
    parser = add_verb(verbs, "scrub", _run, summary)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a recording; it is left alone")
    parser.add_argument(
        "--cloud",
        metavar="NAME",
        help="the name to keep it under (default: the one that imagedetail.yaml declares)",
    )
    parser.add_argument("-o", dest="cassette_dir", metavar="DIR", help="the same as --cassette-dir")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing, and end with 1 if anything would be removed",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace another cassette that lies in the place"
    )
    add_json(parser)


def _run(options: argparse.Namespace) -> int:
    chosen = settings(options)
    cloud = check_cloud_name(options.cloud or _only_cloud(chosen))
    read_or_failed = [_read(Path(each)) for each in dict.fromkeys(options.files)]
    exposed = exposed_in(each for each in read_or_failed if isinstance(each, Source))
    store = store_of(chosen)
    lines = []
    for each in read_or_failed:
        line = each if isinstance(each, _Failed) else _done(each, options, cloud, store, exposed)
        lines.append(line)
        if not options.json:
            _print(line)
    if options.json:
        print_json({"schema": 1, "files": [each.to_dict() for each in lines]})
    else:
        _print_total(lines)
    if any(isinstance(each, _Failed) for each in lines):
        return IMPOSSIBLE
    would = options.check and any(isinstance(each, _Done) and each.tells for each in lines)
    return DIFFERENT if would else SAME


def _only_cloud(chosen: Settings) -> str:
    if len(chosen.declared) == 1:
        return next(iter(chosen.declared))
    raise UsageError(
        "no cloud is named, so there is no folder for the cassettes",
        remedy="name one, as you like: --cloud staging",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failed:
    """A file that could not be made a cassette."""

    path: Path
    error: ImageDetailError

    def to_dict(self) -> dict[str, Any]:
        return {"file": str(self.path), "outcome": "failed", "problem": str(self.error)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """A file that was looked through, what became of it, and where its cassette is."""

    source: Source
    outcome: str
    path: Path | None = None
    done: Scrubbed | None = None

    @property
    def tells(self) -> bool:
        """Whether there is anything in it to remove."""
        return self.done is not None and bool(
            self.done.removed or self.done.keystone or self.done.unanswered
        )

    @property
    def left(self) -> int:
        heard = self.done.heard if self.done is not None else None
        return len(heard.recording.interactions) if heard is not None else 0

    def to_dict(self) -> dict[str, Any]:
        facts = {"file": str(self.source.path), "tool": self.source.tool, "outcome": self.outcome}
        if self.done is None:
            return facts
        return {
            **facts,
            "cassette": None if self.path is None else str(self.path),
            "interactions": self.left,
            "dropped": {"keystone": self.done.keystone, "unanswered": self.done.unanswered},
            "removed": dict(self.done.removed),
        }


def _read(path: Path) -> Source | _Failed:
    try:
        return read(path)
    except ImageDetailError as error:
        return _Failed(path=path, error=error)


def _done(
    source: Source, options: argparse.Namespace, cloud: str, store: Store, exposed: Secrets
) -> _Done | _Failed:
    if source.tool == "imagedetail":
        return _Done(source=source, outcome=Outcome.OURS.value)
    try:
        done = scrubbed(source, cloud=cloud, exposed=exposed)
        if done.heard is None:
            return _Done(source=source, outcome=Outcome.NOTHING_LEFT.value, done=done)
        path = path_of(done, cloud=cloud, store=store)
        if options.check:
            check(done.heard, path)
            return _Done(source=source, outcome="would scrub", path=path, done=done)
        written = write(done.heard, store=store, force=options.force)
        return _Done(source=source, outcome=written.value, path=path, done=done)
    except ImageDetailError as error:
        return _Failed(path=source.path, error=error)


def _print(line: _Done | _Failed) -> None:
    if isinstance(line, _Failed):
        print(f"failed   {text.plain(str(line.path))}", flush=True)
        complain(line.error, IMPOSSIBLE)
        return
    name = text.plain(str(line.source.path))
    if line.done is None:
        print(f"{name}: a cassette of imagedetail already; nothing to do")
        return
    dropped = ", ".join(_dropped(line.done))
    if line.path is None:
        print(f"{name}: nothing left to write ({dropped})")
    else:
        head = "= unchanged" if line.outcome == Outcome.UNCHANGED.value else line.outcome
        count = text.count(line.left, "interaction") + (f" ({dropped})" if dropped else "")
        print(f"{head} {name} -> {text.plain(str(line.path))}: {count}")
    removed = ", ".join(f"{kind} {number}" for kind, number in line.done.removed.items())
    print(f"  removed: {removed or 'nothing'}")


def _dropped(done: Scrubbed) -> Iterator[str]:
    if done.keystone:
        yield f"{done.keystone} of Keystone dropped"
    if done.unanswered:
        yield f"{done.unanswered} without an answer dropped"


def _print_total(lines: list[_Done | _Failed]) -> None:
    failed = sum(isinstance(each, _Failed) for each in lines)
    written = any(isinstance(each, _Done) and each.outcome == "scrubbed" for each in lines)
    print(f"{text.count(len(lines), 'file')}: {len(lines) - failed} done, {failed} failed")
    if written:
        print(_HINT)
