"""`imagedetail record` and `imagedetail import`: the two ways to make a cassette."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import clouds, noise, recorder
from pytest_imagedetail.cassette import Store, check_cloud_name, loads
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import add_max_age, add_query, add_verb, query, settings
from pytest_imagedetail.cli.output import SAME
from pytest_imagedetail.comparison import Comparison
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.importing import imported
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.report import text
from pytest_imagedetail.settings import check_release

_ONE: Final = {
    "addresses": "address",
    "headers": "header",
    "hosts": "host",
    "ids": "id",
    "people": "person",
    "secrets": "secret",
}


def add_verbs(verbs: Any) -> None:
    """Add both verbs."""
    parser = add_verb(verbs, "record", _record, "record what a cloud of clouds.yaml answers")
    parser.add_argument(
        "--os-cloud",
        default=os.environ.get("OS_CLOUD"),
        metavar="NAME",
        help="its name in clouds.yaml or imagedetail.yaml (default: $OS_CLOUD)",
    )
    parser.add_argument("--name", metavar="N", help="name to keep it under (default: the same)")
    parser.add_argument(
        "--release", metavar="R", help='its OpenStack release, for example "2026.2"'
    )
    parser.add_argument(
        "--expect", type=int, metavar="CODE", help="record this error, which the query must give"
    )
    parser.add_argument(
        "--twice",
        action="store_true",
        help="ask twice, and note what two identical requests disagree on",
    )
    add_max_age(parser, "renew the date of the same answer if it is older (default: never)")
    add_query(parser)
    parser = add_verb(verbs, "import", _import, "make a cassette of a body that was saved by hand")
    parser.add_argument("file", metavar="FILE", help="the body of the answer, JSON or XML")
    parser.add_argument("--cloud", required=True, metavar="N", help="the name to keep it under")
    parser.add_argument("--release", metavar="R", help="the OpenStack release, if known")
    parser.add_argument(
        "--status", type=int, default=200, metavar="CODE", help="what the cloud answered with"
    )
    parser.add_argument(
        "--force", action="store_true", help="replace what was recorded from a cloud, too"
    )
    add_query(parser)


def _record(options: argparse.Namespace) -> int:
    if not options.os_cloud:
        raise UsageError("no cloud is named", remedy="name one: --os-cloud NAME, or set OS_CLOUD")
    name = check_cloud_name(options.name or options.os_cloud)
    chosen = settings(options)
    ask = noise.ask_twice if options.twice else recorder.ask
    answer = ask(
        clouds.connect(chosen.declaration(options.os_cloud).os_cloud),
        query(options),
        cloud=name,
        release=check_release(options.release) or chosen.declaration(name).release,
        expect=options.expect,
        report=lambda text: print(f"imagedetail: {text}", file=sys.stderr),
    )
    if isinstance(answer, recorder.Live):
        return _keep(store_of(chosen), answer)
    _keep(store_of(chosen), answer.live)
    print("\n".join(_noise(answer.comparison)))
    return SAME


def _noise(comparison: Comparison) -> Iterator[str]:
    if comparison.same:
        yield "asked twice, and answered the same"
    for group in text.groups(comparison.differences):
        values = " -> ".join(value for _, value in text.values(group.first))
        yield f"volatile  {group.first.any_image}  {group.first.kind}  {values}".rstrip()
    if not comparison.same:
        yield "two identical requests disagreed; nothing is accepted by that, a rule accepts"


def _import(options: argparse.Namespace) -> int:
    cloud, release = check_cloud_name(options.cloud), check_release(options.release)
    live = imported(
        sides.read_bytes(Path(options.file)),
        cloud=cloud,
        query=query(options),
        status_code=options.status,
        release=release,
        where=options.file,
    )
    store = store_of(settings(options))
    if not options.force:
        _refuse_to_replace_a_recording(store, live.listing)
    return _keep(store, live)


def _refuse_to_replace_a_recording(store: Store, listing: Listing) -> None:
    path = store.path(listing.cloud, listing.query)
    if path.exists() and loads(path).provenance.source == "recorded":
        raise UsageError(
            "this would replace what a cloud really answered by a body that was saved by hand",
            where=str(path),
            remedy="choose another name with --cloud, or insist with --force",
        )


def _keep(store: Store, live: recorder.Live) -> int:
    written = recorder.keep(store, live)
    listing = live.listing
    path = store.path(listing.cloud, listing.query)
    found = f"answered {listing.status_code}"
    if listing.error is None:
        found = text.count(len(listing.images), "image")
    counts = listing.provenance.redactions.items()
    hidden = ", ".join(
        f"{number} {_ONE.get(kind, kind) if number == 1 else kind}" for kind, number in counts
    )
    print(f"{written.value}  {path}  {found}; redacted: {hidden or 'nothing'}")
    return SAME
