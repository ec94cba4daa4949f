"""Shuts the network for a while: no Python client connects and no name is looked up."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Never
from unittest import mock

from pytest_imagedetail.errors import RecordingError


@contextmanager
def shut(what: str) -> Iterator[None]:
    """Refuse every connection and every name lookup while the block runs.

    Args:
        what: Who wants it shut, for the message.

    Raises:
        RecordingError: From whatever tries, inside the block.
    """

    def refuse(*_arguments: Any, **_keywords: Any) -> Never:
        raise RecordingError(
            "something tried to reach the network while it is shut",
            where=what,
            remedy="what is replayed comes from cassettes alone; record what is missing first",
        )

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket.socket, "connect_ex", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
    ):
        yield
