"""Record or replay the requests of one test's own clients."""

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Never

from pytest_imagedetail import network, text
from pytest_imagedetail.cassette import refuse_unsafe
from pytest_imagedetail.errors import (
    CassetteError,
    CassetteNotFoundError,
    ImageDetailError,
    NoInteractionError,
    RecordingError,
    VerificationError,
)
from pytest_imagedetail.model import NO_RESPONSE, Interaction, Recording, RecordMode, Response
from pytest_imagedetail.record.retry import NOT_ANSWERED
from pytest_imagedetail.redact import Known, learn
from pytest_imagedetail.traffic.authentication import without_keystone
from pytest_imagedetail.traffic.keystone import left_out
from pytest_imagedetail.traffic.matching import key_of, missing_from
from pytest_imagedetail.traffic.place import Place
from pytest_imagedetail.traffic.player import Player
from pytest_imagedetail.traffic.recording import (
    FAILURES,
    appended,
    changes,
    made_of,
    other_sender,
    refuse_failures,
    refuse_other_identity,
)
from pytest_imagedetail.traffic.sources import Source, sources_of
from pytest_imagedetail.transport.http import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Callbacks about the live cloud; called after the test, only while recording."""

    accesses: Callable[[], Sequence[Access]] = tuple  # the run's own
    secrets: Callable[[], frozenset[str]] = frozenset  # further values that must not be written
    # Raises if the cloud is not the recorded one; called before a cassette is written or verified.
    guard: Callable[[], None] = lambda: None


class Received:
    """Interactions with the live cloud; the threads of the test's process append to its lists."""

    def __init__(self) -> None:
        self.lost: Final[list[str]] = []  # URLs of requests that could not be recorded, if known
        self.played: Final[list[Interaction]] = []  # answered from a recording
        self._process: Final = os.getpid()
        self._forked: Final = mmap.mmap(-1, 1)  # shared with forked processes
        self._seen: Final[list[Interaction]] = []  # requests, and interactions once answered
        self._read = 0  # how many of them the secrets are from
        self._secrets: frozenset[str] = frozenset()

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """All interactions, in order, including Keystone's."""
        return tuple(each for each in self._seen if each.response is not NO_RESPONSE)

    @property
    def own(self) -> tuple[Interaction, ...]:
        """All interactions except Keystone's."""
        return tuple(without_keystone(self.interactions)[0])

    @property
    def unanswered(self) -> int:
        """How many requests got no answer, not even when they were sent again."""
        sent = {key_of(replace(each, request_body=b"")) for each in self._seen}
        answered = (*self.interactions, *self.played)
        return len(sent - {key_of(replace(each, request_body=b"")) for each in answered})

    @property
    def was_forked(self) -> bool:
        """Whether a forked process has sent a request."""
        return bool(self._forked[0])

    def is_forked(self) -> bool:
        """Return whether this is a forked process; if so, notify the test's own process."""
        if os.getpid() == self._process:
            return False
        self._forked[0] = 1
        return True

    def add(self, interaction: Interaction) -> None:
        """Add an interaction with the cloud, or a request that may never be answered."""
        self._seen.append(interaction)

    def lose(self, url: str = "") -> None:
        """Note a request that cannot be recorded."""
        if not self.is_forked():
            self.lost.append(url)

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that were sent or received."""
        end = len(self._seen)  # another thread may add to them
        self._secrets |= learn(self._seen[self._read : end]).secrets
        self._read = end
        return self._secrets


class Session:
    """A test's cassette from before its first request until it is kept.

    Args:
        refused: A list that collects the errors of refused requests and connections.
    """

    def __init__(
        self,
        place: Place,
        *,
        record_mode: RecordMode,
        release: str | None = None,
        live: Live = Live(),
        refused: list[ImageDetailError] | None = None,
    ) -> None:
        self.place: Final = place
        self.record_mode: Final = record_mode
        self.expected_statuses: frozenset[int] = frozenset()
        self.expects_miss = False
        self.refused: Final = [] if refused is None else refused
        self._release: Final = release
        self._live: Final = live
        self._received: Final = Received()
        own = [] if place.load() is None else [place.path]
        held = place.path if own else None
        if held is None and record_mode in {"none", "once"}:
            held = place.read_only
        self.replays: Final = record_mode == "none" or (record_mode == "once" and held is not None)
        replays_own = self.replays or record_mode == "new_episodes"
        sources = [Source(own if replays_own else [], place.store, release=release)]
        _ = sources[0].recordings  # raises before the test if one is too old
        if self.replays:
            sources.append(Source(place.others(), place.store, release=release))
            sources += sources_of(place.store, place.cloud, release=release)
        self.player: Final = Player(place, held=held, sources=sources, replays=self.replays)

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Recorded interactions and, while recording, unredacted ones received so far."""
        return (*self.player.interactions, *self._received.own)

    @property
    def failed(self) -> CassetteError | None:
        """The first cassette error that a request got and that the test does not expect."""
        for error in self.refused:
            is_expected = self.expects_miss and isinstance(error, NoInteractionError)
            if isinstance(error, CassetteError) and not is_expected:
                return error
        return None

    @property
    def missed(self) -> bool:
        """Whether a request was refused because it is not recorded."""
        return any(isinstance(each, NoInteractionError) for each in self.refused)

    @property
    def closed(self) -> bool:
        """Whether a request without an answer is refused instead of sent."""
        return self.replays or self._received.is_forked()

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that the test's clients sent or received."""
        return self._received.secrets()

    def can_answer(self, asked: Interaction) -> bool:
        """Return whether a recording, or the built-in Keystone, has an answer left."""
        if not self.replays:
            if self.closed:
                return False
            self._received.add(asked)
        with self._refusing():
            return self.player.has(asked)

    def answer(self, asked: Interaction) -> Response:
        """Answer from a recording."""
        with self._refusing():
            found = self.player.play(asked)
        if found is None:
            self.refuse(asked)
        if not self.replays:
            self._received.played.append(replace(asked, response=found))
        return found

    def refuse(self, asked: Interaction) -> Never:
        """Raise for a request that was not recorded and is not sent."""
        with self._refusing():
            if self.replays:
                raise self.player.miss(asked)
            if self._received.is_forked():
                raise self._forked()
            raise RecordingError(
                "a request was to be answered from the recording, which has no answer left",
                where=self.place.where,
                remedy="another thread got the last one, or a recorded redirect led to the request"
                f"\nrecord everything afresh: {self.place.command('rewrite')}",
            )

    def _forked(self) -> RecordingError:
        return RecordingError(
            "a forked process sent a request, which cannot be recorded",
            where=self.place.where,
            remedy="send all requests from the test's own process while recording, for example "
            "with threads",
        )

    def record(self, interaction: Interaction) -> None:
        """Record an interaction with the cloud."""
        self._received.add(interaction)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Collect errors raised to a client, in case it swallows them."""
        try:
            yield
        except ImageDetailError as error:
            self.refused.append(error)
            raise

    @contextmanager
    def running(
        self, *, shuts: bool = True, beside: frozenset[str] = frozenset()
    ) -> Iterator[None]:
        """Pass the requests of this process's HTTP clients to this session while the block runs.

        If `shuts`, the network is blocked while replaying. Requests to the hosts and ports in
        `beside` bypass this session.
        """
        # This loads vcrpy and every HTTP client that it can patch.
        from pytest_imagedetail.cassette.capture import intercept  # noqa: PLC0415

        place = self.place
        if self.record_mode == "verify" and place.load() is None:
            raise CassetteNotFoundError(
                "nothing is recorded for this test, so there is nothing to verify",
                where=place.where,
                remedy=f"record it: {place.command('once')}",
            )
        watched: AbstractContextManager[object]
        if self.replays and shuts:
            watched = network.shut(place.node, remedy=self.player.remedy, refused=self.refused)
        else:
            watched = network.on_libcurl_request(self._received.lose)
        lose = self._received.lose
        with watched, intercept(self, on_lost_response=lose, ignored_hosts=beside):
            yield

    def keep(self) -> str | None:
        """Redact what was received and write or compare it, once the test has passed.

        Return what was done, for the run's summary; None if there was nothing to do.
        """
        if self._received.was_forked:
            raise self._forked()
        if lost := len(self._received.lost):
            raise RecordingError(
                f"not everything was recorded: {text.count(lost, 'response')} bypassed "
                "the cassette",
                where=self.place.where,
                remedy="make connections inside the test, not before it, and on one thread, or "
                "with requests, urllib3 or httpx\n"
                "call http.client.HTTPConnection, not a class imported by name\n"
                "libcurl (pycurl, curl_cffi) cannot be recorded: ask with another client\n"
                "nothing was written and an older recording is untouched",
            )
        if self.replays:
            return None
        if unanswered := self._received.unanswered:
            raise RecordingError(
                "not everything was recorded: the cloud did not answer "
                f"{text.count(unanswered, 'request')}",
                where=self.place.where,
                remedy="run the test again once the cloud can be reached\n"
                "a failed connection cannot be replayed: simulate it in a test of its own\n"
                "nothing was written and an older recording is untouched",
            )
        if self.record_mode == "verify":
            return self._verify()
        received, old = self._received.interactions, self.place.load()
        refuse_other_identity(
            (*received, *self._received.played),
            accesses=self._live.accesses(),
            old=old if self.record_mode == "new_episodes" else None,
            place=self.place,
        )
        left = left_out(received, where=self.place.where)
        if self._received.own:
            return f"recorded ({self._write()}){left}"
        if left and old is None:
            raise RecordingError(
                "nothing can be recorded: the test asked only Keystone, which is never recorded",
                where=self.place.where,
                remedy="send the request that the test is about, or remove imagedetail_cassette",
            )
        return None

    def _made(self) -> tuple[Recording, Known]:
        return made_of(
            self._received.interactions,
            cloud=self.place.cloud,
            test=self.place.test,
            release=self._release,
            accesses=self._live.accesses(),
            known=Known(secrets=self._live.secrets()),
        )

    def _write(self) -> str:
        place, merge, old = self.place, None, self.place.load()
        new, known = self._made()
        failures = FAILURES - self.expected_statuses
        refuse_failures(new, failures, what="kept", where=place.where)
        if self.record_mode == "new_episodes":
            merge = partial(appended, new=new)
        self._live.guard()
        done = place.store.write(new, known=known, shared=place.shared, merge=merge)
        written = place.load()
        if lost := missing_from(written.interactions if written else (), new.interactions):
            raise RecordingError(
                f"{lost} of the {len(new.interactions)} recorded interactions are not in the file",
                where=place.where,
                remedy="another process writes the same file; record again",
            )
        if merge is None and old is not None:
            gone = missing_from(new.interactions, old.interactions, key=key_of)
            if gone:  # requests of subprocesses are not seen
                asked = text.count(len(old.interactions), "request")
                was = "was" if gone == 1 else "were"
                return f"{done.value}; {gone} of {asked} {was} not sent again"
        return done.value

    def _verify(self) -> str:
        old, place = self.place.load(), self.place
        assert old is not None  # noqa: S101  `running` has checked it
        where = f"{place.where}; nothing was written"
        if not self._received.own:
            raise VerificationError(
                "the test sent no request to the cloud, and its recording has "
                f"{len(old.interactions)}",
                where=where,
                remedy="if the test needs no recording, delete it",
            )
        new, known = self._made()
        refuse_unsafe(new, known=known, where=place.where)
        wanted = {each.response.status_code for each in old.interactions} | self.expected_statuses
        refuse_failures(new, NOT_ANSWERED - wanted, what="verified", where=place.where)
        found = changes(old, new)
        sender = new.provenance.user, new.provenance.project
        if found and (who := other_sender(old, sender)):
            found.insert(0, f"sent as another {who}: use the credentials of the recording")
        try:
            self._live.guard()
        except ImageDetailError as error:
            for line in found:
                error.add_note(line)
            raise
        if found:
            lines = "\n".join(f"  {each}" for each in found)
            raise VerificationError(
                f"the live cloud's answers differ from the recording\n{lines}",
                where=where,
                remedy="if the cloud was upgraded, record the test under a new cloud name: "
                "@pytest.mark.imagedetail(NAME)\n"
                "if only its data changed, replace the recording: "
                f"{place.command('rewrite')}",
            )
        return "verified"


class Traffic:
    """The value of the fixture `imagedetail_cassette`.

    Attributes:
        cloud: The name that the cassette is kept under.
        test: The test's node id without the cloud.
        path: The test's own cassette, whether or not it exists.
        record_mode: The record mode of this test.
        replays: Whether all answers come from recordings.
    """

    def __init__(self, session: Session) -> None:
        self.cloud: Final = session.place.cloud
        self.test: Final = session.place.test
        self.path: Final = session.place.path
        self.record_mode: Final = session.record_mode
        self.replays: Final = session.replays
        self._session: Final = session

    def __repr__(self) -> str:
        return f"<imagedetail cassette {self.path.name}: {len(self.interactions)} interactions>"

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        if not self.replays:
            return None
        # Without a recording, a request to this host fails with the way to record one.
        return self._session.player.endpoint or f"https://compute.{self.cloud}.invalid"

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Recorded interactions and, while recording, unredacted ones received so far."""
        return self._session.interactions

    @property
    def played(self) -> int:
        """How many recorded interactions have been played, from any recording."""
        return self._session.player.played

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The unplayed interactions of the test's cassette, by number, method and URL."""
        return self._session.player.unplayed

    def expect(self, *statuses: int) -> None:
        """Declare the failures that the test is about, so that its recording is kept.

        Args:
            *statuses: HTTP statuses, for example 401.
        """
        self._session.expected_statuses |= frozenset(statuses)

    def expect_miss(self) -> None:
        """Declare that the test is about a request that was not recorded."""
        self._session.expects_miss = True
