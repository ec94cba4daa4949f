"""What the tests of one process heard of one cassette in one run."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.redact import Numbering
from pytest_imagedetail.traffic.keys import Key, answer_of, by_request, key_of, line
from pytest_imagedetail.traffic.renumbering import Words

Mark = tuple[str, str]
"""An interaction as a run's processes tell each other of it: its line, and a hash of it, redacted.

It is never written.
"""


@dataclass(slots=True)
class Together:
    """What the tests that share a cassette heard so far.

    Attributes:
        numbering: What redaction replaced, and by what.
        words: Which placeholder of that is which of the cassette.
        heard: By request, as often as the test that asked most often did.
    """

    numbering: Numbering = field(default_factory=Numbering, repr=False)
    words: Words = field(default_factory=Words, repr=False)

    heard: dict[Key, list[Interaction]] = field(default_factory=dict, repr=False)

    def add(self, told: Iterable[Interaction], words: Words) -> None:
        """Add what another test was told and the cassette holds by now.

        Args:
            told: In the words of the cassette.
            words: What is known of these by then.
        """
        self.words = words
        for key, each in by_request(told).items():
            self.heard[key] = max(self.heard.get(key, []), each, key=len)

    def written(self) -> Counter[Mark]:
        """How often each interaction has to be in the cassette once the run is over."""
        return Counter(_mark(each) for one in self.heard.values() for each in one)


def lost(recording: Recording | None, written: Mapping[Mark, int]) -> list[str]:
    """The interactions that were written to a recording and are not in it, a line for each."""
    there = Counter(map(_mark, recording.interactions if recording else ()))
    return [mark[0] for mark in (Counter(written) - there).elements()]


def _mark(each: Interaction) -> Mark:
    whole = hashlib.sha256(repr((key_of(each), answer_of(each))).encode("utf-8", "surrogatepass"))
    return line(each), whole.hexdigest()
