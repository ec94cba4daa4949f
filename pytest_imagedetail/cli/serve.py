"""`imagedetail serve`: recordings as clouds on loopback, for programs in any language."""

import argparse
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cli.arguments import add_verb, settings
from pytest_imagedetail.cli.output import SAME
from pytest_imagedetail.errors import UsageError
from pytest_imagedetail.harness import store_of
from pytest_imagedetail.server import Server

_MARK: Final = "# Written by `imagedetail serve`, which replaces it.\n"
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def add_verbs(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(verbs, "serve", _run, "replay recordings over HTTP on loopback")
    parser.add_argument("clouds", metavar="NAME", nargs="+", help="a recorded cloud, or a glob")
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="PORT",
        help="of the first cloud, the others follow (default: 0, any that is free)",
    )
    parser.add_argument("--clouds-yaml", metavar="FILE", help="write credentials for the clouds")


def _run(options: argparse.Namespace) -> int:
    chosen = replace(settings(options), clouds=tuple(options.clouds))
    store = store_of(chosen)
    names = chosen.select((*store.clouds(), *store.library_clouds()))
    # Blocked before any thread starts, so that the signal waits for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    with ExitStack() as stack:
        servers = [
            stack.enter_context(Server(store, name, port=options.port and options.port + number))
            for number, name in enumerate(names)
        ]
        if options.clouds_yaml is not None:
            _write(Path(options.clouds_yaml), servers)
        for each in servers:
            print(each.name, each.auth_url, flush=True)
        signal.sigwait(_SIGNALS)
    return SAME


def _write(path: Path, servers: Sequence[Server]) -> None:
    """Write a clouds.yaml, unless somebody else's file is there."""
    remedy = "name a file that does not exist: --clouds-yaml FILE"
    try:
        if path.exists() and not path.read_text(encoding="utf-8").startswith(_MARK):
            raise UsageError(
                "the file was not written by `imagedetail serve`, and is left as it is",
                where=str(path),
                remedy=remedy,
            )
        entries = {each.name: each.clouds_yaml for each in servers}
        path.write_text(_MARK + yamltext.dump({"clouds": entries}), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(
            f"the credentials cannot be written: {reason}", where=str(path), remedy=remedy
        ) from error
