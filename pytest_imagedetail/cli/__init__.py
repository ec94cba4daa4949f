"""Run the `imagedetail` command.

Results go to stdout, messages to stderr. Exit codes: 0 same or compatible, 1 differences at or
above --fail-on, 2 could not compare or record, 4 usage.
"""

import io
import os
import sys
import traceback
from collections.abc import Sequence

from pytest_imagedetail import __version__
from pytest_imagedetail.cli import (
    check,
    compare,
    doctor,
    files,
    matrix,
    record,
    serve,
    show,
    verify,
)
from pytest_imagedetail.cli.arguments import Options, Parser, check_folder
from pytest_imagedetail.cli.output import CUT_OFF, IMPOSSIBLE, STOPPED, complain, say
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.report import github


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default from `sys.argv`; return the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # its encoding may lack letters of an image's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options, unknown = parser().parse_known_args(arguments, Options())
        if unknown:
            options.parser.refuse(unknown)
        return _run(options)
    except BrokenPipeError:
        # The reader closed the pipe. Keep the interpreter from printing an error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF
    except Exception:  # noqa: BLE001  a crash must not end with the exit code of "differences"
        traceback.print_exc()
        say("this is a defect; please report it")
        return IMPOSSIBLE
    except KeyboardInterrupt:
        say("stopped; nothing is half-written: run the same command again to go on")
        return STOPPED


def _run(options: Options) -> int:
    try:
        check_folder(options)
        return int(options.verb(options))
    except ImageDetailError as error:
        if options.github:
            print(github.error(error.problem), file=sys.stderr)
        return complain(error, options)


def parser() -> Parser:
    """Return the parser of the whole command line."""
    command = Parser(
        prog="imagedetail",
        description="Record, replay and compare what OpenStack clouds answer to images/detail.",
        epilog="exit codes: 0 same or compatible, 1 differences, 2 impossible, 4 usage",
    )
    command.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    verbs = command.add_subparsers(metavar="VERB", required=True)
    for module in (serve, doctor, record, verify, check, show, compare, matrix, files):
        module.add_verbs(verbs)
    return command
