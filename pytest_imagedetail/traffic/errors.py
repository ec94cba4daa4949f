"""Whose traffic a cassette keeps, where it lies, and the errors that name both."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import (
    CassetteError,
    CassetteNotFoundError,
    RecordingError,
    VerificationError,
)
from pytest_imagedetail.model import Interaction, Recording, RecordMode
from pytest_imagedetail.traffic.matching import line


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One test, and where its cassette lies.

    Attributes:
        store: The cassettes of the run.
        cloud: The name that the traffic is kept under.
        test: The test's node id without the cloud.
        node: The test's node id as it stands on a command line.
        shared: The name of the folder that the test shares with others; None if it has none.
    """

    store: Store = field(repr=False)
    cloud: str
    test: str
    node: str
    shared: str | None = None

    @property
    def path(self) -> Path:
        """The test's own cassette, whether or not it is there."""
        return self.store.traffic_path(self.cloud, self.test, shared=self.shared)

    def held(self, mode: RecordMode) -> Path | None:
        """Return the file that a record mode finds for the test; None if nothing is recorded.

        The read-only file that `cassette=` may name is replayed, and never written to.
        """
        paths = [self.path]
        if self.shared is not None and mode in {"none", "once"}:
            paths.append(self._single(self.shared))
        return next(filter(os.path.lexists, paths), None)

    def load(self) -> Recording | None:
        """Read the test's own cassette; None if there is none."""
        return self.store.load_traffic(self.cloud, self.test, shared=self.shared)

    def neighbors(self) -> tuple[Path, ...]:
        """Return the other files of the shared folder, and the read-only file of its name."""
        if self.shared is None:
            return ()
        single = self._single(self.shared)
        paths = self.store.shared_paths(self.cloud, self.shared)
        found = (*paths, *([single] if os.path.lexists(single) else []))
        return tuple(path for path in found if path != self.path)

    def _single(self, shared: str) -> Path:
        return self.store.traffic_path(self.cloud, shared)

    @property
    def where(self) -> str:
        """Which test, and which cassette."""
        return f"{self.node}, cassette {self.path}"

    def command(self, mode: RecordMode) -> str:
        """Return the command that runs the test in another record mode."""
        return f"pytest {shlex.quote(self.node)} --imagedetail-record-mode={mode}"

    def remedy(self, recorded: Recording | None, held: Path | None) -> str:
        """Say how to record what the test's own cassette lacks."""
        if held is None:
            return f"record it: {self.command('once')}"
        if recorded is None or recorded.provenance.source != "stock":
            return f"record it: {self.command('new_episodes')}"
        return (
            "another tool wrote the cassette, so nothing is added to it: delete it and record "
            f"afresh: {self.command('once')}"
        )

    def not_ours(self, mode: RecordMode) -> RecordingError:
        """Another tool wrote the cassette, and this mode would write over it."""
        use = f"@pytest.mark.imagedetail({self.cloud!r}, cassette={self.path.stem!r})"
        return RecordingError(
            f"record mode {mode} needs a cassette of imagedetail, and another tool wrote this one: "
            "it is not redacted, so it is replayed and never written to",
            where=self.where,
            remedy="make a safe cassette of it: imagedetail scrub "
            f"{shlex.quote(str(self.path))} --cloud {self.cloud}\n"
            f"and replay that: {use}\n"
            f"or delete it and record afresh: {self.command('once')}",
        )

    def nothing_to_verify(self) -> CassetteNotFoundError:
        """There is no recording to compare the cloud with."""
        return CassetteNotFoundError(
            "nothing is recorded for this test, so there is nothing to verify",
            where=self.where,
            remedy=f"record it: {self.command('once')}",
        )

    def contradiction(self, asked: Interaction, files: Iterable[Path]) -> CassetteError:
        """Two files of one folder answer a request differently."""
        return CassetteError(
            f"two cassettes answer differently to {line(asked)}",
            where=f"{self.node}, {', '.join(map(str, files))}",
            remedy=f"record the request for this test: {self.command('new_episodes')}\n"
            "or record both afresh with --imagedetail-record-mode=rewrite",
        )

    def lost_answers(self, lost: int) -> RecordingError:
        """A client received answers that were not caught."""
        answers = "1 answer" if lost == 1 else f"{lost} answers"
        return RecordingError(
            f"not everything was recorded: {answers} came to a client past the cassette",
            where=self.where,
            remedy="make connections inside the test, not before it, and on one thread, or with "
            "requests, urllib3 or httpx\nlibcurl (pycurl, curl_cffi) cannot be recorded: ask with "
            "another client\nnothing was written and an older recording is untouched",
        )

    def forked(self) -> RecordingError:
        """A forked process sent a request that this one does not see."""
        return RecordingError(
            "a forked process sent a request, which cannot be recorded",
            where=self.where,
            remedy="send all requests from the test's own process while recording, for example "
            "with threads\nnothing was written and an older recording is untouched",
        )

    def overwritten(self, seen: int, missing: int) -> RecordingError:
        """What was written is not there any more."""
        return RecordingError(
            f"{missing} of the {seen} recorded interactions are not in the cassette",
            where=self.where,
            remedy="another process writes the same file; record again",
        )

    def changed(self, changes: Iterable[str]) -> VerificationError:
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
        """The test sends no request any more, so nothing of its recording was verified."""
        return VerificationError(
            "the test asked the cloud nothing, and its recording holds "
            f"{len(recorded.interactions)} of its requests",
            where=f"{self.where}; nothing was written",
            remedy="if the test needs no recording, delete it",
        )
