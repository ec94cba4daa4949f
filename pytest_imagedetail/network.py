"""Refuse connections and name lookups of this process while replaying.

An audit hook sees every Python socket, whichever library uses it. libcurl opens its own sockets, so
its Python modules are patched.
"""

import functools
import importlib
import ipaddress
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Never
from urllib.parse import urlsplit

from pytest_imagedetail.errors import ImageDetailError, NetworkShutError

_REVERSE_LOOKUPS: Final = frozenset({"socket.gethostbyaddr", "socket.getnameinfo"})
_LOOKUPS: Final = _REVERSE_LOOKUPS | {"socket.getaddrinfo", "socket.gethostbyname"}
_SENDS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})
_PORTS: Final = {"http": 80, "https": 443}
_DESCRIPTORS: Final = Path("/dev/fd")  # on every POSIX system
_CURL_METHODS: Final = ("perform", "perform_rb", "perform_rs", "socket_action", "socket_all")
_EFFECTIVE_URL: Final = 0x100000 + 1  # CURLINFO_EFFECTIVE_URL of libcurl's curl.h


Place = tuple[str, int | None]
"""A host in lower case and a port. None allows every port; in a URL, it is an unknown port."""


@contextmanager
def shut(
    what: str, *, remedy: str, refused: list[ImageDetailError], allowed: Collection[Place] = ()
) -> Iterator[None]:
    """Refuse every connection and name lookup of this process while the block runs.

    The errors are also added to `refused`, because a client may swallow them. Unix sockets, this
    process's own loopback servers and the `allowed` hosts stay reachable. Blocks can be nested; the
    innermost one raises `NetworkShutError` in the code that tries to connect.
    """
    hook, block = _hook(), _Block(what=what, remedy=remedy, refused=refused, allowed=allowed)
    with ExitStack() as stack:
        if not hook.blocks:
            stack.enter_context(on_libcurl_request(hook.check_libcurl))
        hook.blocks = (*hook.blocks, block)
        try:
            yield
        finally:
            hook.blocks = tuple(each for each in hook.blocks if each is not block)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    what: str
    remedy: str
    refused: list[ImageDetailError]
    allowed: Collection[Place]

    def refuse(self, target: str, place: Place | None = None) -> Never:
        """Raise for a target; if it is on this machine, say how to allow it."""
        remedy = self.remedy
        if place is not None and _is_loopback(place[0]):
            option = f"--imagedetail-allow-host {_written(place)}"
            remedy += f"\nfor a database or another local service: {option}"
        problem = f"something tried to reach {target} while the network is shut"
        error = NetworkShutError(problem, where=self.what, remedy=remedy)
        error.thread = threading.get_ident()
        self.refused.append(error)
        raise error


class _Hook:
    """An audit hook that does nothing without blocks, because Python cannot remove one."""

    def __init__(self) -> None:
        self.blocks: tuple[_Block, ...] = ()
        sys.addaudithook(self._audit)

    def check_libcurl(self, url: str) -> None:
        place, block = place_of(url), self.blocks[-1]
        if not is_allowed(place, block.allowed):
            block.refuse(f"{url or 'a server'} with libcurl", place)

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        blocks = self.blocks
        if not blocks:
            return
        block = blocks[-1]
        if event in _LOOKUPS:
            name = _looked_up(event, args[0])
            if name is not None and name.lower() not in {host for host, _ in block.allowed}:
                block.refuse(f"the name server for {name}")
        elif event in _SENDS:
            place = _foreign_address(args[0], args[1])
            if place is not None and not is_allowed(place, block.allowed):
                if event == "socket.connect":
                    args[0].close()  # clients only close it after an OSError
                block.refuse(_written(place), place)


@functools.cache
def _hook() -> _Hook:
    return _Hook()


def _looked_up(event: str, host: Any) -> str | None:
    """Return the name for a name server; None if the system resolves it itself."""
    if isinstance(host, tuple):  # from getnameinfo
        host = host[0]
    name = host.decode("utf-8", "replace") if isinstance(host, bytes | bytearray) else str(host)
    local = {"", "localhost", socket.gethostname().lower()}
    if host is None or name.lower().rstrip(".") in local or name.lower().endswith(".localhost"):
        return None
    is_known = _is_loopback(name) if event in _REVERSE_LOOKUPS else _address(name)
    return None if is_known else name


def _foreign_address(sock: Any, address: Any) -> Place | None:
    """Return the destination of a socket; None if that is this process."""
    if sock.family not in _INTERNET or not isinstance(address, tuple):
        return None  # the address is None for a connected socket
    host, port = str(address[0]), address[1]
    if _is_loopback(host) and any(_serves(own, host, port, sock.type) for own in _sockets()):
        return None
    return host, port


def is_allowed(place: Place, allowed: Iterable[Place]) -> bool:
    """Return whether a host is one of `allowed`, by its name or its address."""
    host, port = place
    names = {name for name, only in allowed if only in {None, port}}
    return host.lower() in names or any(host in _addresses_of(name) for name in names)


def place_of(url: str) -> Place:
    """Return the host of a URL, and its port if it has one or its scheme implies one."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _written(place: Place) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _addresses_of(name: str) -> set[str]:
    with suppress(OSError):
        return {str(address[4][0]) for address in socket.getaddrinfo(name, None)}
    return set()


def _is_loopback(host: str) -> bool:
    address = _address(host)
    if address is None:
        return host.lower() in {"", "localhost"}
    return address.is_loopback or address.is_unspecified


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    with suppress(ValueError):
        address = ipaddress.ip_address(host.partition("%")[0])
        return getattr(address, "ipv4_mapped", None) or address
    return None


def listeners() -> frozenset[int]:
    """Return the inodes of this process's listening sockets."""
    return frozenset(_inode(sock) for sock in _sockets() if _listens(sock))


def is_opened_since(url: str, before: Container[int]) -> bool:
    """Return whether a URL is for a loopback server of this process that is not in `before`."""
    host, port = place_of(url)
    return _is_loopback(host) and any(
        _serves(sock, host, port, socket.SOCK_STREAM) and _inode(sock) not in before
        for sock in _sockets()
    )


def _serves(sock: socket.SocketType, host: str, port: Any, kind: int) -> bool:
    if sock.family not in _INTERNET or sock.type != kind:
        return False
    bound, bound_port = sock.getsockname()[:2]
    if bound_port != port or not (kind == socket.SOCK_DGRAM or _listens(sock)):
        return False
    addresses = (_address(bound), _address(host))
    is_any = any(address is None or address.is_unspecified for address in addresses)
    return is_any or addresses[0] == addresses[1]


def _listens(sock: socket.SocketType) -> bool:
    with suppress(OSError):
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    return False


def _inode(sock: socket.SocketType) -> int:
    return os.fstat(sock.fileno()).st_ino


def _sockets() -> Iterator[socket.SocketType]:
    """Yield duplicates of this process's sockets, whichever library opened them."""
    names = os.listdir(_DESCRIPTORS) if _DESCRIPTORS.exists() else []  # noqa: PTH208  iterdir keeps it open
    for name in names:
        with suppress(OSError):  # closed meanwhile
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                # Not `socket.socket`, which pytest-socket replaces.
                with closing(socket.SocketType(fileno=os.dup(int(name)))) as duplicate:
                    yield duplicate


@contextmanager
def on_libcurl_request(callback: Callable[[str], object]) -> Iterator[None]:
    """Call `callback(url)` before each libcurl request; its errors are raised in the client.

    The URL has no user info and no query.
    """
    with ExitStack() as stack:
        if (curl_cffi := _module("curl_cffi")) is not None:
            for owner, name in ((curl_cffi.Curl, "perform"), (curl_cffi.AsyncCurl, "add_handle")):
                method = getattr(owner, name)
                stack.callback(setattr, owner, name, method)
                setattr(owner, name, _call_first(callback, method))
        watching = functools.cache(functools.partial(_watching_class, callback))
        for namespace, name in _curl_references(len(sys.modules)):
            stack.callback(namespace.__setitem__, name, namespace[name])
            namespace[name] = watching(namespace[name])
        yield


@functools.lru_cache(maxsize=1)
def _curl_references(_modules: int) -> tuple[tuple[dict[str, Any], str], ...]:
    """Return the module dictionaries that have a class of pycurl, each with the class's name there.

    Any module may have imported it under any name. Searching all modules is slow, so the result is
    cached until another module is imported.
    """
    # pytest-recording replaces pycurl with an object that has its own class.
    modules = (_module("pycurl"), sys.modules.get("pytest_recording.network"))
    names = ("Curl", "CurlMulti")
    classes = {id(getattr(module, name, None)) for module in modules for name in names}
    classes.discard(id(None))
    if not classes:
        return ()
    namespaces = (getattr(module, "__dict__", {}) for module in list(sys.modules.values()))
    unique = {id(namespace): namespace for namespace in namespaces}  # modules may share one
    return tuple(
        (namespace, name)
        for namespace in unique.values()
        for name, value in list(namespace.items())
        if id(value) in classes
    )


@functools.cache
def _module(name: str) -> Any:
    """Import a module if it is installed, because a test may import it later."""
    with suppress(ImportError):
        return importlib.import_module(name)
    return None


def _call_first(callback: Callable[[str], object], method: Any) -> Any:
    @functools.wraps(method)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        callback(next(filter(None, map(_url_of, args)), ""))
        return method(*args, **kwargs)

    return wrapper


def _watching_class(callback: Callable[[str], object], original: Any) -> Any:
    """Derive a class, because methods of C types cannot be patched."""

    class Watched(original):  # type: ignore[misc]
        # Not overridden methods: pytest-recording's class forwards every attribute to a handle.
        def __getattribute__(self, name: str) -> Any:
            if name in _CURL_METHODS:
                callback(_url_of(self))
            return super().__getattribute__(name)

    return Watched


def _url_of(handle: Any) -> str:
    """Return a handle's URL without secrets; "" for anything else."""
    if not hasattr(handle, "getinfo"):
        return ""
    url = handle.getinfo(_EFFECTIVE_URL)
    parts = urlsplit(url.decode("utf-8", "replace") if isinstance(url, bytes) else str(url))
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host, query="", fragment="").geturl()
