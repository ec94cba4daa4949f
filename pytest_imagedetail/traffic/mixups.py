"""Refuses a recording that would answer a test's request about one id with what is of another.

Ids are numbered in the order in which they are heard, and nothing that could tell more is kept. So
a test that asks by an id of its own is answered by the first request that it fits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from pytest_imagedetail.cassette import as_read
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Interaction, Recording
from pytest_imagedetail.traffic.keys import answer_of, line
from pytest_imagedetail.traffic.matching import Names, differences
from pytest_imagedetail.traffic.player import next_of

_SHORTEST: Final = 8  # characters of an id; a shorter one may be any word


def as_asked_again(heard: Sequence[Interaction], ids: Mapping[str, str]) -> Iterator[Interaction]:
    """Requests as the test will ask them of its recording.

    What an answer told it, it will be told in placeholders; by what else does it know an id than
    by its real name?

    Args:
        heard: As sent and received.
        ids: The placeholders in the recording.
    """
    told: dict[str, str] = {}
    for each in heard:
        url, body = each.url, each.request_body
        for real, placeholder in told.items():
            url = url.replace(real, placeholder)
            body = body.replace(real.encode(), placeholder.encode())
        yield replace(each, url=url, request_body=body)
        answer = as_read(each).response
        said = "\n".join((answer.body.decode("latin-1"), *(v for _, v in answer.headers.fields)))
        told |= {
            real: name for real, name in ids.items() if len(real) >= _SHORTEST and real in said
        }


def refuse_mixups(
    recording: Recording, asked: Iterable[tuple[Interaction, Interaction]], *, remedy: str
) -> None:
    """Raise if a recording does not answer what a test asked as the cloud did.

    Args:
        recording: As it is going to be written.
        asked: Each request as the test will ask it again, and the interaction that was kept of it.
        remedy: What to do.

    Raises:
        RecordingError: Another interaction would be played.
    """
    names, played = Names(), set[int]()
    for request, kept in asked:
        number = next_of(recording.interactions, request, played, names)
        if number is None:
            continue  # a miss tells what is wrong by itself
        found = recording.interactions[number]
        if answer_of(found) != answer_of(kept):
            provenance = recording.provenance
            raise RecordingError(
                f"replaying could take one id for another: {line(kept)} would be "
                f"answered as {line(found)}",
                where=f"cloud {provenance.cloud}, cassette {provenance.test}",
                remedy=f"{remedy}\nids are told apart by their order alone; what is recorded is "
                "untouched",
            )
        differences(request, found, names)  # learns the names
        played.add(number)
