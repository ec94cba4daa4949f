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
from pytest_imagedetail.traffic.authentication import split_keystone
from pytest_imagedetail.traffic.cassette import Cassette
from pytest_imagedetail.traffic.keystone import keystone_note
from pytest_imagedetail.traffic.matching import key_of, missing_from
from pytest_imagedetail.traffic.player import Player
from pytest_imagedetail.traffic.recording import (
    FAILURES,
    append,
    changes,
    make_recording,
    other_sender,
    refuse_failures,
    refuse_merged,
    refuse_other_sender,
)
from pytest_imagedetail.traffic.sources import Source, sources_of
from pytest_imagedetail.transport.http import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCallbacks:
    """Callbacks about the live cloud; called after the test, only while recording."""

    accesses: Callable[[], Sequence[Access]] = tuple  # the run's own
    secrets: Callable[[], frozenset[str]] = frozenset  # further values that must not be written
    # Raises if the cloud is not the recorded one; called before a cassette is written or verified.
    guard: Callable[[], None] = lambda: None


class LiveTraffic:
    """Collect the interactions with the live cloud, from all threads of the test's process."""

    def __init__(self) -> None:
        self.lost: Final[list[str]] = []  # URLs of requests that could not be recorded, if known
        self.replayed: Final[list[Interaction]] = []  # answered from a recording
        self._process: Final = os.getpid()
        self._forked: Final = mmap.mmap(-1, 1)  # shared with forked processes
        self._requests: Final[list[Interaction]] = []  # requests, and interactions once answered
        self._searched = 0  # how many of them the secrets are from
        self._secrets: frozenset[str] = frozenset()

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """All interactions, in order, including Keystone's."""
        return tuple(sent for sent in self._requests if sent.response is not NO_RESPONSE)

    @property
    def own(self) -> tuple[Interaction, ...]:
        """All interactions except Keystone's."""
        return tuple(split_keystone(self.interactions)[0])

    @property
    def unanswered(self) -> int:
        """How many requests got no answer, not even when they were sent again."""
        sent = {key_of(replace(request, request_body=b"")) for request in self._requests}
        answered = (*self.interactions, *self.replayed)
        return len(sent - {key_of(replace(request, request_body=b"")) for request in answered})

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
        self._requests.append(interaction)

    def add_lost(self, url: str = "") -> None:
        """Note a request that cannot be recorded."""
        if not self.is_forked():
            self.lost.append(url)

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that were sent or received."""
        end = len(self._requests)  # another thread may add to them
        self._secrets |= learn(self._requests[self._searched : end]).secrets
        self._searched = end
        return self._secrets


class Session:
    """Replay or record one test's requests, until `keep` writes or verifies its cassette.

    Args:
        refused: A list that collects the errors of refused requests and connections.
    """

    def __init__(
        self,
        cassette: Cassette,
        *,
        record_mode: RecordMode,
        release: str | None = None,
        live: LiveCallbacks = LiveCallbacks(),
        refused: list[ImageDetailError] | None = None,
    ) -> None:
        self.cassette: Final = cassette
        self.record_mode: Final = record_mode
        self.expected_statuses: frozenset[int] = frozenset()
        self.expects_miss = False
        self.refused: Final = [] if refused is None else refused
        self._release: Final = release
        self._live: Final = live
        self._received: Final = LiveTraffic()
        own = [] if cassette.load() is None else [cassette.path]
        path = cassette.path if own else None
        if path is None and record_mode in {"none", "once"}:
            path = cassette.read_only
        self.replays: Final = record_mode == "none" or (record_mode == "once" and path is not None)
        replays_own = self.replays or record_mode == "new_episodes"
        sources = [Source(own if replays_own else [], cassette.store, release=release)]
        _ = sources[0].recordings  # raises before the test if one is too old
        if self.replays:
            sources.append(Source(cassette.others(), cassette.store, release=release))
            sources += sources_of(cassette.store, cassette.cloud, release=release)
        self.player: Final = Player(cassette, path=path, sources=sources, replays=self.replays)

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Recorded interactions and, while recording, unredacted ones received so far."""
        return (*self.player.interactions, *self._received.own)

    @property
    def unexpected_error(self) -> CassetteError | None:
        """The first cassette error that a request got and that the test does not expect."""
        for error in self.refused:
            is_expected = self.expects_miss and isinstance(error, NoInteractionError)
            if isinstance(error, CassetteError) and not is_expected:
                return error
        return None

    @property
    def closed(self) -> bool:
        """Whether a request without an answer is refused instead of sent."""
        return self.replays or self._received.is_forked()

    def secrets(self) -> frozenset[str]:
        """Return the tokens and passwords that the test's clients sent or received."""
        return self._received.secrets()

    def can_answer(self, request: Interaction) -> bool:
        """Return whether a recording, or the built-in Keystone, has an answer left."""
        if not self.replays:
            if self.closed:
                return False
            self._received.add(request)
        with self._collecting_errors():
            return self.player.has(request)

    def answer(self, request: Interaction) -> Response:
        """Answer from a recording."""
        with self._collecting_errors():
            response = self.player.play(request)
        if response is None:
            self.refuse(request)
        if not self.replays:
            self._received.replayed.append(replace(request, response=response))
        return response

    def refuse(self, request: Interaction) -> Never:
        """Raise for a request that was not recorded and is not sent."""
        with self._collecting_errors():
            if self.replays:
                raise self.player.miss_error(request)
            if self._received.is_forked():
                raise self._forked_error()
            raise RecordingError(
                "a request was to be answered from the recording, which has no answer left",
                where=self.cassette.where,
                remedy="another thread got the last one, or a recorded redirect led to the request"
                f"\nrecord everything afresh: {self.cassette.command('rewrite')}",
            )

    def _forked_error(self) -> RecordingError:
        return RecordingError(
            "a forked process sent a request, which cannot be recorded",
            where=self.cassette.where,
            remedy="send all requests from the test's own process while recording, for example "
            "with threads",
        )

    def record(self, interaction: Interaction) -> None:
        """Record an interaction with the cloud."""
        self._received.add(interaction)

    @contextmanager
    def _collecting_errors(self) -> Iterator[None]:
        """Collect errors raised to a client, in case it swallows them."""
        try:
            yield
        except ImageDetailError as error:
            self.refused.append(error)
            raise

    @contextmanager
    def intercepting(
        self, *, block_network: bool = True, ignored_hosts: frozenset[network.Place] = frozenset()
    ) -> Iterator[None]:
        """Pass the requests of this process's HTTP clients to this session while the block runs.

        If `block_network`, the network is blocked while replaying. Requests to `ignored_hosts`
        bypass this session (see `network.is_allowed`).
        """
        # This loads vcrpy and every HTTP client that it can patch.
        from pytest_imagedetail.cassette.capture import intercept  # noqa: PLC0415

        cassette = self.cassette
        if self.record_mode == "verify" and cassette.load() is None:
            raise CassetteNotFoundError(
                "nothing is recorded for this test, so there is nothing to verify",
                where=cassette.where,
                remedy=f"record it: {cassette.command('once')}",
            )
        add_lost = self._received.add_lost

        def add_lost_unless_ignored(url: str) -> None:
            if not network.is_allowed(network.place_of(url), ignored_hosts):
                add_lost(url)

        guard: AbstractContextManager[object] = network.on_libcurl_request(add_lost_unless_ignored)
        if self.replays and block_network:
            guard = network.shut(
                cassette.node,
                remedy=self.player.remedy,
                refused=self.refused,
                allowed=ignored_hosts,
            )
        with guard, intercept(self, on_lost_response=add_lost, ignored_hosts=ignored_hosts):
            yield

    def keep(self) -> str | None:
        """Redact what was received and write or compare it, once the test has passed.

        Return what was done, for the run's summary; None if there was nothing to do.
        """
        if self._received.was_forked:
            raise self._forked_error()
        if lost := len(self._received.lost):
            raise RecordingError(
                f"not everything was recorded: {text.count(lost, 'response')} bypassed "
                "the cassette",
                where=self.cassette.where,
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
                where=self.cassette.where,
                remedy="run the test again once the cloud can be reached\n"
                "a failed connection cannot be replayed: simulate it in a test of its own\n"
                "nothing was written and an older recording is untouched",
            )
        if self.record_mode == "verify":
            return self._verify()
        received, old = self._received.interactions, self.cassette.load()
        refuse_other_sender(
            (*received, *self._received.replayed),
            accesses=self._live.accesses(),
            old=old if self.record_mode == "new_episodes" else None,
            cassette=self.cassette,
        )
        note = keystone_note(received, where=self.cassette.where)
        if self._received.own:
            return f"recorded ({self._write()}){note}"
        if old is not None:
            return None
        if note:
            raise RecordingError(
                "nothing can be recorded: the test asked only Keystone, which is never recorded",
                where=self.cassette.where,
                remedy="send the request that the test is about, or remove imagedetail_cassette",
            )
        return "not recorded: no client in this process sent a request"

    def _make_recording(self) -> tuple[Recording, Known]:
        return make_recording(
            self._received.interactions,
            cloud=self.cassette.cloud,
            test=self.cassette.test,
            release=self._release,
            accesses=self._live.accesses(),
            known=Known(secrets=self._live.secrets()),
        )

    def _write(self) -> str:
        cassette, merge, old = self.cassette, None, self.cassette.load()
        new, known = self._make_recording()
        failures = FAILURES - self.expected_statuses
        refuse_failures(new, failures, what="kept", where=cassette.where)
        refuse_merged(self._received.own, new, where=f"{cassette.where}; nothing was written")
        if self.record_mode == "new_episodes":
            merge = partial(append, new=new)
        self._live.guard()
        outcome = cassette.store.write(new, known=known, shared=cassette.shared, merge=merge).value
        written = cassette.load()
        if lost := missing_from(written.interactions if written else (), new.interactions):
            raise RecordingError(
                f"{lost} of the {len(new.interactions)} recorded interactions are not in the file",
                where=cassette.where,
                remedy="another process writes the same file; record again",
            )
        if merge is None and old is not None:
            missing = missing_from(new.interactions, old.interactions, key=key_of)
            if missing:  # requests of subprocesses are not seen
                requests = text.count(len(old.interactions), "request")
                verb = "was" if missing == 1 else "were"
                return f"{outcome}; {missing} of {requests} {verb} not sent again"
        return outcome

    def _verify(self) -> str:
        old, cassette = self.cassette.load(), self.cassette
        assert old is not None  # noqa: S101  `intercepting` has checked it
        where = f"{cassette.where}; nothing was written"
        if not self._received.own:
            raise VerificationError(
                "the test sent no request to the cloud, and its recording has "
                f"{len(old.interactions)}",
                where=where,
                remedy="if the test needs no recording, delete it",
            )
        new, known = self._make_recording()
        refuse_unsafe(new, known=known, where=cassette.where)
        recorded = {interaction.response.status_code for interaction in old.interactions}
        failures = NOT_ANSWERED - recorded - self.expected_statuses
        refuse_failures(new, failures, what="verified", where=cassette.where)
        lines = changes(old, new)
        sender = new.provenance.user, new.provenance.project
        if lines and (who := other_sender(old, sender)):
            lines.insert(0, f"sent as another {who}: use the credentials of the recording")
        try:
            self._live.guard()
        except ImageDetailError as error:
            for line in lines:
                error.add_note(line)
            raise
        if lines:
            raise VerificationError(
                "\n  ".join(["the live cloud's answers differ from the recording", *lines]),
                where=where,
                remedy="if the cloud was upgraded, record the test under a new cloud name: "
                "@pytest.mark.imagedetail(NAME)\n"
                "if only its data changed, replace the recording: "
                f"{cassette.command('rewrite')}",
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
        self.cloud: Final = session.cassette.cloud
        self.test: Final = session.cassette.test
        self.path: Final = session.cassette.path
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
