"""Record or replay what one test's own clients ask."""

import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Never

from pytest_imagedetail import network
from pytest_imagedetail.cassette import Store, refuse_unsafe
from pytest_imagedetail.cassette.age import refuse_old
from pytest_imagedetail.errors import CassetteError, ImageDetailError, NoInteractionError
from pytest_imagedetail.model import Interaction, Recording, RecordMode, Response
from pytest_imagedetail.record.recorder import refuse_stale
from pytest_imagedetail.redact import Known, keystone_among, learn
from pytest_imagedetail.traffic.errors import Place
from pytest_imagedetail.traffic.keystone import left_out, refuse_nothing_left
from pytest_imagedetail.traffic.matching import missing_from
from pytest_imagedetail.traffic.player import Player, Source
from pytest_imagedetail.traffic.recording import (
    Made,
    appended,
    made_of,
    of_stock,
    refuse_failures,
    refuse_two_identities,
)
from pytest_imagedetail.traffic.verifying import changes, refuse_no_answer
from pytest_imagedetail.transport.http import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What a record mode means for one test.

    Attributes:
        name: The record mode.
        is_recorded: Whether something is recorded for the test.
    """

    name: RecordMode
    is_recorded: bool

    @property
    def replays(self) -> bool:
        """Whether everything comes from recordings, and nothing else is let through."""
        return self.name == "none" or (self.name == "once" and self.is_recorded)

    @property
    def plays(self) -> bool:
        """Whether the test's own cassette is played, whatever answers the rest."""
        return self.replays or self.adds

    @property
    def adds(self) -> bool:
        """Whether recorded answers are played, and new ones are added to them."""
        return self.name == "new_episodes"

    @property
    def verifies(self) -> bool:
        """Whether live answers are compared with recorded ones, and nothing is written."""
        return self.name == "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the run knows of the live cloud; called after the test, only while recording.

    Attributes:
        accesses: Returns the run's own accesses to the cloud.
        secrets: Returns further values that must not be written.
        guard: Raises if the cloud is not the one that was recorded; called before a cassette is
            written or called verified.
    """

    accesses: Callable[[], Sequence[Access]] = tuple
    secrets: Callable[[], frozenset[str]] = frozenset
    guard: Callable[[], None] = lambda: None


class Received:
    """What the live cloud answered, from all threads of the process that the test runs in.

    Attributes:
        lost: How many answers came to a client without being caught.
    """

    def __init__(self) -> None:
        self.lost = 0
        self._process: Final = os.getpid()
        self._forked: Final = mmap.mmap(-1, 1)  # shared with forked processes
        self._interactions: Final[list[Interaction]] = []
        self._unread: list[Interaction] = []
        self._secrets: frozenset[str] = frozenset()
        self._lock: Final = threading.Lock()

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Everything that was asked and answered, in order; Keystone's, too."""
        with self._lock:
            return tuple(self._interactions)

    @property
    def own(self) -> tuple[Interaction, ...]:
        """What is not Keystone's."""
        interactions = self.interactions
        is_keystone = keystone_among(interactions)
        return tuple(each for each in interactions if not is_keystone(each))

    @property
    def was_forked(self) -> bool:
        """Whether a forked process has sent a request."""
        return bool(self._forked[0])

    def is_forked(self) -> bool:
        """Return whether this is a forked process, and let the test's own process know."""
        if os.getpid() == self._process:
            return False
        self._forked[0] = 1
        return True

    def add(self, interaction: Interaction) -> None:
        """Add what the cloud answered."""
        with self._lock:
            self._interactions.append(interaction)
            self._unread.append(interaction)

    def note(self, asked: Interaction) -> None:
        """Note the secrets of a request that may never be answered."""
        with self._lock:
            self._unread.append(asked)

    def lose(self, _: str = "") -> None:
        """Count a request that no cassette can hold."""
        if not self.is_forked():
            with self._lock:
                self.lost += 1

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that were sent or received."""
        with self._lock:
            unread, self._unread = self._unread, []
            self._secrets |= learn(unread).secrets
            return self._secrets


@dataclass(slots=True, kw_only=True)
class Expected:
    """What the test says that it is about.

    Attributes:
        statuses: Failures whose recording is kept.
        miss: Whether a request that nothing was recorded for is no error.
    """

    statuses: frozenset[int] = frozenset()
    miss: bool = False


class Session:
    """A test's cassette from before its first request until it is kept.

    Args:
        place: The test and its cassette.
        record_mode: As in `RECORD_MODES`.
        release: The cloud's release, if declared.
        max_age: In days; an older recording is not replayed.
        live: What the run knows of the live cloud.

    Attributes:
        place: The test and its cassette.
        mode: What is done with it.
        player: Plays what is recorded.
        expected: What the test says that it is about.
        refused: The errors of requests and connections that were refused.
    """

    def __init__(
        self,
        place: Place,
        *,
        record_mode: RecordMode,
        release: str | None = None,
        max_age: int | None = None,
        live: Live = Live(),
    ) -> None:
        self.place: Final = place
        self.expected: Final = Expected()
        self.refused: Final[list[ImageDetailError]] = []
        self._release: Final = release
        self._live: Final = live
        self._received: Final = Received()
        self._made: Made | None = None
        self._recorded: Final = _own(place, record_mode)
        recorded, held = self._recorded, place.held(record_mode)
        self.mode: Final = Mode(name=record_mode, is_recorded=held is not None)
        check = partial(_check, release=release, max_age=max_age)
        if self.mode.replays and recorded is not None:
            check(place.path, recorded)
        own = {place.path: recorded} if recorded is not None and self.mode.plays else {}
        self.player: Final = Player(
            place,
            held=held or place.path,
            sources=(Source(lambda: own), *(_others(place, check) if self.mode.replays else ())),
            remedy=place.remedy(recorded, held),
        )
        if self.mode.replays and held is not None and recorded is None:
            _ = self.player.interactions  # damage to the read-only file is an error at once

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the cassette holds: as recorded, or, while recording, what was received so far.

        While recording they are as sent and received, Keystone's left out, and not redacted.
        """
        return (*self.player.interactions, *self._received.own)

    @property
    def failed(self) -> Sequence[CassetteError]:
        """The errors of requests that no recording answered and the test is not about."""
        errors = [each for each in self.refused if isinstance(each, CassetteError)]
        is_about_misses = self.expected.miss
        return [
            each
            for each in errors
            if not (is_about_misses and isinstance(each, NoInteractionError))
        ]

    @property
    def closed(self) -> bool:
        """Whether a request that nothing was recorded for must not go to the cloud."""
        return self.mode.replays or self._received.is_forked()

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        return self.player.endpoint if self.mode.replays else None

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that the test's clients sent or received."""
        return self._received.secrets()

    def can_answer(self, asked: Interaction) -> bool:
        """Return whether a recording, or the stub of Keystone, has an answer left."""
        if not self.mode.replays:
            if self.closed:
                return False
            self._received.note(asked)
        with self._refusing():
            return self.player.has(asked) or self._of_keystone(asked) is not None

    def answer(self, asked: Interaction) -> Response:
        """Answer from a recording."""
        with self._refusing():
            found = self.player.play(asked) or self._of_keystone(asked)
        if found is None:  # another thread took the last one
            self.refuse(asked)
        return found

    def refuse(self, asked: Interaction) -> Never:
        """Raise the error of a request that nothing was recorded for."""
        if not self.mode.replays:
            raise self.place.forked()
        with self._refusing():
            raise self.player.miss(asked)

    def record(self, interaction: Interaction) -> None:
        """Take what the cloud answered."""
        self._received.add(interaction)

    def _of_keystone(self, asked: Interaction) -> Response | None:
        return self.player.authenticate(asked) if self.mode.replays else None

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Note an error that is raised to a client, which may swallow it."""
        try:
            yield
        except ImageDetailError as error:
            self.refused.append(error)
            raise

    @contextmanager
    def running(self, *, shuts: bool = True) -> Iterator[None]:
        """Route the requests of this process's HTTP clients here while the block runs.

        Args:
            shuts: Whether the network is shut while replaying.
        """
        # Loads vcrpy and every HTTP client that it can patch.
        from pytest_imagedetail.cassette.capture import intercept  # noqa: PLC0415

        if self.mode.verifies and self._recorded is None:
            raise self.place.nothing_to_verify()
        with ExitStack() as stack:
            if self.mode.replays and shuts:
                shut = network.shut(
                    self.place.node, remedy=self.player.remedy, refused=self.refused
                )
                stack.enter_context(shut)
            else:
                stack.enter_context(network.on_libcurl_request(self._received.lose))
            wire = stack.enter_context(intercept(self))
            yield
        self._received.lost += wire.lost

    def redact(self) -> None:
        """Redact what was received by what is known now: fixtures may take it back as they end."""
        received = self._received
        if self.mode.replays or received.lost or not received.own:
            return
        self._made = made_of(
            received.interactions,
            cloud=self.place.cloud,
            test=self.place.test,
            release=self._release,
            accesses=self._live.accesses(),
            known=Known(secrets=self._live.secrets()),
        )

    def keep(self) -> str | None:
        """Write what was redacted, or compare it, once the test has passed.

        Returns:
            What was done, for the summary of the run; None if nothing was to be done.

        Raises:
            ResponseError: The cloud refused or failed.
            RecordingError: Not everything was caught, or it cannot be written.
            LeakError: A secret is left in it.
            VerificationError: The live cloud's answers differ from the recording.
        """
        received, where = self._received, self.place.where
        if received.was_forked:
            raise self.place.forked()
        if received.lost:
            raise self.place.lost_answers(received.lost)
        if self.mode.replays:
            return None
        beside = "" if self.mode.verifies else left_out(received.interactions, where=where)
        made = self._made
        if made is None:
            if self.mode.verifies and self._recorded is not None:
                raise self.place.asked_nothing(self._recorded)
            if self._recorded is None:
                refuse_nothing_left(received.interactions, where=where)
            return None
        if self.mode.verifies:
            refuse_unsafe(made.recording, secrets=made.known, where=where)
            return self._verified(made.recording)
        refuse_failures(made.recording, expected=self.expected.statuses, where=where)
        refuse_two_identities(received.interactions, accesses=self._live.accesses(), where=where)
        self._live.guard()
        return f"recorded ({self._written(made)}){beside}"

    def _written(self, made: Made) -> str:
        """Write a recording, and read it back: all that was received must be there."""
        place, new = self.place, made.recording
        done = place.store.write(
            new,
            secrets=made.known,
            shared=place.shared,
            merge=partial(appended, new=new) if self.mode.adds else None,
        )
        kept = place.load()
        missing = missing_from(kept.interactions if kept else (), new.interactions)
        if missing:
            raise place.overwritten(len(new.interactions), missing)
        return done.value

    def _verified(self, new: Recording) -> str:
        assert self._recorded is not None  # noqa: S101  running() has seen to it
        expected = self.expected.statuses
        refuse_no_answer(self._recorded, new, expected=expected, where=self.place.where)
        found = changes(self._recorded, new)
        try:
            self._live.guard()
        except ImageDetailError as error:
            for line in found:
                error.add_note(line)
            raise
        if found:
            raise self.place.changed(found)
        return "verified"


def _own(place: Place, record_mode: RecordMode) -> Recording | None:
    """Read the test's own cassette; None if there is none."""
    recorded = place.load()
    if recorded is None or recorded.provenance.source != "stock":
        return recorded
    if record_mode not in {"none", "once"}:
        raise place.not_ours(record_mode)
    return of_stock(recorded)


def _others(place: Place, check: Callable[[Path, Recording], None]) -> Iterator[Source]:
    """Yield what replays beside the test's own cassette, in this order."""
    store, cloud = place.store, place.cloud

    def read(paths: Iterable[Path], load: Callable[[Path], Recording]) -> dict[Path, Recording]:
        recordings = {path: load(path) for path in paths}
        for path, recording in recordings.items():
            check(path, recording)
        return recordings

    def traffic(path: Path) -> Recording:
        recording = store.reader.traffic(path, cloud=cloud)
        return of_stock(recording) if recording.provenance.source == "stock" else recording

    yield Source(lambda: read(place.neighbors(), traffic))
    for folder in filter(None, (store.directory, store.library)):
        paths = Store(directory=folder).paths(cloud)
        yield Source(partial(read, paths, store.reader.listing), repeats=True)


def _check(path: Path, recording: Recording, *, release: str | None, max_age: int | None) -> None:
    """Refuse a recording of another release or of an old date."""
    refuse_stale(recording, release)
    refuse_old(recording.provenance, path=path, max_age=max_age, now=datetime.now(UTC))


class Traffic:
    """The value of the fixture `imagedetail_cassette`."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __repr__(self) -> str:
        return f"<imagedetail cassette {self.path.name}: {len(self.interactions)} interactions>"

    @property
    def cloud(self) -> str:
        """The name that the cassette is kept under."""
        return self._session.place.cloud

    @property
    def test(self) -> str:
        """The test's node id without the cloud."""
        return self._session.place.test

    @property
    def path(self) -> Path:
        """The test's own cassette, whether or not it is there."""
        return self._session.place.path

    @property
    def record_mode(self) -> RecordMode:
        """The record mode of this test."""
        return self._session.mode.name

    @property
    def replays(self) -> bool:
        """Whether everything comes from recordings, and nothing else is let through."""
        return self._session.mode.replays

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        return self._session.endpoint

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the cassette holds: as recorded, or, while recording, what was received so far.

        While recording they are as sent and received, Keystone's left out, and not redacted.
        """
        return self._session.interactions

    @property
    def played(self) -> int:
        """How many recorded interactions have been played, from any recording."""
        return self._session.player.played

    @property
    def unplayed(self) -> tuple[str, ...]:
        """What was not played of the test's cassette, by number, method and URL."""
        return self._session.player.unplayed

    def expect(self, *statuses: int) -> None:
        """Say which failures the test is about, so that their recording is kept.

        Args:
            *statuses: HTTP statuses, for example 401.
        """
        self._session.expected.statuses |= frozenset(statuses)

    def expect_miss(self) -> None:
        """Say that the test is about a request that nothing was recorded for."""
        self._session.expected.miss = True
