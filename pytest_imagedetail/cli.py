"""The `imagedetail` command: reads choices, calls the line of the product, shows its result.

Results go to stdout, messages to stderr. Exit codes: 0 same or compatible, 1 differences at or
above --fail-on, 2 could not compare or record, 4 usage.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Never

from pytest_imagedetail import __version__, clouds, demo, recorder, report
from pytest_imagedetail.cassette import Store, check_cloud_name, loads
from pytest_imagedetail.compare import compare
from pytest_imagedetail.errors import (
    CassetteError,
    CassetteNotFoundError,
    ImageDetailError,
    UsageError,
)
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import FAIL_ON, LISTING_STATUSES, Query
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.settings import PROFILES, Choices, Settings, check_release, resolve

_SAME, _DIFFERENT, _IMPOSSIBLE, _USAGE = 0, 1, 2, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Default: those of the process.

    Returns:
        The exit code.
    """
    try:
        options = _parser().parse_args(arguments)
        return int(options.verb(options))
    except UsageError as error:
        return _complain(error, _USAGE)
    except ImageDetailError as error:
        return _complain(error, _IMPOSSIBLE)
    except BrokenPipeError:
        # Whoever read our output has enough; keep the interpreter from complaining at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _SAME
    except KeyboardInterrupt:
        print("imagedetail: stopped; nothing is half-written", file=sys.stderr)
        return 130


class _Parser(argparse.ArgumentParser):
    """Argparse, with this command's exit code for usage errors."""

    def error(self, message: str) -> Never:
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {message}\n  next:  {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="imagedetail",
        description="Record, replay and compare what OpenStack clouds answer to images/detail.",
        epilog="exit codes: 0 same or compatible, 1 differences, 2 impossible, 4 usage",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_demo(verbs)
    _add_record(verbs)
    _add_import(verbs)
    _add_clouds(verbs)
    _add_ls(verbs)
    _add_show(verbs)
    _add_diff(verbs)
    return parser


def _verb(verbs: Any, name: str, function: Any, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    parser.set_defaults(verb=function)
    parser.add_argument(
        "--cassette-dir", metavar="DIR", help="folder of cassettes (default: cassettes)"
    )
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def _add_query(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--query",
        action="append",
        default=[],
        metavar="K=V",
        help="a filter in its wire name, as status=ACTIVE or changes-since=...; repeatable",
    )


def _add_demo(verbs: Any) -> None:
    parser = _verb(verbs, "demo", _demo, "the main job on two embedded clouds; no account needed")
    parser.add_argument(
        "--folder", metavar="DIR", default="imagedetail-demo", help="where to put what it makes"
    )


def _demo(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    done = demo.run(folder)
    say = print
    say("Two clouds ran on loopback, an OpenStack of 2014 and one of 2026. Each was asked for its")
    say("images over HTTP and recorded; then the clouds stopped, the network was shut, and the")
    say("recordings were replayed and compared.\n")
    for listing, path in zip(done.listings, done.cassettes, strict=True):
        hidden = sum(listing.provenance.redactions.values())
        say(f"  {path}  {len(listing.images)} images, {hidden} values redacted")
    say()
    say(terminal.render(done.comparison, color=_color()))
    say(f"\nthe same as a page: {done.page.resolve().as_uri()}")
    cassettes = done.cassettes[0].parent.parent
    say(f"look closer: imagedetail show {demo.CANDIDATE_CLOUD} --cassette-dir {cassettes}")
    say("your own cloud: pip install 'pytest-imagedetail[record]'; imagedetail record --help")
    return _SAME


def _add_record(verbs: Any) -> None:
    parser = _verb(verbs, "record", _record, "record what a cloud of clouds.yaml answers")
    parser.add_argument("--os-cloud", required=True, metavar="NAME", help="its name in clouds.yaml")
    parser.add_argument("--name", metavar="N", help="name to keep it under (default: the same)")
    parser.add_argument(
        "--release", metavar="R", help='its OpenStack release, for example "2026.2"'
    )
    parser.add_argument(
        "--expect", type=int, metavar="CODE", help="record this error, which the query must give"
    )
    _add_query(parser)


def _record(options: argparse.Namespace) -> int:
    name = check_cloud_name(options.name or options.os_cloud)
    settings = _settings(options)
    store = store_of(settings)
    access = clouds.connect(options.os_cloud)
    query = _query(options)
    release = check_release(options.release) or settings.declaration(name).release
    live = recorder.ask(access, query, cloud=name, release=release, expect=options.expect)
    return _kept(store, live)


def _kept(store: Store, live: recorder.Live) -> int:
    written = recorder.keep(store, live)
    listing = live.listing
    path = store.path(listing.cloud, listing.query)
    found = (
        f"{text.count(len(listing.images), 'image')}"
        if listing.error is None
        else f"{listing.status_code}"
    )
    hidden = ", ".join(f"{n} {kind}" for kind, n in listing.provenance.redactions.items() if n)
    print(f"{written.value}  {path}  {found}; redacted: {hidden or 'nothing'}")
    return _SAME


def _add_import(verbs: Any) -> None:
    parser = _verb(verbs, "import", _import, "make a cassette of a body that was saved by hand")
    parser.add_argument("file", metavar="FILE", help="the body of the answer, JSON")
    parser.add_argument("--cloud", required=True, metavar="N", help="the name to keep it under")
    parser.add_argument("--release", metavar="R", help="the OpenStack release, if known")
    parser.add_argument(
        "--status", type=int, default=200, metavar="CODE", help="what the cloud answered with"
    )
    _add_query(parser)


def _import(options: argparse.Namespace) -> int:
    cloud, release = check_cloud_name(options.cloud), check_release(options.release)
    live = recorder.imported(
        _bytes(Path(options.file)),
        cloud=cloud,
        query=_query(options),
        status_code=options.status,
        release=release,
        where=options.file,
    )
    return _kept(store_of(_settings(options)), live)


def _add_clouds(verbs: Any) -> None:
    parser = _verb(verbs, "clouds", _clouds, "list the clouds that have cassettes or are declared")
    _add_json(parser)


def _clouds(options: argparse.Namespace) -> int:
    settings = _settings(options)
    store = store_of(settings)
    own, library = store.clouds(), store.library_clouds()
    entries = [
        {
            "cloud": name,
            "release": settings.declaration(name).release,
            "cassettes": len(store.paths(name)),
            "source": "cassettes" if name in own else "library" if name in library else "declared",
        }
        for name in dict.fromkeys([*own, *library, *settings.declared])
    ]
    if options.json:
        return _print_json(entries)
    _table([[str(value or "-") for value in entry.values()] for entry in entries])
    return _SAME


def _add_ls(verbs: Any) -> None:
    parser = _verb(verbs, "ls", _ls, "list the cassettes")
    _add_json(parser)


def _ls(options: argparse.Namespace) -> int:
    store = store_of(_settings(options))
    entries, damaged = [], []
    for cloud in store.clouds():
        for path in store.paths(cloud):
            try:
                entries.append(_entry(path))
            except ImageDetailError as fault:
                damaged.append(fault)
    if options.json:
        _print_json(entries)
    else:
        _table([_row(entry) for entry in entries])
        if not entries and not damaged:
            print(f"no cassettes in {store.directory}", file=sys.stderr)
    for each in damaged:
        _complain(each, _IMPOSSIBLE)
    return _IMPOSSIBLE if damaged else _SAME


def _entry(path: Path) -> dict[str, Any]:
    listing = _follow(path)
    provenance = listing.provenance
    return {
        "cloud": listing.cloud,
        "query": str(listing.query),
        "status": listing.status_code,
        "images": len(listing.images) if listing.error is None else None,
        "complete": listing.complete,
        "recorded_at": provenance.recorded_at,
        "path": str(path),
    }


def _row(entry: dict[str, Any]) -> list[str]:
    images = "error" if entry["images"] is None else f"{entry['images']} images"
    whole = "complete" if entry["complete"] else "a part"
    if entry["images"] is None:
        whole = "-"
    when = entry["recorded_at"] or "imported"
    return [
        entry["cloud"],
        entry["query"],
        str(entry["status"]),
        images,
        whole,
        when,
        entry["path"],
    ]


def _add_show(verbs: Any) -> None:
    parser = _verb(verbs, "show", _show, "show one recorded listing")
    parser.add_argument("cloud", metavar="CLOUD", help="a cloud, or the path of a cassette or body")
    _add_query(parser)
    _add_json(parser)


def _show(options: argparse.Namespace) -> int:
    listing = _side(options.cloud, options, store_of(_settings(options)))
    provenance = listing.provenance
    if options.json:
        return _print_json(
            {
                "schema": 1,
                "cloud": listing.cloud,
                "query": str(listing.query),
                "status": listing.status_code,
                "complete": listing.complete,
                "release": provenance.release,
                "recorded_at": provenance.recorded_at,
                "images": listing.images if listing.error is None else None,
                "error": listing.error,
            }
        )
    when = provenance.recorded_at or "an unknown time (imported)"
    print(f"{listing.cloud}, query {listing.query}: {listing.status_code}, {when}")
    if listing.error is not None:
        print(f"{listing.error['code']} {listing.error['message']}")
        return _SAME
    head = ["id", "name", "status", "progress", "minDisk", "minRam", "created"]
    rows = [[_cell(image.get(name)) for name in head] for image in listing.images]
    _table([head, *rows])
    print(
        f"{text.count(len(rows), 'image')}, {'complete' if listing.complete else 'a part of them'}"
    )
    return _SAME


def _add_diff(verbs: Any) -> None:
    parser = _verb(verbs, "diff", _diff, "say what separates a candidate from a baseline")
    for name in ("baseline", "candidate"):
        parser.add_argument(
            name, metavar=name.upper(), help="a cloud, or the path of a cassette or a JSON body"
        )
    _add_query(parser)
    parser.add_argument("--profile", choices=PROFILES, help="default: cross-version")
    parser.add_argument("--fail-on", choices=FAIL_ON, help="default: breaking")
    parser.add_argument(
        "--report", action="append", default=[], metavar="FILE", help=".html, .json or .md"
    )
    _add_json(parser)


def _diff(options: argparse.Namespace) -> int:
    settings = _settings(options)
    store = store_of(settings)
    comparison = compare(
        _side(options.baseline, options, store),
        _side(options.candidate, options, store),
        profile=settings.profile,
        fail_on=settings.fail_on,
    )
    for path in settings.reports:
        report.write([comparison], path)
    if options.json:
        _print_json(comparison.to_dict())
    else:
        print(terminal.render(comparison, color=_color()))
    return _SAME if comparison.compatible else _DIFFERENT


def _side(name: str, options: argparse.Namespace, store: Store) -> Listing:
    """A listing by the name of its cloud, or by the path of a cassette or body."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml"}:
        return _follow(path)
    if path.suffix or path.is_file() or "/" in name:
        if path.is_file():
            return _body(path)
        if "/" in name or path.suffix == ".json":
            raise CassetteNotFoundError(
                "there is no such file", where=name, remedy="give a path, or the name of a cloud"
            )
    return recorder.follow(store.load(check_cloud_name(name), _query(options)))


def _follow(path: Path) -> Listing:
    """A cassette by its path; a recorded error is an expected one here."""
    if not path.is_file():
        raise CassetteNotFoundError(
            "there is no such cassette", where=str(path), remedy="imagedetail ls lists them"
        )
    recording = loads(path)
    status = recording.interactions[0].response.status_code
    expect = None if status in LISTING_STATUSES else status
    return recorder.follow(recording, expect=expect)


def _body(path: Path) -> Listing:
    """A JSON body by its path, redacted in memory as if it had been imported."""
    name = "".join(each if each.isalnum() or each in "._-" else "-" for each in path.stem)
    live = recorder.imported(
        _bytes(path),
        cloud=check_cloud_name(name.strip("._-")[:63] or "body"),
        query=Query(),
        status_code=200,
        release=None,
        where=str(path),
    )
    return live.listing


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CassetteError(
            f"the file cannot be read: {error.strerror}", where=str(path), remedy="check the path"
        ) from error


def _query(options: argparse.Namespace) -> Query:
    pairs = []
    for pair in options.query:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise UsageError(
                f"a query is NAME=VALUE, not {pair!r}", remedy="for example --query status=ACTIVE"
            )
        pairs.append((name, value))
    return Query(tuple(pairs))


def _settings(options: argparse.Namespace) -> Settings:
    choices = Choices(
        cassette_dir=options.cassette_dir,
        profile=getattr(options, "profile", None),
        fail_on=getattr(options, "fail_on", None),
        reports=tuple(getattr(options, "report", ())),
    )
    return resolve(choices, root=Path())


def _complain(error: ImageDetailError, code: int) -> int:
    print(f"imagedetail: {error}", file=sys.stderr)
    return code


def _print_json(document: Any) -> int:
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return _SAME


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return "".join(each if each.isprintable() else "?" for each in str(value))


def _color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
