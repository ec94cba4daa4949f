"""Serve as git's external diff driver for cassettes."""

import os
import sys
from collections.abc import Callable, Sequence

from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.report import text

_WHOLE = 7  # arguments of a file that is merged


def show(arguments: Sequence[str], report: Callable[[str, str], str]) -> None:
    """Print how a file changed. git stops if its driver fails, so nothing is raised.

    Args:
        arguments: Those of git: path, then file, hash and mode of both sides. The path alone for a
            file that is not merged; a new path and a text at the end for one that was renamed.
        report: Takes the files of both sides, and returns the report.
    """
    try:
        print("\n".join(_lines(arguments, report)), flush=True)
    except (OSError, UnicodeError):  # the pager was closed, or cannot show it; see `main`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(arguments: Sequence[str], report: Callable[[str, str], str]) -> list[str]:
    head = f"imagedetail diff {' -> '.join(map(text.plain, (arguments[0], *arguments[7:8])))}"
    if len(arguments) < _WHOLE:
        return [head, "not merged"]
    try:
        return [head, report(arguments[1], arguments[4]), ""]
    except Exception as error:  # noqa: BLE001  see `show`
        problem = error.problem if isinstance(error, ImageDetailError) else repr(error)
        plain = text.plain(f"not compared: {problem}; git diff --no-ext-diff shows the text")
        return [head, plain, ""]
