"""`imagedetail demo`: the main job on two embedded clouds, told step by step."""

import argparse
from pathlib import Path
from typing import Any

from pytest_imagedetail import demo
from pytest_imagedetail.cli.arguments import add_verb
from pytest_imagedetail.cli.output import SAME, wants_color
from pytest_imagedetail.report import terminal


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "demo", _run, "the main job on two embedded clouds; no account needed")
    parser.add_argument(
        "--folder", metavar="DIR", default="imagedetail-demo", help="where to put what it makes"
    )


def _run(options: argparse.Namespace) -> int:
    done = demo.run(Path(options.folder))
    print(
        "Two clouds ran on loopback, an OpenStack of 2012 and one of 2026. Each was asked for its"
    )
    print("images over HTTP and recorded; then the clouds stopped, the network was shut, and the")
    print("recordings were replayed and compared.\n")
    for listing, path in zip(done.listings, done.cassettes, strict=True):
        hidden = sum(listing.provenance.redactions.values())
        print(f"  {path}  {len(listing.images)} images, {hidden} values redacted")
    print()
    print(terminal.render(done.comparison, color=wants_color()))
    print(f"\nthe same as a page: {done.page.resolve().as_uri()}")
    cassettes = done.cassettes[0].parent.parent
    print(f"look closer: imagedetail show {demo.CANDIDATE_CLOUD} --cassette-dir {cassettes}")
    print("your own cloud: pip install 'pytest-imagedetail[record]'; imagedetail record --help")
    return SAME
