"""Command line: python -m tests.realcloud up|start|stop|down|status.

Progress and errors go to stderr; stdout gets what a shell can eval, or the table.
"""

# ruff: noqa: T201 (printing is its job)

import argparse
import sys
import time
from collections.abc import Callable
from shlex import quote

from . import cloud
from .errors import RealcloudError
from .layout import DIRECTORY_VARIABLE, root
from .releases import RELEASES

FAILED = 2
INTERRUPTED = 130


def main() -> int:
    """Do what the command line says."""
    choice = _parser().parse_args()
    try:
        if choice.verb == "status":
            _print_status()
        for series in getattr(choice, "releases", ()):
            choice.act(series)
    except RealcloudError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("Interrupted; the same command takes it up again.", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.realcloud",
        description="Run real OpenStack clouds on loopback, one per release.",
        epilog=f"Everything is kept in {root()}; {DIRECTORY_VARIABLE} names another folder. "
        "Releases: " + ", ".join(f"{r.series} ({r.name})" for r in RELEASES.values()) + ".",
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, act, text in (
        ("up", _up, "build what is missing, start what does not run"),
        ("start", _start, "start stopped clouds as they were left"),
        ("stop", _stop, "end their processes"),
        ("down", _down, "end their processes and delete them; what was installed stays"),
    ):
        command = verbs.add_parser(verb, help=text, description=text)
        command.add_argument("releases", nargs="+", type=int, choices=RELEASES, metavar="RELEASE")
        command.set_defaults(act=act)
    verbs.add_parser("status", help="show every cloud there is")
    return parser


def _up(series: int) -> None:
    _print_exports(cloud.up(series, _progress(series)))


def _start(series: int) -> None:
    _print_exports(cloud.start(series, _progress(series)))


def _stop(series: int) -> None:
    cloud.stop(series, _progress(series))


def _down(series: int) -> None:
    cloud.down(series, _progress(series))


def _print_exports(made: cloud.Cloud) -> None:
    path = quote(str(made.clouds_yaml))
    print(f"export OS_CLIENT_CONFIG_FILE={path} OS_CLOUD={made.name}", flush=True)


def _progress(series: int) -> Callable[[str], None]:
    begin = time.monotonic()

    def report(text: str) -> None:
        seconds = time.monotonic() - begin
        print(f"{series} {seconds:6.1f} s  {text}", file=sys.stderr, flush=True)

    return report


def _print_status() -> None:
    line = "{:<8} {:<8} {:<15} {:<24} {:<20} {}"
    print(line.format("release", "name", "state", "pids", "ports", "clouds.yaml"))
    for found in cloud.status():
        pids = " ".join(str(process.pid) for process in found.state.alive.values())
        ports = " ".join(str(port) for port in found.state.ports.values())
        words = (found.release.series, found.release.name, found.word, pids, ports)
        print(line.format(*words, found.layout.clouds_yaml))


if __name__ == "__main__":
    sys.exit(main())
