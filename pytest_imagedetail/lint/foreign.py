"""Check a recording of another tool: what scrubbing would remove."""

import re
from pathlib import Path
from typing import Final

from pytest_imagedetail.errors import DamagedCassetteError, NoRecordingError
from pytest_imagedetail.lint.rules import Finding
from pytest_imagedetail.scrub import read, scrub, secrets_of

_SENSITIVE: Final = ("secrets", "ids", "people", "addresses")
_LINE: Final = re.compile(r"line (\d+)")
_LONGEST: Final = 200  # characters of a message


def foreign(path: Path) -> list[Finding] | None:
    """Return the finding of a recording that holds what must not be committed.

    Hosts alone are no reason, nor are harmless headers. None for a file of another kind.
    """
    try:
        source = read(path)
    except NoRecordingError:
        return None
    except DamagedCassetteError as error:
        return [damaged(path, error)]
    known = secrets_of([source])
    done = scrub(source, cloud="scrubbed", known=known)
    counts = {"logins": done.keystone, **done.removed}
    if not (done.keystone or known.secrets or any(counts.get(kind) for kind in _SENSITIVE)):
        return []
    removed = ", ".join(f"{kind} {number}" for kind, number in counts.items() if number)
    problem = f"recorded by {source.tool}; scrub would remove: {removed}"
    return [Finding(path=path, line=1, rule="foreign", message=problem)]


def damaged(path: Path, error: DamagedCassetteError) -> Finding:
    """Return the finding of a file that cannot be read as a recording."""
    line = line_in(error.where.removeprefix(str(path)))
    return Finding(path=path, line=line, rule=error.rule, message=error.problem[:_LONGEST])


def line_in(where: str) -> int:
    """Return the line that an error names, or 1."""
    found = _LINE.search(where)
    return int(found.group(1)) if found else 1
