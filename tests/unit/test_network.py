"""The network, shut: nothing of Python connects, nothing is looked up, and it opens again."""

import _socket
import asyncio
import http.client
import http.server
import os
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor

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


def test_the_port_of_a_server_of_this_process_is_its_own_at_its_address_only(port):
    """A server at another address of this machine opens no way to one of another process."""
    with socket.socket() as bare, network.shut("this test"):
        bare.bind(("127.0.0.2", port))
        bare.listen()
        socket.create_connection(("127.0.0.2", port)).close()
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "::1"):
            with pytest.raises(NetworkShutError, match=f":{port} while"):
                socket.create_connection((host, port))


@pytest.mark.parametrize("host", ["::ffff:127.0.0.1", "0.0.0.0", "127.1", "2130706433"])
def test_no_spelling_of_this_machine_gets_through(port, host):
    """An address of another process on this machine is one however it is spelled."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.socket(family) as bare,
        network.shut("this test"),
        pytest.raises(NetworkShutError),
    ):
        bare.connect((host, port))


def test_no_thread_gets_through(port):
    """Whoever tries, on whatever thread, and the refusal is noted."""
    with network.shut("this test") as shut, ThreadPoolExecutor(1) as pool:
        for tried in (
            lambda: socket.create_connection(("127.0.0.1", port)),
            lambda: socket.getaddrinfo("cloud.example.com", 443),
        ):
            with pytest.raises(NetworkShutError):
                pool.submit(tried).result()
    assert len(shut.refused) == 2


@pytest.mark.filterwarnings("ignore:This process.+fork:DeprecationWarning")
def test_no_forked_process_gets_through(port):
    """What a test forks is shut in with it."""
    reader, writer = os.pipe()
    with network.shut("this test"):
        child = os.fork()
        if child == 0:
            try:
                socket.create_connection(("127.0.0.1", port))
                os.write(writer, b"through")
            except NetworkShutError:
                os.write(writer, b"refused")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
    assert os.read(reader, 10) == b"refused"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("send", ["sendto", "sendmsg"])
def test_datagrams_to_another_process_are_refused(send):
    """On loopback, too; one to this process arrives."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bare,
        network.shut("this test"),
    ):
        own.bind(("127.0.0.1", 0))
        bare.sendto(b"x", own.getsockname())
        assert own.recv(1) == b"x"
        place = own.getsockname()
        own.close()
        with pytest.raises(NetworkShutError):
            bare.sendto(b"x", place) if send == "sendto" else bare.sendmsg([b"x"], [], 0, place)


@pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="frames are Linux's")
def test_frames_below_the_internet_are_refused():
    """A program that may write whole frames needs no address."""
    try:
        bare = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    except PermissionError:
        pytest.skip("only a privileged process may open such a socket")
    with bare, network.shut("this test"), pytest.raises(NetworkShutError, match="protocols"):
        bare.sendto(b"x" * 20, ("lo", 0))


def test_libcurl_is_named_with_where_it_goes_and_no_secret(port):
    """The URL as far as it may be shown."""
    pycurl = pytest.importorskip("pycurl", reason="pycurl is not installed")
    with network.shut("this test"):
        asked = pycurl.Curl()
        asked.setopt(asked.URL, f"http://me:a-password@127.0.0.1:{port}/images?token=a-token")
        with pytest.raises(NetworkShutError) as caught:
            asked.perform()
    assert caught.value.problem == (
        f"something tried to reach http://127.0.0.1:{port}/images with libcurl while the network "
        "is shut"
    )


def test_it_opens_again(port):
    """After the block, and after an error in it, connections work as before."""
    with pytest.raises(ZeroDivisionError), network.shut("this test"):
        1 / 0  # noqa: B018
    socket.create_connection(("127.0.0.1", port)).close()


def test_a_server_is_known_by_when_it_was_opened():
    """By each of its names on loopback; another process's and an older one are not meant."""
    with socket.create_server(("127.0.0.1", 0)) as old:
        before = network.listeners()
        with socket.create_server(("127.0.0.1", 0)) as new:
            port = new.getsockname()[1]
            for host in ("127.0.0.1", "localhost"):
                assert network.is_opened_since(f"http://{host}:{port}/x", before)
            assert not network.is_opened_since(f"http://nova.example:{port}/", before)
            assert not network.is_opened_since(f"http://127.0.0.1:{old.getsockname()[1]}/", before)
        assert not network.is_opened_since(f"http://127.0.0.1:{port}/", before)
        assert not network.is_opened_since("https://127.0.0.1/", before)
