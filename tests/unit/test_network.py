"""The network, shut: nothing of Python connects, nothing is looked up, and it opens again."""

import asyncio
import http.client
import socket
import urllib.request

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.errors import RecordingError


@pytest.fixture
def port():
    """A port on loopback where somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connect(port, method):
    """Connect a bare socket, and close it whatever happens."""
    with socket.socket() as bare:
        getattr(bare, method)(("127.0.0.1", port))


@pytest.mark.parametrize(
    "reach",
    [
        lambda port: socket.create_connection(("127.0.0.1", port)),
        lambda port: connect(port, "connect"),
        lambda port: connect(port, "connect_ex"),
        lambda port: http.client.HTTPConnection("127.0.0.1", port).request("GET", "/"),
        lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
        lambda port: asyncio.run(asyncio.open_connection("127.0.0.1", port)),
        lambda _: socket.getaddrinfo("cloud.example.com", 443),
    ],
    ids=["create_connection", "connect", "connect_ex", "http", "urllib", "asyncio", "dns"],
)
def test_nothing_gets_through(reach, port):
    """Every way of Python's own to a connection or a name is refused, loopback too."""
    with network.shut("this test"), pytest.raises(RecordingError) as caught:
        reach(port)
    assert str(caught.value) == (
        "something tried to reach the network while it is shut\n"
        "  where: this test\n"
        "  next:  what is replayed comes from cassettes alone; record what is missing first"
    )


def test_it_opens_again(port):
    """After the block, and after an error in it, connections work as before."""
    with pytest.raises(ZeroDivisionError), network.shut("this test"):
        1 / 0  # noqa: B018
    socket.create_connection(("127.0.0.1", port)).close()
