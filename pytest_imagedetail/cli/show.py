"""Show recordings (`clouds`, `ls`, `show`, `fingerprint`) and what `rules` and `schema` list."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import report, text
from pytest_imagedetail.cassette import load, load_own
from pytest_imagedetail.cli import output, sides
from pytest_imagedetail.cli.arguments import QUERY, Options, add_verb, flag, value
from pytest_imagedetail.errors import CassetteNotFoundError, ComparisonError, ImageDetailError
from pytest_imagedetail.fingerprint import Clue, Unsent, fingerprint
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import KINDS, Query
from pytest_imagedetail.normalize import RULES

_MOST_LETTERS: Final = 60  # of a fingerprint's clue, which can be any text of the cloud


def add_verbs(verbs: Any) -> None:
    """Add the six verbs."""
    summary = "list the clouds that have cassettes or are declared"
    add_verb(verbs, "clouds", _clouds, summary, "--json")
    parser = add_verb(verbs, "ls", _ls, "list the cassettes", "--json")
    about = "a cloud or a glob; a shipped one, too (default: every cloud of the project)"
    value(parser, "clouds", "NAME", about, nargs="*")
    parser = add_verb(verbs, "show", _show, "show one recorded listing", *QUERY, "--json")
    value(parser, "cloud", "NAME", "a cloud, or the path of a cassette or body")
    summary = "show which releases of Nova answer as a cloud does"
    parser = add_verb(verbs, "fingerprint", _fingerprint, summary, *QUERY, "--json")
    value(parser, "cloud", "NAME", "a cloud, or the path of a cassette or body")
    summary = "list the kinds of difference and the rules of normalization, by their ids"
    parser = add_verb(verbs, "rules", _rules, summary, "--json")
    flag(parser, "--list", "list them, as without this option")
    summary = "print the JSON Schema of all JSON documents"
    add_verb(verbs, "schema", lambda _: output.print_json(report.schema()), summary)


def _rules(options: Options) -> int:
    """Print the ids in rules and reports, each with its meaning and source."""
    words = {"field": "FIELD", "query": "QUERY", "baseline": "OLD", "candidate": "NEW"}
    kinds = [
        {"id": name, **asdict(kind), "says": kind.says.format(**words)}
        for name, kind in KINDS.items()
    ]
    if options.json:
        normalization = [asdict(rule) for rule in RULES]
        return output.print_json({"schema": 1, "kinds": kinds, "normalization": normalization})
    print("kinds of difference, with the severities they can have; rules accept them by kind\n")
    for kind in kinds:
        print(f"{kind['id']:<20} {', '.join(kind['severities']):<27} {kind['says']}")
        print(f"{'':<20} {kind['judged']}; {kind['source']}")
    print("\nrules of normalization, with the first profile that applies them\n")
    output.print_table((rule.id, rule.name, rule.profile) for rule in RULES)
    print("\n--json has what each rule does, why, and the source")
    return output.SAME


def _clouds(options: Options) -> int:
    settings, store = options.settings, options.store
    own = tuple(sorted({*store.clouds(), *store.traffic_clouds()}))
    entries = []
    for name in dict.fromkeys([*own, *store.library_clouds(), *settings.declared]):
        listings, traffic = store.paths(name), store.traffic_paths(name)
        # The project and the library may both have answers from a cloud.
        paths = (*listings, *traffic)
        sources = {"cassettes" if store.is_own(path) else "library" for path in paths}
        release = settings.declaration(name).release
        entries.append(
            {
                "cloud": name,
                "release": release or _recorded_release(paths),
                "cassettes": len(listings),
                "tests": len(traffic),
                "source": " and ".join(sorted(sources)) or "declared",
            }
        )
    if options.json:
        return output.print_json(entries)
    head = ["cloud", "release", "listings", "tests", "from"]
    output.print_table([head, *(list(entry.values()) for entry in entries)])
    return output.SAME


def _recorded_release(paths: Sequence[Path]) -> str | None:
    for path in paths:
        with suppress(ImageDetailError):  # `ls` and `lint` report it
            if release := load(path).provenance.release:
                return release
    return None


def _ls(options: Options) -> int:
    store = options.store
    entries: list[dict[str, Any]] = []
    errors: list[ImageDetailError] = []
    own = sorted({*store.clouds(), *store.traffic_clouds()})
    for cloud in sides.select(options.clouds, options) if options.clouds else own:
        traffic = store.traffic_paths(cloud)
        listings = store.paths(cloud)
        if not options.clouds:
            listings = tuple(filter(store.is_own, listings))
        try:
            if not listings and not traffic:
                store.load(cloud, Query())  # raises with the command to record it
        except CassetteNotFoundError as error:
            errors.append(error)
        for path in (*listings, *traffic):
            try:
                entries.append(_traffic_entry(path) if path in traffic else _entry(path))
            except ImageDetailError as error:
                errors.append(error)
    if options.json:
        output.print_json(entries)
    else:
        output.print_table(map(_row, entries))
        if not entries and not errors:
            output.say(f"no cassettes in {store.directory}")
    for problem in errors:
        output.complain(problem, options)
    return output.IMPOSSIBLE if errors else output.SAME


def _entry(path: Path) -> dict[str, Any]:
    listing = sides.load_path(path)
    return {
        "cloud": listing.cloud,
        "query": str(listing.query),
        "status": listing.status_code,
        "images": len(listing.images) if listing.error is None else None,
        "complete": listing.complete,
        "recorded_at": listing.provenance.recorded_at,
        "path": str(path),
    }


def _traffic_entry(path: Path) -> dict[str, Any]:
    provenance = load_own(path).provenance
    return {
        "cloud": provenance.cloud,
        **dict.fromkeys(("query", "status", "images", "complete")),
        "recorded_at": provenance.recorded_at,
        "path": str(path),
        "test": provenance.test,
        "interactions": provenance.pages,
        "source": provenance.source,
    }


def _row(entry: dict[str, Any]) -> Sequence[Any]:
    if "test" in entry:
        interactions = text.count(entry["interactions"], "interaction")
        when = entry["recorded_at"] or entry["source"]
        return entry["cloud"], entry["test"], None, interactions, "", when, entry["path"]
    images, part = "error", ""
    if entry["images"] is not None:
        images = text.count(entry["images"], "image")
        part = "complete" if entry["complete"] else "a part"
    when = entry["recorded_at"] or "imported"
    return entry["cloud"], entry["query"], entry["status"], images, part, when, entry["path"]


def _show(options: Options) -> int:
    listing = sides.load_listing(options.cloud, options)
    provenance = listing.provenance
    if options.json:
        return output.print_json(
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
    print(f"{listing.cloud}, query {output.cell(listing.query)}: {listing.status_code}, {when}")
    if listing.error is not None:
        print(output.cell(f"{listing.error['code']} {listing.error['message']}"))
        return output.SAME
    head = ["id", "name", "status", "progress", "minDisk", "minRam", "created"]
    output.print_table([head, *([image.get(name) for name in head] for image in listing.images)])
    completeness = "complete" if listing.complete else "a part of them"
    print(f"{text.count(len(listing.images), 'image')}, {completeness}")
    return output.SAME


def _fingerprint(options: Options) -> int:
    result = fingerprint(_listings(options))
    if not result.clues and not result.unsent:
        raise ComparisonError(
            "nothing in these answers dates a release",
            where=f"cloud {result.cloud}",
            remedy="record a listing that has images: imagedetail record --os-cloud NAME",
        )
    code = output.SAME if result.fits else output.DIFFERENT
    if options.json:
        output.print_json(result.to_dict())
        return code
    name = output.cell(result.cloud)
    print(f"{name}: release {result.declared or 'not declared'}")
    rows = [_clue_row(clue.span, clue) for clue in result.clues]
    output.print_table([*rows, *(_clue_row("no release", field) for field in result.unsent)])
    print(f"{name} {result.summary}" if result.releases else result.summary)
    for clue in result.contradictions:
        print(f"the declared release {result.declared} does not fit: {clue.seen} ({clue.span})")
    return code


def _listings(options: Options) -> tuple[Listing, ...]:
    listings: tuple[Listing, ...] = ()
    if not sides.is_path(options.cloud):
        listings = tuple(sides.listings(sides.select_one(options.cloud, options), options))
    return listings or (sides.load_listing(options.cloud, options),)  # raises if there is none


def _clue_row(releases: str, clue: Clue | Unsent) -> list[str]:
    images = text.count(clue.images, "image") if clue.images else ""
    return [releases, text.cut(text.plain(clue.seen), _MOST_LETTERS), images, clue.source]
