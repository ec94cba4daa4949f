"""`imagedetail fingerprint`: which releases of Nova answer as a cloud does."""

import argparse
from collections.abc import Iterator
from typing import Any, Final

from pytest_imagedetail.cassette import check_cloud_name
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import add_json, add_query, add_verb, query, settings
from pytest_imagedetail.cli.output import DIFFERENT, SAME, cell, print_json, print_table
from pytest_imagedetail.errors import ComparisonError
from pytest_imagedetail.fingerprint import Clue, Fingerprint, Unsent, fingerprint
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.report import text

_WIDTH: Final = 60  # letters of what was seen; a status can be any text


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    summary = "say which releases of Nova answer as a cloud does"
    parser = add_verb(verbs, "fingerprint", _fingerprint, summary)
    parser.add_argument("cloud", metavar="CLOUD", help="a cloud, or the path of a cassette or body")
    add_query(parser)
    add_json(parser)


def _fingerprint(options: argparse.Namespace) -> int:
    found = fingerprint(_listings(options))
    if not found.clues and not found.unsent:
        raise ComparisonError(
            "nothing in these answers dates a release",
            where=f"cloud {found.cloud}",
            remedy="record a listing that has images: imagedetail record --os-cloud NAME",
        )
    if options.json:
        print_json(found.to_dict())
    else:
        print("\n".join(_head(found)))
        dating = [_row(each.span, each) for each in found.clues]
        print_table([*dating, *(_row("no release", each) for each in found.unsent)])
        print("\n".join(_verdict(found)))
    return SAME if found.fits else DIFFERENT


def _listings(options: argparse.Namespace) -> tuple[Listing, ...]:
    """What the query names; without one, all that is recorded of the cloud."""
    chosen, asked = settings(options), query(options)
    if sides.is_path(options.cloud) or asked.params or asked.microversion:
        return (sides.listing(options.cloud, asked, chosen),)
    found = tuple(sides.recorded(check_cloud_name(options.cloud), chosen, store_of(chosen)))
    return found or (sides.listing(options.cloud, asked, chosen),)  # which says how to record it


def _head(found: Fingerprint) -> Iterator[str]:
    yield f"{cell(found.cloud)}: release {found.declared or 'not declared'}"


def _row(releases: str, each: Clue | Unsent) -> list[str]:
    images = text.count(each.images, "image") if each.images else ""
    return [releases, cell(text.cut(each.seen, _WIDTH)), images, each.source]


def _verdict(found: Fingerprint) -> Iterator[str]:
    yield f"{cell(found.cloud)} {found.summary}" if found.releases else found.summary
    for clue in found.contradictions:
        yield f"the declared release {found.declared} does not fit: {clue.seen} ({clue.span})"
