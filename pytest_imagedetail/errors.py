"""Every error a user can meet: what is wrong, where, and what to do next. Imports nothing.

ImageDetailError
├── UsageError                 an option, argument or name that cannot be right
│   └── SettingsError          a configuration file that cannot be right
├── CassetteError
│   ├── CassetteNotFoundError  nothing was recorded for this cloud and query
│   ├── DamagedCassetteError   a file is there, but it is not what was recorded
│   ├── NoInteractionError     a test asked what its cassette does not hold
│   └── StaleCassetteError     what was recorded is of another release than the cloud is declared
├── BodyError                  a body that is not JSON, or JSON that is not a listing
├── ResponseError              a cloud answered, but not with a listing
├── RecordingError             a cloud could not be asked, or answered only in part
│   ├── CredentialsError       no usable credentials for a cloud
│   └── NetworkShutError       something reached for the network while it is shut
├── LeakError                  a secret was about to be written
├── ReleaseError              a cloud is another release than declared or recorded
├── ServerError                a recorded cloud cannot be served
├── ReportError                a report cannot be written
├── ComparisonError            two answers that cannot be compared
└── VerificationError          a live cloud answers otherwise than its recording
"""


class ImageDetailError(Exception):
    """An error that explains itself.

    Args:
        problem: What is wrong, one sentence without a full stop.
        where: The file, cloud, query, line or URL that it is about; already redacted.
        remedy: What to do next, one line for each way out.
    """

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
        # Keyword-only state does not survive the default protocol, and pytest-xdist pickles errors.
        return (type(self).__new__, (type(self), self.problem), self.__dict__)


class UsageError(ImageDetailError):
    """An option, argument, name or query that cannot be right, whatever the cloud says."""


class SettingsError(UsageError):
    """A configuration file that cannot be read or says something impossible."""


class CassetteError(ImageDetailError):
    """Something about a recording on disk."""


class CassetteNotFoundError(CassetteError):
    """Nothing was recorded for this cloud and query."""


class DamagedCassetteError(CassetteError):
    """A cassette is there, but it is not what was recorded; it is never treated as missing."""


class StaleCassetteError(CassetteError):
    """What was recorded is of another release than the cloud is declared to be by now."""


class NoInteractionError(CassetteError):
    """A test asked with its own client for something that its cassette does not hold."""


class BodyError(ImageDetailError):
    """A body that is not JSON, or JSON that is not a listing."""


class ResponseError(ImageDetailError):
    """A cloud answered, but not with a listing.

    Attributes:
        status_code: The HTTP status, for example 401.
    """

    def __init__(self, problem: str, *, where: str = "", remedy: str, status_code: int) -> None:
        super().__init__(problem, where=where, remedy=remedy)
        self.status_code = status_code


class RecordingError(ImageDetailError):
    """A cloud could not be asked, or its answer did not arrive whole."""


class CredentialsError(RecordingError):
    """There are no usable credentials for a cloud."""


class NetworkShutError(RecordingError):
    """Something reached for the network while it is shut; nothing left this machine.

    Attributes:
        thread: The thread that tried, by its number; None if nobody noted it.
    """

    thread: int | None = None


class LeakError(ImageDetailError):
    """A secret was found in bytes about to be written; the message never shows it."""


class ReleaseError(ImageDetailError):
    """A live cloud is another release than declared or recorded; nothing was written."""


class ServerError(ImageDetailError):
    """A recorded cloud cannot be served."""


class ReportError(ImageDetailError):
    """A report cannot be written."""


class ComparisonError(ImageDetailError):
    """Two answers that cannot be compared: calling them equal or different would both be untrue."""


class VerificationError(ImageDetailError):
    """A live cloud answers otherwise than its recording; nothing was written."""
