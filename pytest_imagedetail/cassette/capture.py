"""Catches HTTP traffic with vcrpy; the only module that knows vcrpy."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from vcr import VCR
from vcr.cassette import Cassette
from vcr.persisters.filesystem import CassetteNotFoundError
from vcr.record_mode import RecordMode

from pytest_imagedetail.model import Headers, Interaction, Response
from pytest_imagedetail.quiet import quiet


@dataclass(slots=True)
class Capture:
    """What went over the wire while a `capture()` block ran, in order."""

    _interactions: list[Interaction] = field(default_factory=list)

    @property
    def interactions(self) -> Sequence[Interaction]:
        """The interactions so far; complete once the block has ended."""
        return tuple(self._interactions)


class _Nowhere:
    """A persister that keeps nothing: a recording reaches the disk only after redaction."""

    not_found: ClassVar = CassetteNotFoundError

    @classmethod
    def load_cassette(cls, cassette_path: Any, serializer: Any) -> Any:  # noqa: ARG003  its name
        """There is never anything to load."""
        raise cls.not_found

    @staticmethod
    def save_cassette(cassette_path: Any, cassette_dict: Any, serializer: Any) -> None:
        """Unredacted traffic is not written."""


@contextmanager
def capture() -> Iterator[Capture]:
    """Record every request of this process's HTTP clients while the block runs.

    vcrpy patches the clients process-wide, so blocks must not overlap in time; the recorder runs
    one at a time.
    """
    recorder: Final = VCR(record_mode=RecordMode.ALL, decode_compressed_response=True)
    recorder.register_persister(_Nowhere)
    caught = Capture()
    with quiet("vcr"), recorder.use_cassette("in-memory") as cassette:
        try:
            yield caught
        finally:
            caught._interactions.extend(_interactions(cassette))  # noqa: SLF001  its own maker


def _interactions(cassette: Cassette) -> Iterator[Interaction]:
    for request, response in zip(cassette.requests, cassette.responses, strict=True):
        yield Interaction(
            method=request.method,
            url=request.uri,
            request_headers=_headers(request.headers),
            response=Response(
                status_code=response["status"]["code"],
                reason=response["status"]["message"] or "",
                headers=_headers(response["headers"]),
                body=response["body"]["string"],
            ),
        )


def _headers(headers: Any) -> Headers:
    """Vcrpy keeps a header as one string or as a list of strings."""
    return Headers(
        (name, value)
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    )
