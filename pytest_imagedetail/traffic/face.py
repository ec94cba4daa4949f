"""What a test holds of its own cassette: what it may look at, and what it may say it is about."""

from pathlib import Path

from pytest_imagedetail.model import Interaction, RecordMode
from pytest_imagedetail.traffic.session import Session


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
        return self._session.cloud

    @property
    def test(self) -> str:
        """The test's node id without the cloud, or the name of a cassette that tests share."""
        return self._session.test

    @property
    def path(self) -> Path:
        """The cassette, whether or not it is there."""
        return self._session.path

    @property
    def record_mode(self) -> RecordMode:
        """The record mode of this test."""
        return self._session.record_mode

    @property
    def replays(self) -> bool:
        """Whether everything comes from the cassette and nothing else is let through."""
        return self._session.mode.replays

    @property
    def endpoint(self) -> str | None:
        """The compute endpoint in placeholders, while replaying."""
        return self._session.endpoint

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """What the cassette holds: as recorded, or, while recording, what was heard so far.

        While recording they are as sent and received, Keystone's left out, and not redacted.
        """
        return self._session.interactions

    @property
    def played(self) -> int:
        """How many recorded interactions have been played."""
        return self._session.played

    @property
    def unplayed(self) -> tuple[str, ...]:
        """The recorded interactions that were not played, by number, method and URL."""
        return self._session.unplayed

    def expect(self, *statuses: int) -> None:
        """Say which failures the test is about, so that their recording is kept.

        Args:
            *statuses: HTTP statuses, for example 401.
        """
        self._session.expect(*statuses)

    def expect_miss(self) -> None:
        """Say that the test is about a request that nothing was recorded for."""
        self._session.expect_miss()
