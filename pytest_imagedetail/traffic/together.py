"""What the tests of one process heard of one cassette in one run."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pytest_imagedetail.model import Interaction
from pytest_imagedetail.traffic.recording import Key, by_request


@dataclass(slots=True)
class Together:
    """What the tests that share a cassette heard so far.

    Attributes:
        heard: Redacted, by request, as often as the test that asked most often did.
    """

    heard: dict[Key, list[Interaction]] = field(default_factory=dict, repr=False)

    def add(self, told: Iterable[Interaction]) -> None:
        """Add what another test was told and the cassette holds."""
        for key, each in by_request(told).items():
            self.heard[key] = max(self.heard.get(key, []), each, key=len)
