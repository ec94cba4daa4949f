"""The network, shut: nothing of Python connects, nothing is looked up, and it opens again."""

import _socket
import asyncio
import http.client
import http.server
import socket
import subprocess
import sys
import urllib.request

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.errors import NetworkShutError

LISTENER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def port():
    """A port on loopback where another process listens."""
    command = [sys.executable, "-c", LISTENER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        yield int(other.stdout.readline())
        other.stdin.close()


@pytest.fixture
def own_port():
    """A port on loopback where this process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def connect(port, method):
    """Connect a bare socket, and close it whatever happens."""
    with socket.socket() as bare:
        getattr(bare, method)(("127.0.0.1", port))


def raw(port):
    """Connect past the module `socket`."""
    bare = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bare.connect(("127.0.0.1", port))
    finally:
        bare.close()


def curl(port):
    """Ask with libcurl, which has sockets of its own."""
    pycurl = pytest.importorskip("pycurl", reason="pycurl is not installed")
    asked = pycurl.Curl()
    asked.setopt(asked.URL, f"http://127.0.0.1:{port}/")
    asked.perform()


@pytest.mark.parametrize(
    "reach",
    [
        lambda port: socket.create_connection(("127.0.0.1", port)),
        lambda port: connect(port, "connect"),
        lambda port: connect(port, "connect_ex"),
        raw,
        lambda port: http.client.HTTPConnection("127.0.0.1", port).request("GET", "/"),
        lambda port: urllib.request.urlopen(f"http://127.0.0.1:{port}/"),
        lambda port: asyncio.run(asyncio.open_connection("127.0.0.1", port)),
    ],
    ids=["create_connection", "connect", "connect_ex", "raw", "http", "urllib", "asyncio"],
)
def test_nothing_gets_through(reach, port):
    """Every way of Python's own to a server of another process is refused, on loopback too."""
    with network.shut("this test") as shut, pytest.raises(NetworkShutError) as caught:
        reach(port)
    assert str(caught.value) == (
        f"something tried to reach 127.0.0.1:{port} while the network is shut\n"
        "  where: this test\n"
        "  next:  what is replayed comes from cassettes alone; record what is missing first"
    )
    assert shut.refused == [caught.value]


def test_libcurl_is_stopped_at_its_door(port):
    """What asks no socket of Python is refused before it begins."""
    with network.shut("this test"), pytest.raises(NetworkShutError, match="with libcurl"):
        curl(port)


@pytest.mark.parametrize(
    "look_up",
    [
        lambda: socket.getaddrinfo("cloud.example.com", 443),
        lambda: socket.gethostbyname("cloud.example.com"),
        lambda: socket.gethostbyaddr("192.0.2.1"),
        lambda: asyncio.run(asyncio.open_connection("cloud.example.com", 443)),
    ],
    ids=["getaddrinfo", "gethostbyname", "gethostbyaddr", "asyncio"],
)
def test_no_name_is_looked_up(look_up):
    """A name server is a network, too."""
    with network.shut("this test"), pytest.raises(NetworkShutError, match="the name server for"):
        look_up()


def test_datagrams_are_refused():
    """A datagram needs no connection to leave."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bare,
        network.shut("this test"),
        pytest.raises(NetworkShutError, match=r"192\.0\.2\.1:53"),
    ):
        bare.sendto(b"x", ("192.0.2.1", 53))


def test_a_server_of_this_process_is_reached(own_port):
    """What a test opened itself, before or during the block, is no network."""
    with network.shut("this test"):
        socket.create_connection(("127.0.0.1", own_port)).close()
        socket.create_connection(("localhost", own_port)).close()
        with http.server.HTTPServer(("", 0), http.server.BaseHTTPRequestHandler) as server:
            socket.create_connection(("127.0.0.1", server.server_port)).close()
        for pair in socket.socketpair():
            pair.close()


def test_it_opens_again(port):
    """After the block, and after an error in it, connections work as before."""
    with pytest.raises(ZeroDivisionError), network.shut("this test"):
        1 / 0  # noqa: B018
    socket.create_connection(("127.0.0.1", port)).close()
