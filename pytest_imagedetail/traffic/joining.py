"""Joins what a test heard to what is recorded: in its words, without contradiction or mix-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.traffic.keys import Key
from pytest_imagedetail.traffic.merging import appended, merged
from pytest_imagedetail.traffic.mixups import as_asked_again, refuse_mixups
from pytest_imagedetail.traffic.modes import Mode
from pytest_imagedetail.traffic.recording import Heard
from pytest_imagedetail.traffic.renumbering import Words, its_own, renumbered


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What is going to be written, and what is known of it.

    Attributes:
        recording: What is going to be written.
        told: All that the test was told, recorded before or now, in the words of the cassette.
        words: Which placeholders of the process are which of the cassette.
    """

    recording: Recording = field(repr=False)
    told: Recording = field(repr=False)
    words: Words = field(repr=False)


def alone(heard: Heard) -> Joined:
    """What a test heard where nothing is recorded."""
    return Joined(recording=heard.recording, told=heard.recording, words=its_own(heard.recording))


def join(
    old: Recording,
    heard: Heard,
    *,
    mode: Mode,
    known: Words,
    before: Sequence[tuple[Interaction, Interaction]],
    live: Sequence[Interaction],
    beside: Mapping[Key, Sequence[Interaction]],
    remedy: str,
) -> Joined:
    """What a test heard, and what is there.

    Args:
        old: What is there.
        heard: What the cloud answered, redacted.
        mode: Of the test.
        known: What is known of the placeholders of both.
        before: What was played to the test: each request as it was asked, and the interaction.
        live: What the cloud answered, as sent and received.
        beside: What other tests of this run heard, by request.
        remedy: What to do if replaying could take one id for another.

    Raises:
        RecordingError: They contradict each other, cannot be known to be of the same hosts, or
            would not answer the test's own requests as the cloud did.
    """
    new, words = renumbered(heard.recording, old, known, again=mode.rewrites)
    told = replace(new, interactions=(*(each for _, each in before), *new.interactions))
    if mode.shared:
        recording = merged(old, told, replacing=mode.rewrites, beside=beside)
    else:
        recording = appended(old, new)
    ids = {real: words.read(name) for real, name in heard.ids.items()}
    again = as_asked_again(live, ids)
    asked = (*before, *zip(again, new.interactions, strict=False))
    refuse_mixups(recording, asked, remedy=remedy)
    return Joined(recording=recording, told=told, words=words)
