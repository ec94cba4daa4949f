"""While the network is shut, nothing connects and no name is looked up."""

import _socket
import asyncio
import socket
import subprocess
import sys
import threading
import types
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest

from pytest_imagedetail import network
from pytest_imagedetail.errors import NetworkShutError

ALLOW = "--imagedetail-allow-host"
LISTENER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def port():
    command = [sys.executable, "-c", LISTENER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        yield int(other.stdout.readline())
        other.stdin.close()


def shut(what="this test", refused=None, allowed=()):
    refused = [] if refused is None else refused
    return network.shut(what, remedy="record it", refused=refused, allowed=allowed)


def test_no_connection_is_made(port):
    """Not even to another process on this machine. The attempts are collected."""
    host = "127.0.0.1"
    refusals, refused = [], []
    raw = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # past the module `socket`
    with shut(refused=refused), ThreadPoolExecutor(1) as pool, socket.socket() as bare:
        for reach in (
            lambda: socket.create_connection((host, port)),
            lambda: bare.connect_ex((host, port)),
            lambda: raw.connect((host, port)),
            lambda: urllib.request.urlopen(f"http://{host}:{port}/"),
            lambda: asyncio.run(asyncio.open_connection(host, port)),
            lambda: pool.submit(socket.create_connection, (host, port)).result(),
        ):
            with pytest.raises(NetworkShutError) as caught:
                reach()
            refusals.append(caught.value)
    raw.close()
    (message,) = {str(each) for each in refusals}
    assert message == (
        f"something tried to reach 127.0.0.1:{port} while the network is shut\n"
        "  where: this test\n"
        "  next:  record it\n"
        f"  next:  for a database or another local service: {ALLOW} 127.0.0.1:{port}"
    )
    assert refused == refusals
    assert refusals[0].thread == threading.get_ident() != refusals[-1].thread


def test_allowed_hosts(port):
    """A host is allowed by its name or its address, on one port or on any."""
    address = ("127.0.0.1", port)
    for allowed in (("127.0.0.1", port), ("localhost", port), ("localhost", None)):
        with shut(allowed=[("::1", 1), allowed]):
            socket.create_connection(address).close()
            with pytest.raises(NetworkShutError, match=r"192\.0\.2\.1:80"):
                socket.create_connection(("192.0.2.1", 80))
    for allowed in (("127.0.0.1", port + 1), ("192.0.2.1", port)):
        with shut(allowed=[allowed]), pytest.raises(NetworkShutError):
            socket.create_connection(address)
    with shut(allowed=[("db.example.com", 5432)]), pytest.raises(socket.gaierror):
        socket.getaddrinfo("db.example.com", 5432)


def test_no_name_is_looked_up():
    """Names of this machine and addresses need no name server."""
    with shut():
        for look_up in (
            lambda: socket.getaddrinfo("cloud.example.com", 443),
            lambda: socket.gethostbyname("cloud.example.com"),
            lambda: socket.gethostbyaddr("192.0.2.1"),
            lambda: socket.getnameinfo(("192.0.2.1", 80), 0),
            lambda: asyncio.run(asyncio.open_connection("cloud.example.com", 443)),
        ):
            with pytest.raises(NetworkShutError, match="the name server for"):
                look_up()
        for name in (None, "", "LOCALHOST.", "192.0.2.1", "::1"):
            with suppress(socket.gaierror):  # the system's own answer
                socket.getaddrinfo(name, 443)


def test_blocks_can_be_nested(port):
    """The innermost one raises. The network opens after the outermost, even after an error."""
    reach = partial(socket.create_connection, ("127.0.0.1", port))
    with suppress(ZeroDivisionError), shut("outer"):
        with shut("inner"), pytest.raises(NetworkShutError, match="inner"):
            reach()
        with pytest.raises(NetworkShutError, match="outer"):
            reach()
        1 / 0  # noqa: B018
    reach().close()


def test_a_server_of_this_process_is_reached(port):
    """At its own address only, in any spelling of loopback."""
    own, other = socket.create_server(("127.0.0.1", 0)), socket.socket()
    everywhere = socket.create_server(("", 0))
    with own, other, everywhere, shut():
        for host in ("127.0.0.1", "localhost", "::ffff:127.0.0.1"):
            socket.create_connection((host, own.getsockname()[1])).close()
        socket.create_connection(("127.0.0.1", everywhere.getsockname()[1])).close()
        for pair in socket.socketpair():
            pair.close()
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "::1", "0.0.0.0", "127.1", "2130706433"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            with socket.socket(family) as bare, pytest.raises(NetworkShutError):
                bare.connect((host, port))
        other.bind(("127.0.0.2", port))
        other.listen()
        socket.create_connection(("127.0.0.2", port)).close()
        with pytest.raises(NetworkShutError, match=f":{port} while"):
            socket.create_connection(("127.0.0.1", port))


def test_datagrams_are_refused():
    """Unless they go to this process."""
    own, bare = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    with own, bare, shut():
        own.bind(("127.0.0.1", 0))
        place = own.getsockname()
        bare.sendto(b"x", place)
        assert own.recv(1) == b"x"
        own.close()
        for send in (
            lambda: bare.sendto(b"x", place),
            lambda: bare.sendmsg([b"x"], [], 0, place),
            lambda: bare.sendto(b"x", ("192.0.2.1", 53)),
        ):
            with pytest.raises(NetworkShutError):
                send()


def test_libcurl_is_refused(port, monkeypatch):
    """The URL is shown without secrets. It does not matter when a module imported the class."""
    pycurl = pytest.importorskip("pycurl", reason="pycurl is not installed")
    client = types.SimpleNamespace(Handle=pycurl.Curl)
    monkeypatch.setitem(sys.modules, "client", client)
    with shut():
        asked = client.Handle()
        asked.setopt(asked.URL, f"http://me:a-password@127.0.0.1:{port}/images?token=t")
        with pytest.raises(NetworkShutError, match=f"reach http://127.0.0.1:{port}/images with"):
            asked.perform()
        with pytest.raises(NetworkShutError, match="a server with libcurl"):
            pycurl.CurlMulti().perform()
    assert pycurl.Curl is client.Handle
