"""One test's cassette while the test runs: what its clients ask is recorded, or replayed."""

import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Never

from pytest_imagedetail import network
from pytest_imagedetail.age import refuse_old
from pytest_imagedetail.cassette import Store, refuse_unsafe
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ImageDetailError,
    NoInteractionError,
    RecordingError,
    VerificationError,
)
from pytest_imagedetail.exposure import keystone_among, secrets_in
from pytest_imagedetail.model import Interaction, Recording, RecordMode, Response
from pytest_imagedetail.recorder import refuse_stale
from pytest_imagedetail.redact import Numbering
from pytest_imagedetail.traffic.drift import asked_of, changes, refuse_no_answer
from pytest_imagedetail.traffic.keys import Key, lacking, times_asked
from pytest_imagedetail.traffic.keystone import (
    Keystone,
    endpoint_of,
    keystone_of,
    left_out,
    refuse_nothing_left,
)
from pytest_imagedetail.traffic.merging import appended, merged
from pytest_imagedetail.traffic.mixups import as_asked_again, refuse_mixups
from pytest_imagedetail.traffic.player import Player
from pytest_imagedetail.traffic.recording import Heard, made_of, of_stock, refuse_failures
from pytest_imagedetail.traffic.renumbering import Words, its_own, renumbered
from pytest_imagedetail.traffic.together import Together
from pytest_imagedetail.transport import Access


class Traffic:
    """What a test has of its cassette.

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
        together: Together | None = None,
        is_ours: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self.cloud: Final = cloud
        self.record_mode: Final = record_mode
        self.path: Final[Path] = store.traffic_path(cloud, test)
        self.test: Final = test
        self.refused: Final[list[ImageDetailError]] = []
        self._node: Final = node
        self._store: Final = store
        self._shared: Final = "::" not in test
        self._release: Final = release
        self._accesses: Final = accesses
        self._secrets: Final = secrets
        self._together: Final = together or Together()
        self._unread: list[Interaction] = []
        self._learnt: frozenset[str] = frozenset()
        self._expected: frozenset[int] = frozenset()
        self._may_miss = False
        self._asked: dict[Key, int] = {}
        self._live: Sequence[Interaction] = ()
        self._redacted: Heard | None = None
        self._told: Recording
        self._words: Words
        self._heard: Final[list[Interaction]] = []
        self._lock: Final = threading.Lock()
        self._recorded: Final = self._loaded()
        joins = (
            self._shared
            and record_mode == "once"
            and self._recorded is not None
            and self._recorded.provenance.source != "stock"
            and is_ours(self.path.stat().st_mtime_ns)
        )
        self._replays: Final = record_mode == "none" or (
            record_mode == "once" and self._recorded is not None and not joins
        )
        if self._replays and self._recorded is not None:
            refuse_stale(self._recorded, release)
            provenance = self._recorded.provenance
            refuse_old(provenance, path=self.path, max_age=max_age, now=datetime.now(UTC))
        self._plays: Final = self._replays or record_mode == "new_episodes"
        self._player: Final = Player(
            interactions=self._recorded.interactions if self._plays and self._recorded else (),
            cloud=cloud,
            path=self.path,
            test=node,
            record=self._record(),
        )
        self._keystone: Final = self._stub()
        self._lost = 0

    def __repr__(self) -> str:
        return f"<imagedetail cassette {self.path.name}: {len(self.interactions)} interactions>"

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
    def replays(self) -> bool:
        """Whether everything comes from the cassette and nothing else is let through."""
        return self._replays

    @property
    def shared(self) -> bool:
        """Whether several tests have this cassette."""
        return self._shared

    @property
    def asked(self) -> Mapping[Key, int]:
        """How often what was written or verified was asked by this test."""
        return self._asked

    @property
    def closed(self) -> bool:
        """Whether a request that nothing was recorded for must not go to the cloud."""
        return self._replays

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        if not self._replays or self._recorded is None:
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
        if not self._replays:  # there may never be an answer
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
            raise self._not_ours()
        return of_stock(recorded)

    @contextmanager
    def running(self, *, shuts: bool = True) -> Iterator[None]:
        """Lead this process's HTTP clients here while the block runs.

        Args:
            shuts: Whether the network is shut while replaying.
        """
        # Loads vcrpy and every HTTP client that it can patch.
        from pytest_imagedetail.cassette.capture import intercept  # noqa: PLC0415

        if self.record_mode == "verify" and self._recorded is None:
            raise self._nothing_to_verify()
        with ExitStack() as stack:
            if self._replays and shuts:
                remedy = self._record()
                stack.enter_context(network.shut(self._node, remedy=remedy, refused=self.refused))
            else:
                stack.enter_context(network.libcurl_told(self._lose))
            wire = stack.enter_context(intercept(self))
            yield
        self._lost += wire.lost

    def redact(self) -> None:
        """Redact what was heard by what is known now: fixtures may take it back as they end."""
        self._live = self._own()
        if self._replays or self._lost or not self._live:
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
        if self.record_mode == "verify":
            return None
        if self._shared:
            return self._together.numbering
        return Numbering() if self._recorded is not None and self._plays else None

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
            raise self._lost_answers()
        if self._replays:
            return None
        verifies = self.record_mode == "verify"
        beside = "" if verifies else left_out(self._heard, where=self._where)
        heard = self._redacted
        if heard is None:
            self._refuse_silence()
            if self._recorded is None and not self._shared:
                refuse_nothing_left(self._heard, where=self._where)
            return None
        if verifies:
            refuse_unsafe(heard.recording, secrets=heard.secrets, where=self._where)
            return self._verified(heard.recording)
        refuse_failures(heard.recording, expected=self._expected, where=self._where)
        self._told, self._words = heard.recording, its_own(heard.recording)
        written = self._store.write_traffic(
            heard.recording, secrets=heard.secrets, merge=self._merge(heard)
        )
        self._refuse_loss(self._told)
        self._together.add(self._told.interactions, self._words)
        self._asked = times_asked(self._told)
        return f"recorded ({written.value}){beside}"

    def _merge(self, heard: Heard) -> Callable[[Recording], Recording] | None:
        if not self._shared and self.record_mode != "new_episodes":
            return None

        def merge(old: Recording) -> Recording:
            words = self._known_words(heard)
            rewrites = self.record_mode == "rewrite"
            new, self._words = renumbered(heard.recording, old, words, again=rewrites)
            before = self._player.told
            told = (*(each for _, each in before), *new.interactions)
            self._told = replace(new, interactions=told)
            if self._shared:
                beside = self._together.heard
                done = merged(old, self._told, replacing=rewrites, beside=beside)
            else:
                done = appended(old, new)
            ids = {real: self._words.read(name) for real, name in heard.ids.items()}
            again = as_asked_again(self._live, ids)
            asked = (*before, *zip(again, new.interactions, strict=False))
            refuse_mixups(done, asked, remedy=self._apart())
            return done

        return merge

    def _known_words(self, heard: Heard) -> Words:
        """Which placeholders are which of the cassette, by what this process knows of both."""
        words = self._together.words.copy()
        for real, placeholder in self._player.names.items():
            if real in heard.ids:
                words.learn(heard.ids[real], placeholder)
            else:
                words.taken.add(placeholder)
        return words

    def _apart(self) -> str:
        if self._shared:
            return "give the test a cassette of its own: without cassette= in the marker, it has"
        return f"record the test afresh: {self._command('rewrite')}"

    def _lose(self, _: str) -> None:
        """Count what libcurl asks: no cassette can hold it."""
        with self._lock:
            self._lost += 1

    def _refuse_loss(self, new: Recording) -> None:
        """Read back what was written: every interaction that was heard must be there."""
        kept = self._store.load_traffic(self.cloud, self.test)
        missing = new.interactions if kept is None else lacking(kept, new.interactions)
        if missing:
            raise RecordingError(
                f"{len(new.interactions)} interactions were heard, and {len(missing)} of them are "
                "not in the cassette",
                where=self._where,
                remedy="another process writes the same file; record again",
            )

    def _verified(self, new: Recording) -> str:
        assert self._recorded is not None  # noqa: S101  running() has seen to it
        new, _ = renumbered(new, self._recorded, Words(), again=True)
        refuse_no_answer(self._recorded, new, expected=self._expected, where=self._where)
        old = asked_of(self._recorded, new) if self._shared else self._recorded
        found = changes(old, new)
        if found:
            lines = "\n".join(f"  {each}" for each in found)
            raise VerificationError(
                f"the live cloud answers otherwise than its recording\n{lines}",
                where=f"{self._where}; nothing was written",
                remedy=f"if the change is right, record it: {self._command('rewrite')}",
            )
        self._asked = times_asked(new)
        return "verified"

    def _refuse_silence(self) -> None:
        """Raise if a test asks nothing any more: it has verified nothing of its recording."""
        if self.record_mode == "verify" and self._recorded is not None and not self._shared:
            raise VerificationError(
                "the test asked the cloud nothing, and its recording holds "
                f"{len(self._recorded.interactions)} of its requests",
                where=f"{self._where}; nothing was written",
                remedy="if the test needs no recording, delete it",
            )

    def _own(self) -> list[Interaction]:
        with self._lock:
            is_keystone = keystone_among(self._heard)
            return [each for each in self._heard if not is_keystone(each)]

    def _stub(self) -> Keystone | None:
        if not self._replays or self._recorded is None:
            return None
        return keystone_of(self._recorded.provenance.catalog, self.endpoint)

    def _of_keystone(self, asked: Interaction) -> Response | None:
        return self._keystone.answer(asked) if self._keystone is not None else None

    def _record(self) -> str:
        """How to record what is missing."""
        if self._recorded is None:
            return f"record it: {self._command('once')}"
        if self._recorded.provenance.source != "stock":
            return f"record it: {self._command('new_episodes')}"
        return (
            "another tool wrote the cassette, so nothing is added to it: delete it and record "
            f"afresh: {self._command('once')}"
        )

    def _command(self, mode: str) -> str:
        return f"pytest {shlex.quote(self._node)} --imagedetail-record-mode={mode}"

    @property
    def _where(self) -> str:
        return f"{self._node}, cassette {self.path}"

    def _not_ours(self) -> RecordingError:
        use = f"@pytest.mark.imagedetail({self.cloud!r}, cassette={self.path.stem!r})"
        return RecordingError(
            f"record mode {self.record_mode} needs a cassette of imagedetail, and another tool "
            "wrote this one: nobody has redacted it, so it is replayed and never written to",
            where=self._where,
            remedy="make a safe cassette of it: imagedetail scrub "
            f"{shlex.quote(str(self.path))} --cloud {self.cloud}\n"
            f"and replay that: {use}\n"
            f"or delete it and record afresh: {self._command('once')}",
        )

    def _nothing_to_verify(self) -> CassetteNotFoundError:
        return CassetteNotFoundError(
            "nothing is recorded for this test, so there is nothing to verify",
            where=self._where,
            remedy=f"record it: {self._command('once')}",
        )

    def _lost_answers(self) -> RecordingError:
        answers = "1 answer" if self._lost == 1 else f"{self._lost} answers"
        return RecordingError(
            f"not everything was recorded: {answers} came to a client past the cassette",
            where=self._where,
            remedy="make connections inside the test, not before it, and on one thread, or with "
            "requests, urllib3 or httpx\nlibcurl (pycurl, curl_cffi) cannot be recorded: ask with "
            "another client\nnothing was written and an older recording is untouched",
        )
