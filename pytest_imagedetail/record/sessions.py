"""Authenticate with each cloud once in a run."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.transport.http import Access


class CloudSessions:
    """Access to each cloud, shared by all tests and threads of a run.

    A failed login is not repeated: sending a wrong password for every test locks accounts.
    """

    def __init__(self, connect: Callable[[str], Access]) -> None:
        # Releases that the release guard accepted, by cloud name and whether the run adds to it.
        self.confirmed: Final[dict[tuple[str, bool], str | None]] = {}
        self._connect: Final = connect
        self._used: Final[dict[str, list[Access]]] = {}  # the newest token last
        self._failed: Final[dict[str, CredentialsError]] = {}
        self._lock: Final = threading.RLock()

    def access(self, os_cloud: str) -> Access:
        """Return the access to a cloud, with its newest token; raise CredentialsError."""
        with self._lock:
            if os_cloud in self._failed:
                raise self._failed[os_cloud].with_traceback(None)
            if os_cloud in self._used:
                return self._used[os_cloud][-1]
            try:
                return self._add(os_cloud, self._connect(os_cloud))
            except CredentialsError as error:
                self._failed[os_cloud] = error
                raise

    def accesses(self, os_cloud: str | None = None) -> tuple[Access, ...]:
        """Return every access of one cloud or of all, including those with expired tokens."""
        with self._lock:
            used = [accesses for name, accesses in self._used.items() if os_cloud in {None, name}]
            return tuple(access for accesses in used for access in accesses)

    def _add(self, os_cloud: str, access: Access) -> Access:
        authenticate = access.renew

        def renew() -> Access:
            with self._lock:
                newest = self._used[os_cloud][-1]
                if authenticate is None or newest.token != access.token:
                    return newest  # another thread renewed it meanwhile
                return self._add(os_cloud, authenticate())

        shared = access if authenticate is None else replace(access, renew=renew)
        self._used.setdefault(os_cloud, []).append(shared)
        return shared
