"""One test's cassette while the test runs: what its clients ask is recorded, or replayed."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Never

from pytest_imagedetail import network
from pytest_imagedetail.cassette import Store, Written, refuse_unsafe
from pytest_imagedetail.cassette.age import refuse_old
from pytest_imagedetail.errors import ImageDetailError, NoInteractionError
from pytest_imagedetail.model import Interaction, Recording, RecordMode, Response
from pytest_imagedetail.record.recorder import refuse_stale
from pytest_imagedetail.redact import Numbering
from pytest_imagedetail.redact.traffic import keystone_among, secrets_in
from pytest_imagedetail.traffic.complaints import Complaints
from pytest_imagedetail.traffic.drift import asked_of, changes, refuse_no_answer
from pytest_imagedetail.traffic.joining import Joined, alone, join
from pytest_imagedetail.traffic.keys import Key, lacking, times_asked
from pytest_imagedetail.traffic.keystone import (
    Keystone,
    endpoint_of,
    keystone_of,
    left_out,
    refuse_nothing_left,
)
from pytest_imagedetail.traffic.modes import Mode, mode_of
from pytest_imagedetail.traffic.player import Player
from pytest_imagedetail.traffic.recording import Heard, made_of, of_stock, refuse_failures
from pytest_imagedetail.traffic.renumbering import Words, renumbered
from pytest_imagedetail.traffic.together import Together
from pytest_imagedetail.transport.http import Access


class Session:
    """A test's cassette from before its first request until it is kept.

    Args:
        store: Where cassettes are.
        cloud: The name it is kept under, which the placeholders of its hosts bear.
        test: The test's node id without the cloud, or the name of a cassette that tests share.
        node: The test's node id as it stands on a command line.
        record_mode: As in `RECORD_MODES`.
        release: The cloud's release, if declared.
        max_age: In days; an older recording is not replayed.
        accesses: What the run knows of the cloud; called after the test, only while recording.
        secrets: What else nobody may read in a recording; called after the test.
        guard: Raises if the cloud is not the one that was recorded; called before a cassette is
            written or called verified.
        together: What the run's other tests of this process heard of the same cassette.
        is_ours: Whether a file was written by this run, by its time of modification in
            nanoseconds; tests that share a cassette record it together.
    """

    def __init__(  # noqa: PLR0913  a test has that many choices
        self,
        *,
        store: Store,
        cloud: str,
        test: str,
        node: str,
        record_mode: RecordMode,
        release: str | None = None,
        max_age: int | None = None,
        accesses: Callable[[], Sequence[Access]] = tuple,
        secrets: Callable[[], frozenset[str]] = frozenset,
        guard: Callable[[], None] = lambda: None,
        together: Together | None = None,
        is_ours: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.cloud: Final = cloud
        self.record_mode: Final = record_mode
        self.path: Final[Path] = store.traffic_path(cloud, test)
        self.test: Final = test
        self.refused: Final[list[ImageDetailError]] = []
        self._complaints: Final = Complaints(node=node, cloud=cloud, path=self.path)
        self._where: Final = self._complaints.where
        self._store: Final = store
        self._release: Final = release
        self._accesses: Final = accesses
        self._secrets: Final = secrets
        self._guard: Final = guard
        self._together: Final = together or Together()
        self._unread: list[Interaction] = []
        self._learnt: frozenset[str] = frozenset()
        self._expected: frozenset[int] = frozenset()
        self._may_miss = False
        self._asked: dict[Key, int] = {}
        self._live: Sequence[Interaction] = ()
        self._redacted: Heard | None = None
        self._heard: Final[list[Interaction]] = []
        self._lock: Final = threading.Lock()
        self._recorded: Final = self._loaded()
        self.mode: Final[Mode] = mode_of(
            record_mode,
            shared="::" not in test,
            recorded=self._recorded,
            is_ours=lambda: is_ours(self.path.stat().st_mtime_ns),
        )
        if self.mode.replays and self._recorded is not None:
            refuse_stale(self._recorded, release)
            provenance = self._recorded.provenance
            refuse_old(provenance, path=self.path, max_age=max_age, now=datetime.now(UTC))
        self._player: Final = Player(
            interactions=self._recorded.interactions if self.mode.plays and self._recorded else (),
            cloud=cloud,
            path=self.path,
            test=node,
            record=self._complaints.record(self._recorded),
        )
        self._keystone: Final = self._stub()
        self._lost = 0

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the cassette holds: as recorded, or, while recording, what was heard so far.

        While recording they are as sent and received, Keystone's left out, and not redacted.
        """
        return (*self._player.interactions, *self._own())

    @property
    def played(self) -> int:
        """How many recorded interactions have been played."""
        return self._player.played

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The recorded interactions that were not played, by number, method and URL."""
        return self._player.unplayed

    @property
    def asked(self) -> Mapping[Key, int]:
        """How often what was written or verified was asked by this test."""
        return self._asked

    @property
    def closed(self) -> bool:
        """Whether a request that nothing was recorded for must not go to the cloud."""
        return self.mode.replays

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        if not self.mode.replays or self._recorded is None:
            return None
        found = self._recorded.provenance.endpoint
        return found or endpoint_of(self._recorded.interactions[0].url)

    def expect(self, *statuses: int) -> None:
        """Say which failures the test is about, so that their recording is kept.

        Args:
            *statuses: HTTP statuses, for example 401.
        """
        self._expected |= frozenset(statuses)

    def expect_miss(self) -> None:
        """Say that the test is about a request that nothing was recorded for."""
        self._may_miss = True

    @property
    def may_miss(self) -> bool:
        """Whether the test is about a request that nothing was recorded for."""
        return self._may_miss

    @property
    def missed(self) -> Sequence[NoInteractionError]:
        """The errors of requests that nothing was recorded for, whatever a client made of them."""
        return tuple(self._player.missed)

    def learnt(self) -> frozenset[str]:
        """The tokens and passwords that the test's clients have sent or got from a live cloud."""
        with self._lock:
            unread, self._unread = self._unread, []
            self._learnt |= secrets_in(unread).values
            return self._learnt

    def can_answer(self, asked: Interaction) -> bool:
        """Whether the cassette, or the stub of Keystone, has an answer left."""
        if not self.mode.replays:  # there may never be an answer
            with self._lock:
                self._unread.append(asked)
        return self._player.has(asked) or self._of_keystone(asked) is not None

    def answer(self, asked: Interaction) -> Response:
        """Answer from the cassette."""
        found = self._player.play(asked)
        if found is None and (found := self._of_keystone(asked)) is not None:
            self._player.overhear(asked)
        if found is None:  # another thread took the last one
            self.refuse(asked)
        return found

    def refuse(self, asked: Interaction) -> Never:
        """Raise the error of a request that nothing was recorded for."""
        error = self._player.miss(asked)
        self.refused.append(error)
        raise error

    def heard(self, interaction: Interaction) -> None:
        """Take what the cloud answered."""
        with self._lock:
            self._heard.append(interaction)
            self._unread.append(interaction)

    def _loaded(self) -> Recording | None:
        recorded = self._store.load_traffic(self.cloud, self.test)
        if recorded is None or recorded.provenance.source != "stock":
            return recorded
        if self.record_mode not in {"none", "once"}:
            raise self._complaints.not_ours(self.record_mode)
        return of_stock(recorded)

    @contextmanager
    def running(self, *, shuts: bool = True) -> Iterator[None]:
        """Lead this process's HTTP clients here while the block runs.

        Args:
            shuts: Whether the network is shut while replaying.
        """
        # Loads vcrpy and every HTTP client that it can patch.
        from pytest_imagedetail.cassette.capture import intercept  # noqa: PLC0415

        if self.mode.verifies and self._recorded is None:
            raise self._complaints.nothing_to_verify()
        with ExitStack() as stack:
            if self.mode.replays and shuts:
                remedy = self._complaints.record(self._recorded)
                node = self._complaints.node
                stack.enter_context(network.shut(node, remedy=remedy, refused=self.refused))
            else:
                stack.enter_context(network.on_libcurl_request(self._lose))
            wire = stack.enter_context(intercept(self))
            yield
        self._lost += wire.lost

    def redact(self) -> None:
        """Redact what was heard by what is known now: fixtures may take it back as they end."""
        self._live = self._own()
        if self.mode.replays or self._lost or not self._live:
            return
        with self._lock:
            heard = tuple(self._heard)
        self._redacted = made_of(
            heard,
            cloud=self.cloud,
            test=self.test,
            release=self._release,
            accesses=self._accesses(),
            known=self._secrets(),
            numbering=self._numbering(),
        )

    def _numbering(self) -> Numbering | None:
        """What ids are numbered by; none where a recording is compared or replaced as a whole."""
        continues = self.mode.joins and (self.mode.shared or self._recorded is not None)
        return self._together.numbering if continues else None

    def keep(self) -> str | None:
        """Write what was redacted, or compare it, once the test has passed.

        Returns:
            What was done, for the summary of the run; None if nothing was to be done.

        Raises:
            ResponseError: The cloud refused or failed.
            RecordingError: Not everything was caught, or it cannot be written.
            LeakError: A secret is left in it.
            VerificationError: The live cloud answers otherwise than recorded.
        """
        if self._lost:
            raise self._complaints.lost_answers(self._lost)
        if self.mode.replays:
            return None
        beside = "" if self.mode.verifies else left_out(self._heard, where=self._where)
        heard = self._redacted
        if heard is None:
            self._refuse_silence()
            if self._recorded is None and not self.mode.shared:
                refuse_nothing_left(self._heard, where=self._where)
            return None
        if self.mode.verifies:
            refuse_unsafe(heard.recording, secrets=heard.secrets, where=self._where)
            return self._verified(heard.recording)
        refuse_failures(heard.recording, expected=self._expected, where=self._where)
        self._guard()
        done, joined = self._written(heard)
        self._refuse_loss(joined.told)
        self._together.add(joined.told.interactions, joined.words)
        self._asked = times_asked(joined.told)
        return f"recorded ({done.value}){beside}"

    def _written(self, heard: Heard) -> tuple[Written, Joined]:
        """Write what was heard, joined to what is there by then if the mode says so."""
        joined = alone(heard)

        def merge(old: Recording) -> Recording:
            nonlocal joined
            joined = join(
                old,
                heard,
                mode=self.mode,
                known=self._known_words(heard),
                before=self._player.told,
                live=self._live,
                beside=self._together.heard,
                remedy=self._complaints.apart(self.mode),
            )
            return joined.recording

        done = self._store.write_traffic(
            heard.recording, secrets=heard.secrets, merge=merge if self.mode.joins else None
        )
        return done, joined

    def _known_words(self, heard: Heard) -> Words:
        """Which placeholders are which of the cassette, by what this process knows of both."""
        words = self._together.words.copy()
        for real, placeholder in self._player.names.items():
            if real in heard.ids:
                words.learn(heard.ids[real], placeholder)
            else:
                words.taken.add(placeholder)
        return words

    def _lose(self, _: str) -> None:
        """Count what libcurl asks: no cassette can hold it."""
        with self._lock:
            self._lost += 1

    def _refuse_loss(self, new: Recording) -> None:
        """Read back what was written: every interaction that was heard must be there."""
        kept = self._store.load_traffic(self.cloud, self.test)
        missing = new.interactions if kept is None else lacking(kept, new.interactions)
        if missing:
            raise self._complaints.overwritten(len(new.interactions), len(missing))

    def _verified(self, new: Recording) -> str:
        assert self._recorded is not None  # noqa: S101  running() has seen to it
        new, _ = renumbered(new, self._recorded, Words(), again=True)
        refuse_no_answer(self._recorded, new, expected=self._expected, where=self._where)
        old = asked_of(self._recorded, new) if self.mode.shared else self._recorded
        found = changes(old, new)
        try:
            self._guard()
        except ImageDetailError as error:
            for line in found:
                error.add_note(line)
            raise
        if found:
            raise self._complaints.answered_otherwise(found)
        self._asked = times_asked(new)
        return "verified"

    def _refuse_silence(self) -> None:
        """Raise if a test asks nothing any more: it has verified nothing of its recording."""
        if self.mode.verifies and self._recorded is not None and not self.mode.shared:
            raise self._complaints.asked_nothing(self._recorded)

    def _own(self) -> list[Interaction]:
        with self._lock:
            is_keystone = keystone_among(self._heard)
            return [each for each in self._heard if not is_keystone(each)]

    def _stub(self) -> Keystone | None:
        if not self.mode.replays or self._recorded is None:
            return None
        return keystone_of(self._recorded.provenance.catalog, self.endpoint)

    def _of_keystone(self, asked: Interaction) -> Response | None:
        return self._keystone.answer(asked) if self._keystone is not None else None
