"""Define the errors: what is wrong, where, and what to do next; suggest names."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any


class ImageDetailError(Exception):
    """An error: what is wrong, where (already redacted), and a line for each way out."""

    def __init__(self, problem: str, *, where: str = "", remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        lines = [self.problem]
        if self.where:
            lines.append(f"  where: {self.where}")
        lines += [f"  next:  {line}" for line in self.remedy.splitlines()]
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        # pytest-xdist pickles errors, and the default protocol loses keyword-only state.
        return (type(self).__new__, (type(self), self.problem), self.__dict__)


class UsageError(ImageDetailError):
    """An option, argument, name or query that is not valid."""


class SettingsError(UsageError):
    """A configuration file that cannot be read or is not valid."""


class CassetteError(ImageDetailError):
    """A problem with a recording on disk."""


class CassetteNotFoundError(CassetteError):
    """Nothing was recorded for this cloud and query."""


class DamagedCassetteError(CassetteError):
    """A cassette was changed or damaged; it is never treated as missing."""

    rule = "format"  # the rule of `lint`


class NoRecordingError(DamagedCassetteError):
    """A file that is not a recording of any known tool."""


class StaleCassetteError(CassetteError):
    """The cassette is from another release than the cloud is now declared to be."""


class NoInteractionError(CassetteError):
    """A test's own client sent a request that its cassette does not have."""


class BodyError(ImageDetailError):
    """A body that is not JSON, or JSON that is not a listing."""


class ResponseError(ImageDetailError):
    """A cloud answered, but not with a listing."""

    def __init__(self, problem: str, *, where: str = "", remedy: str, status_code: int) -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.status_code = status_code


class RecordingError(ImageDetailError):
    """A cloud could not be queried, or its answer is incomplete."""


class CredentialsError(RecordingError):
    """There are no usable credentials for a cloud."""


class NetworkShutError(RecordingError):
    """Something tried to connect while the network is blocked; nothing was sent."""

    thread: int | None = None  # the id of the thread that tried to connect


class LeakError(ImageDetailError):
    """A secret was found in bytes about to be written; the message never shows it."""


class ReleaseError(ImageDetailError):
    """A cloud is on another release than declared or recorded; nothing was written."""


class ServerError(ImageDetailError):
    """A recorded cloud cannot be served."""


class ReportError(ImageDetailError):
    """A report cannot be written."""


class ComparisonError(ImageDetailError):
    """Two answers that cannot be compared, for example a part of a listing with all of it."""


class VerificationError(ImageDetailError):
    """A cloud's answer differs from its recording; nothing was written."""


def did_you_mean(name: str, known: Sequence[str], *, least: float = 0.6) -> str:
    """Return a suggestion to begin a remedy with, or "" if no known name is similar."""
    folded = {candidate.casefold(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=least)
    return f"did you mean {folded[matches[0]]}? " if matches else ""


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[float, int, float]:
    """Measure how different the parts of two requests are, to suggest the nearest one.

    The part "path" counts most, then the number of different parts, then the text of all parts.
    """
    different = sum(one.get(part) != other.get(part) for part in {**one, **other})
    path = _dissimilarity(*("".join(parts.get("path", ())) for parts in (one, other)))
    return path, different, _dissimilarity(sorted(one.items()), sorted(other.items()))


def _dissimilarity(one: object, other: object) -> float:
    """Compare texts without their case: `active` is most likely a slip for `ACTIVE`."""
    # From 200 letters on, difflib ignores the frequent ones.
    first, second = (str(each).casefold()[:199] for each in (one, other))
    return 1 - difflib.SequenceMatcher(None, first, second).ratio()
