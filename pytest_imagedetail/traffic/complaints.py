"""What a test is told of its own cassette: what is wrong, where, and what to do next."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_imagedetail.errors import CassetteNotFoundError, RecordingError, VerificationError
from pytest_imagedetail.model import Recording, RecordMode
from pytest_imagedetail.traffic.modes import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """The errors of one test's cassette, and how to record it.

    Attributes:
        node: The test's node id as it stands on a command line.
        cloud: The name that the cassette is kept under.
        path: The cassette; it may be missing.
    """

    node: str
    cloud: str
    path: Path

    @property
    def where(self) -> str:
        """Which test, and which cassette."""
        return f"{self.node}, cassette {self.path}"

    def command(self, mode: RecordMode) -> str:
        """What runs the test in another record mode."""
        return f"pytest {shlex.quote(self.node)} --imagedetail-record-mode={mode}"

    def record(self, recorded: Recording | None) -> str:
        """How to record what is missing from what is recorded."""
        if recorded is None:
            return f"record it: {self.command('once')}"
        if recorded.provenance.source != "stock":
            return f"record it: {self.command('new_episodes')}"
        return (
            "another tool wrote the cassette, so nothing is added to it: delete it and record "
            f"afresh: {self.command('once')}"
        )

    def apart(self, mode: Mode) -> str:
        """How to keep apart what one cassette cannot hold."""
        if mode.shared:
            return "give the test a cassette of its own: without cassette= in the marker, it has"
        return f"record the test afresh: {self.command('rewrite')}"

    def not_ours(self, record_mode: RecordMode) -> RecordingError:
        """Another tool wrote the cassette, and this mode would write over it."""
        use = f"@pytest.mark.imagedetail({self.cloud!r}, cassette={self.path.stem!r})"
        return RecordingError(
            f"record mode {record_mode} needs a cassette of imagedetail, and another tool "
            "wrote this one: nobody has redacted it, so it is replayed and never written to",
            where=self.where,
            remedy="make a safe cassette of it: imagedetail scrub "
            f"{shlex.quote(str(self.path))} --cloud {self.cloud}\n"
            f"and replay that: {use}\n"
            f"or delete it and record afresh: {self.command('once')}",
        )

    def nothing_to_verify(self) -> CassetteNotFoundError:
        """There is no recording that the cloud could be held to."""
        return CassetteNotFoundError(
            "nothing is recorded for this test, so there is nothing to verify",
            where=self.where,
            remedy=f"record it: {self.command('once')}",
        )

    def lost_answers(self, lost: int) -> RecordingError:
        """So many answers came to a client that were not caught."""
        answers = "1 answer" if lost == 1 else f"{lost} answers"
        return RecordingError(
            f"not everything was recorded: {answers} came to a client past the cassette",
            where=self.where,
            remedy="make connections inside the test, not before it, and on one thread, or with "
            "requests, urllib3 or httpx\nlibcurl (pycurl, curl_cffi) cannot be recorded: ask with "
            "another client\nnothing was written and an older recording is untouched",
        )

    def overwritten(self, heard: int, missing: int) -> RecordingError:
        """What was written is not there any more."""
        return RecordingError(
            f"{heard} interactions were heard, and {missing} of them are not in the cassette",
            where=self.where,
            remedy="another process writes the same file; record again",
        )

    def answered_otherwise(self, changes: Iterable[str]) -> VerificationError:
        """The live cloud does not answer as recorded."""
        lines = "\n".join(f"  {each}" for each in changes)
        return VerificationError(
            f"the live cloud's answers differ from the recording\n{lines}",
            where=f"{self.where}; nothing was written",
            remedy="if the cloud was upgraded, record the test under a new cloud name: "
            "@pytest.mark.imagedetail(NAME)\n"
            f"if only its data changed, replace the recording: {self.command('rewrite')}",
        )

    def asked_nothing(self, recorded: Recording) -> VerificationError:
        """The test asks nothing any more, so it has verified nothing of its recording."""
        return VerificationError(
            "the test asked the cloud nothing, and its recording holds "
            f"{len(recorded.interactions)} of its requests",
            where=f"{self.where}; nothing was written",
            remedy="if the test needs no recording, delete it",
        )
