"""`imagedetail clouds`, `ls` and `show`: what there is, without asking any cloud."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pytest_imagedetail.cassette import Store, load_own_traffic, loads
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import add_json, add_query, add_verb, query, settings
from pytest_imagedetail.cli.output import (
    IMPOSSIBLE,
    SAME,
    cell,
    complain,
    print_json,
    print_table,
)
from pytest_imagedetail.errors import ImageDetailError, UsageError
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.report import text


def add_verbs(verbs: Any) -> None:
    """Add the three verbs."""
    summary = "list the clouds that have cassettes or are declared"
    add_json(add_verb(verbs, "clouds", _clouds, summary))
    add_json(add_verb(verbs, "ls", _ls, "list the cassettes"))
    parser = add_verb(verbs, "show", _show, "show one recorded listing")
    parser.add_argument("cloud", metavar="CLOUD", help="a cloud, or the path of a cassette or body")
    add_query(parser)
    add_json(parser)


def _clouds(options: argparse.Namespace) -> int:
    chosen = settings(options)
    store = store_of(chosen)
    own = tuple(sorted({*store.clouds(), *store.traffic_clouds()}))
    entries = [
        {
            "cloud": name,
            "release": chosen.declaration(name).release or _recorded_release(store, name),
            "cassettes": len(store.paths(name)),
            "tests": len(store.traffic_paths(name)),
            "source": _source(store, name),
        }
        for name in dict.fromkeys([*own, *store.library_clouds(), *chosen.declared])
    ]
    if options.json:
        return print_json(entries)
    print_table([list(map(cell, entry.values())) for entry in entries])
    return SAME


def _source(store: Store, cloud: str) -> str:
    """Where a cloud's answers come from; a partly copied cloud has them from both."""
    paths = (*store.paths(cloud), *store.traffic_paths(cloud))
    sources = {"cassettes" if store.is_own(path) else "library" for path in paths}
    return " and ".join(sorted(sources)) or "declared"


def _recorded_release(store: Store, cloud: str) -> str | None:
    """The release of the first recording of a cloud that names one; a damaged one names none."""
    for path in (*store.paths(cloud), *store.traffic_paths(cloud)):
        with suppress(ImageDetailError):  # `ls` and `lint` say what is wrong with it
            if release := loads(path).provenance.release:
                return release
    return None


def _ls(options: argparse.Namespace) -> int:
    store = store_of(settings(options))
    if options.cassette_dir and not store.directory.is_dir():
        raise UsageError(
            "there is no such folder",
            where=options.cassette_dir,
            remedy="name another with --cassette-dir, or record into it",
        )
    entries, damaged = [], []
    for path, entry in _cassettes(store):
        try:
            entries.append(entry(path))
        except ImageDetailError as fault:
            damaged.append(fault)
    if options.json:
        print_json(entries)
    else:
        print_table([_row(entry) for entry in entries])
        if not entries and not damaged:
            print(f"no cassettes in {store.directory}", file=sys.stderr)
    for each in damaged:
        complain(each, IMPOSSIBLE)
    return IMPOSSIBLE if damaged else SAME


def _cassettes(store: Store) -> Iterator[tuple[Path, Callable[[Path], dict[str, Any]]]]:
    """Every cassette of the project, and what reads its entry."""
    for cloud in sorted({*store.clouds(), *store.traffic_clouds()}):
        yield from ((path, _entry) for path in store.paths(cloud) if store.is_own(path))
        entry = partial(_traffic_entry, cloud=cloud)
        yield from ((path, entry) for path in store.traffic_paths(cloud))


def _traffic_entry(path: Path, *, cloud: str) -> dict[str, Any]:
    """The traffic of a test; it has the keys of a listing, too, for who reads both."""
    provenance = load_own_traffic(path, cloud=cloud).provenance
    listing = dict.fromkeys(("query", "status", "images", "complete"))
    return {
        "cloud": provenance.cloud,
        **listing,
        "recorded_at": provenance.recorded_at,
        "path": str(path),
        "test": provenance.test,
        "interactions": provenance.pages,
        "source": provenance.source,
    }


def _entry(path: Path) -> dict[str, Any]:
    listing = sides.own(path)
    return {
        "cloud": listing.cloud,
        "query": str(listing.query),
        "status": listing.status_code,
        "images": len(listing.images) if listing.error is None else None,
        "complete": listing.complete,
        "recorded_at": listing.provenance.recorded_at,
        "path": str(path),
    }


def _row(entry: dict[str, Any]) -> list[str]:
    if "test" in entry:
        many = text.count(entry["interactions"], "interaction")
        when = entry["recorded_at"] or entry["source"]
        return [cell(entry["cloud"]), cell(entry["test"]), "-", many, "", when, entry["path"]]
    images, whole = "error", ""
    if entry["images"] is not None:
        images = text.count(entry["images"], "image")
        whole = "complete" if entry["complete"] else "a part"
    when = entry["recorded_at"] or "imported"
    head = (entry["cloud"], entry["query"], entry["status"])
    return [*map(cell, head), images, whole, when, entry["path"]]


def _show(options: argparse.Namespace) -> int:
    listing = sides.listing(options.cloud, query(options), settings(options))
    provenance = listing.provenance
    if options.json:
        return print_json(
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
    print(f"{listing.cloud}, query {cell(listing.query)}: {listing.status_code}, {when}")
    if listing.error is not None:
        print(cell(f"{listing.error['code']} {listing.error['message']}"))
        return SAME
    head = ["id", "name", "status", "progress", "minDisk", "minRam", "created"]
    print_table([head, *([cell(image.get(name)) for name in head] for image in listing.images)])
    whole = "complete" if listing.complete else "a part of them"
    print(f"{text.count(len(listing.images), 'image')}, {whole}")
    return SAME
