"""Authenticate with each cloud once in a run."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.transport.http import Access

Connect = Callable[[str], Access]
"""Authenticates with a cloud, by its name in clouds.yaml."""


class CloudSessions:
    """Access to each cloud, shared by all tests and threads of a run.

    A failed login is not repeated: a wrong password that is sent for every test locks accounts.

    Args:
        connect: Authenticates with a cloud, by its name in clouds.yaml.

    Attributes:
        confirmed: The releases of clouds that the release guard accepted in this run, by name and
            whether a recording was to be added.
    """

    def __init__(self, connect: Connect) -> None:
        self.confirmed: Final[dict[tuple[str, bool], str | None]] = {}
        self._connect: Final = connect
        self._newest: Final[dict[str, Access]] = {}
        self._failed: Final[dict[str, CredentialsError]] = {}
        self._used: Final[list[tuple[str, Access]]] = []
        self._lock: Final = threading.RLock()

    def access(self, os_cloud: str) -> Access:
        """Return the access to a cloud, with its newest token.

        Raises:
            CredentialsError: Authentication failed; the same error for every caller.
        """
        with self._lock:
            if os_cloud in self._failed:
                raise self._failed[os_cloud].with_traceback(None)
            if os_cloud not in self._newest:
                try:
                    return self._add(os_cloud, self._connect(os_cloud))
                except CredentialsError as error:
                    self._failed[os_cloud] = error
                    raise
            return self._newest[os_cloud]

    def accesses(self, os_cloud: str | None = None) -> tuple[Access, ...]:
        """Return every access of one cloud or of all, also those with expired tokens."""
        return tuple(access for name, access in self._used if os_cloud in {None, name})

    def _add(self, os_cloud: str, access: Access) -> Access:
        if access.renew is not None:
            access = replace(access, renew=partial(self._renew, os_cloud, access))
        self._newest[os_cloud] = access
        self._used.append((os_cloud, access))
        return access

    def _renew(self, os_cloud: str, expired: Access) -> Access:
        with self._lock:
            newest = self._newest[os_cloud]
            if newest.token != expired.token:
                return newest  # another thread renewed it meanwhile
            assert expired.renew is not None  # noqa: S101  checked by _add
            new = expired.renew()
            if (new.endpoint, new.project_id) != (expired.endpoint, expired.project_id):
                return new  # the caller refuses it, so it is not kept
            return self._add(os_cloud, new)
