"""`imagedetail record` and `imagedetail import`: the two ways to make a cassette."""

import argparse
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail import contract
from pytest_imagedetail.cassette import Store, check_cloud_name, loads, refuse_unsafe
from pytest_imagedetail.cli import sides
from pytest_imagedetail.cli.arguments import (
    add_max_age,
    add_query,
    add_rules,
    add_verb,
    query,
    settings,
)
from pytest_imagedetail.cli.output import DIFFERENT, SAME, wants_color
from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.fingerprint import fingerprint
from pytest_imagedetail.harness import utc_now
from pytest_imagedetail.listing import Listing, error_status
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record import twice as noise
from pytest_imagedetail.record.importing import imported
from pytest_imagedetail.record.release_guard import record_again, record_under_new_name
from pytest_imagedetail.record.verification import refuse_other_cloud, refuse_other_import
from pytest_imagedetail.report import terminal, text
from pytest_imagedetail.rules import rules_of
from pytest_imagedetail.settings import Settings, check_release
from pytest_imagedetail.transport.http import Access

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
    parser.add_argument(
        "--rewrite",
        action="store_true",
        help="replace a recording whose answer changed (default: print the differences)",
    )
    add_rules(parser)
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
    release = _release(options.release, name, chosen)
    store = Store(directory=chosen.cassette_dir, max_age=chosen.max_age)
    os_cloud = chosen.declaration(options.os_cloud).os_cloud
    access = clouds.connect(os_cloud)
    asked = query(options)
    path = store.path(name, recorder.known_query(access, asked, cloud=name))
    refuse_other_cloud(
        access,
        store,
        cloud=name,
        os_cloud=os_cloud,
        release=release,
        adds=not path.exists(),
        rules=rules_of(*chosen.rules, today=utc_now().date()),
        report=_say,
    )
    ask = noise.ask_twice if options.twice else recorder.ask
    answer = ask(access, asked, cloud=name, release=release, expect=options.expect, report=_say)
    live = answer if isinstance(answer, recorder.Live) else answer.live
    _warn_of_other_evidence(live.listing)
    if path.exists() and not options.rewrite:
        changed = _changed(sides.own(path), live)
        if not changed.same:
            print(_not_replaced(path, changed, os_cloud, access, options))
            return DIFFERENT
    _keep(store, live)
    if not isinstance(answer, recorder.Live):
        print("\n".join(_noise(answer.comparison)))
    return SAME


def _release(typed: str | None, name: str, chosen: Settings) -> str | None:
    """Return the cloud's release: as typed or as declared, which must agree."""
    declared = chosen.declaration(name).release
    index = contract.release_index(check_release(typed))
    if typed and declared and index != contract.release_index(declared):
        raise UsageError(
            f"--release {typed} contradicts imagedetail.yaml, which declares {name!r} as release "
            f"{declared}",
            remedy="record an upgraded cloud under a new name: --name NAME\n"
            "or correct the declaration",
        )
    return typed or declared


def _say(line: str) -> None:
    print(f"imagedetail: {line}", file=sys.stderr)


def _warn_of_other_evidence(listing: Listing) -> None:
    """Warn of what dates the cloud otherwise than declared; only microversions refuse."""
    for clue in fingerprint([listing]).contradictions:
        _say(
            f"warning: {listing.cloud} is declared as release {listing.provenance.release}, but "
            f"{clue.seen} ({clue.span}); imagedetail fingerprint {listing.cloud} shows more"
        )


def _changed(recorded: Listing, live: recorder.Live) -> Comparison:
    """Compare a recording with the answer that would replace it, nothing normalized."""
    refuse_unsafe(
        live.listing.recording, secrets=live.secrets, where=f"the answer of {recorded.cloud}"
    )
    expect = error_status(recorded.recording)
    return compare(recorded, live.listing, profile="wire", fail_on="change", expect=expect)


def _not_replaced(
    path: Path, changed: Comparison, os_cloud: str, access: Access, options: argparse.Namespace
) -> str:
    """Return the differences, and the two ways on."""
    cloud, release = changed.candidate.cloud, changed.candidate.release
    again = [f"--release={release}"] if options.release else []
    again += [f"--expect={options.expect}"] if options.expect else []
    if options.cassette_dir:
        again.append(f"--cassette-dir={shlex.quote(options.cassette_dir)}")
    return "\n".join(
        [
            terminal.render(changed, color=wants_color()),
            "",
            f"not replaced  {path}: the answer changed",
            record_under_new_name(cloud, os_cloud, access.max_microversion),
            record_again(cloud, os_cloud, changed.candidate.query, *again),
        ]
    )


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
    chosen = settings(options)
    store = Store(directory=chosen.cassette_dir, max_age=chosen.max_age)
    refuse_other_import(live.listing.provenance, store, declared=chosen.declaration(cloud).release)
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
