"""Shuts the network for a while: no client of this process connects and no name is looked up.

An audit hook sees what every socket of Python does, whoever made it. The C libraries that open
sockets of their own (libcurl) are stopped at the door of their Python modules.
"""

import functools
import importlib
import importlib.util
import ipaddress
import operator
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Never
from unittest import mock
from urllib.parse import urlsplit

from pytest_imagedetail.errors import NetworkShutError

_REMEDY: Final = "what is replayed comes from cassettes alone; record what is missing first"
_PROBLEM: Final = "something tried to reach {target} while the network is shut"
_LOOKUPS: Final = frozenset(
    {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
)
_SENDS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_LOCAL: Final = frozenset(  # families that lead no further than this machine
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK") if hasattr(socket, name)
)
_SPEAKS: Final = frozenset({"perform", "perform_rb", "perform_rs", "socket_action", "socket_all"})
_EFFECTIVE_URL: Final = 0x100000 + 1  # as libcurl numbers it; each binding has its own name for it
_PORTS: Final = {"http": 80, "https": 443}
_DESCRIPTORS: Final = Path("/dev/fd")  # on every POSIX system


@dataclass(slots=True, eq=False)
class Shut:
    """A network that is shut, and who tried to reach it meanwhile.

    Attributes:
        what: Who wants it shut, for the message.
        remedy: What to do about a refusal, one line for each way out.
        refused: Every refusal: a client may wrap one, or swallow it.
    """

    what: str
    remedy: str
    refused: list[Any] = field(default_factory=list)

    def refuse(self, target: str) -> Never:
        """Raise what says that `target` cannot be reached."""
        error = NetworkShutError(
            _PROBLEM.format(target=target), where=self.what, remedy=self.remedy
        )
        error.thread = threading.get_ident()
        self.refused.append(error)
        raise error


@contextmanager
def shut(what: str, *, remedy: str = _REMEDY, refused: list[Any] | None = None) -> Iterator[Shut]:
    """Refuse every connection and every name lookup while the block runs.

    A server on loopback that this process opened itself can be reached, and so can a Unix socket.
    Blocks may lie in each other; the innermost speaks.

    Args:
        what: Who wants it shut, for the message.
        remedy: What to do about a refusal, one line for each way out.
        refused: Where refusals are noted, if someone wants them.

    Raises:
        NetworkShutError: From whatever tries, inside the block.
    """
    gate = _gate()
    one = Shut(what, remedy, [] if refused is None else refused)
    with ExitStack() as stack:
        if not gate.is_shut:
            stack.enter_context(on_libcurl_request(gate.refuse_libcurl))
        stack.enter_context(gate.shut_by(one))
        yield one


class _Gate:
    """What the audit hook asks: an audit hook can never be removed, so it must be able to rest."""

    def __init__(self) -> None:
        self._shut: tuple[Shut, ...] = ()
        self._busy = threading.local()
        self.holders: Final = _Holders()
        sys.addaudithook(self._audit)

    @property
    def is_shut(self) -> bool:
        return bool(self._shut)

    @contextmanager
    def shut_by(self, one: Shut) -> Iterator[None]:
        self._shut = (*self._shut, one)
        try:
            yield
        finally:
            self._shut = tuple(each for each in self._shut if each is not one)

    def refuse_libcurl(self, url: str) -> Never:
        self._shut[-1].refuse(f"{url or 'a server'} with libcurl")

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._shut or not event.startswith("socket."):
            return
        if getattr(self._busy, "is", False):
            return  # looking for this process's own listeners makes events itself
        if event in _LOOKUPS:
            target = _name_to_look_up(event, arguments)
        elif event in _SENDS:
            target = self._address(arguments[0], arguments[1])
        else:
            return
        if target is not None and self._shut:
            if event == "socket.connect":
                arguments[0].close()  # clients close theirs for an OSError only
            self._shut[-1].refuse(target)

    def _address(self, sock: Any, address: Any) -> str | None:
        """Where a socket is about to send, if that is out of this process."""
        if sock.family in _LOCAL or not isinstance(address, tuple):
            return None  # not a network, or connected already
        if sock.family not in _INTERNET:
            return f"a network past the Internet's protocols ({sock.family!s})"
        host, port = str(address[0]), address[1]
        if _is_loopback(host):
            self._busy.__dict__["is"] = True
            try:
                if _is_own(host, port, sock.type):
                    return None
            finally:
                self._busy.__dict__["is"] = False
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_GATES: Final[list[_Gate]] = []


def _gate() -> _Gate:
    """The one gate of this process, made when the network is first shut."""
    if not _GATES:
        _GATES.append(_Gate())
    return _GATES[0]


def _name_to_look_up(event: str, arguments: tuple[Any, ...]) -> str | None:
    """The name that only a name server could resolve; None for an address and for this machine."""
    host = arguments[0][0] if event == "socket.getnameinfo" else arguments[0]
    if host is None:
        return None
    name = host.decode("utf-8", "replace") if isinstance(host, bytes | bytearray) else str(host)
    is_here = name.lower().rstrip(".") in {"", "localhost", socket.gethostname().lower()}
    if is_here or name.lower().endswith(".localhost"):
        return None
    with suppress(ValueError):
        address = ipaddress.ip_address(name.partition("%")[0])
        backwards = event in {"socket.gethostbyaddr", "socket.getnameinfo"}
        if not backwards or address.is_loopback or address.is_unspecified:
            return None  # nothing is looked up
    return f"the name server for {name}"


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host.lower() == "localhost" or host == ""
    return address.is_loopback or address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address that is spelled as one; that of IPv4 in IPv6 is of IPv4."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_own(host: str, port: Any, kind: int) -> bool:
    """Whether a socket of this process serves a port: a listening one, or one for datagrams."""
    return any(_serves(each, host, port, kind) for each in _sockets())


def listeners() -> frozenset[int]:
    """The sockets of this process that listen by now, by the numbers of their files."""
    return frozenset(_number(each) for each in _sockets() if _listens(each))


def is_opened_since(url: str, before: Container[int]) -> bool:
    """Whether a URL leads to a server on loopback that this process has opened meanwhile.

    Args:
        url: Of a request.
        before: What `listeners` told then.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme)
    return _is_loopback(host) and any(
        _serves(each, host, port, socket.SOCK_STREAM) and _number(each) not in before
        for each in _sockets()
    )


def _number(sock: socket.socket) -> int:
    return os.fstat(sock.fileno()).st_ino


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _serves(sock: socket.socket, host: str, port: Any, kind: int) -> bool:
    try:
        if sock.family not in _INTERNET or sock.type != kind:
            return False
        name, bound = sock.getsockname()[:2]
    except OSError:
        return False
    return bound == port and _is_at(name, host) and (_listens(sock) or kind == socket.SOCK_DGRAM)


def _is_at(name: str, host: str) -> bool:
    """Whether a socket that is bound to a name is the one that a host's port leads to."""
    own, wanted = _address(name), _address(host)
    if own is None or wanted is None or own.is_unspecified or wanted.is_unspecified:
        return True
    return own == wanted


def _sockets() -> Iterator[socket.socket]:
    """The sockets of this process, whichever library made them."""
    if not _DESCRIPTORS.exists():
        return
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  Path.iterdir would keep it open
        with suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as one:
                yield one


@contextmanager
def on_libcurl_request(told: Callable[[str], object]) -> Iterator[None]:
    """Have it told whenever libcurl is about to speak, while the block runs.

    Args:
        told: Called before each request, with what is known of its URL; what it raises is raised
            to who asks.
    """
    with ExitStack() as stack:
        if _load("pycurl"):
            stack.enter_context(_pycurl_told(told))
        if _load("curl_cffi"):
            for owner, name in (("Curl", "perform"), ("AsyncCurl", "add_handle")):
                target = getattr(sys.modules["curl_cffi"], owner)
                telling = _telling(getattr(target, name), told)
                stack.enter_context(mock.patch.object(target, name, telling))
        yield


@contextmanager
def _pycurl_told(told: Callable[[str], object]) -> Iterator[None]:
    """Replace pycurl's classes wherever a module holds them: `from pycurl import Curl` is a name.

    Other plugins put classes of theirs before pycurl's own, which are in `pycurl._pycurl`.
    """
    modules = map(sys.modules.get, ("pycurl", "pycurl._pycurl"))
    found = [getattr(each, name, None) for each in modules for name in ("Curl", "CurlMulti")]
    originals = tuple(dict.fromkeys(each for each in found if each is not None))
    telling = {original: _telling_class(original, told) for original in originals}
    held = _gate().holders.of(originals)
    for names, name, original in held:
        names[name] = telling[original]
    try:
        yield
    finally:
        for names, name, original in held:
            if names.get(name) is telling[original]:
                names[name] = original


class _Holders:
    """Finds the names under which modules hold classes; again only after an import."""

    def __init__(self) -> None:
        self._classes: tuple[Any, ...] = ()
        self._modules: list[Any] = []
        self._found: list[tuple[dict[str, Any], str, Any]] = []

    def of(self, classes: tuple[Any, ...]) -> list[tuple[dict[str, Any], str, Any]]:
        """Return each name with the dictionary that has it, and the class."""
        modules = list(sys.modules.values())
        is_known = classes == self._classes and len(modules) == len(self._modules)
        if not is_known or not all(map(operator.is_, modules, self._modules)):
            self._classes, self._modules = classes, modules
            wanted = set(map(id, classes))
            self._found = [
                (names, name, value)
                for names in (getattr(each, "__dict__", {}) for each in modules)
                for name, value in list(names.items())
                if id(value) in wanted
            ]
        return [each for each in self._found if each[0].get(each[1]) is each[2]]


def _load(name: str) -> bool:
    """Whether a module is there; loaded now, for a test that imports it later must be stopped."""
    if name not in sys.modules and _is_installed(name):
        importlib.import_module(name)
    return name in sys.modules


@functools.cache
def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _telling(speak: Any, told: Callable[[str], object], handle: Any = None) -> Any:
    """A function or method that tells before it speaks.

    Args:
        speak: Speaks for a handle of libcurl.
        told: Who is told.
        handle: The handle, for a method that is bound; else the first that it is called with.
    """

    @functools.wraps(speak)
    def telling(*arguments: Any, **named: Any) -> Any:
        told(_url_of(arguments if handle is None else (handle,)))
        return speak(*arguments, **named)

    return telling


def _url_of(handles: Iterable[Any]) -> str:
    """Where a handle is about to go, without what may be secret in it."""
    for handle in handles:
        if not hasattr(handle, "getinfo"):  # one for several transfers
            continue
        found = handle.getinfo(_EFFECTIVE_URL)
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host, query="", fragment="").geturl()
    return ""


def _telling_class(original: Any, told: Callable[[str], object]) -> Any:
    """A class like pycurl's that tells before it speaks; it is set up and closed as before."""

    class Telling(original):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            # Not methods: a class that stands before pycurl's may look up its own.
            found = super().__getattribute__(name)
            return _telling(found, told, self) if name in _SPEAKS else found

    Telling.__name__ = Telling.__qualname__ = original.__name__
    return Telling
