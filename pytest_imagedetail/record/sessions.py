"""The way to each cloud, opened once in a run and shared by everyone who asks it."""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.transport.http import Access

Connect = Callable[[str], Access]
"""From the name of a cloud in clouds.yaml to a way to it."""


class CloudSessions:
    """Opens each cloud once. One that stays shut is not tried again, and a new token is kept.

    Threads may share it.

    Args:
        connect: Authenticates; called with a name of clouds.yaml.

    Attributes:
        confirmed: The release of each cloud that the release guard let pass in this run; the key
            also says whether a recording was to be added.
    """

    def __init__(self, connect: Connect) -> None:
        self.confirmed: Final[dict[tuple[str, bool], str | None]] = {}
        self._connect: Final = connect
        self._open: Final[dict[str, Access]] = {}
        self._shut: Final[dict[str, CredentialsError]] = {}
        self._passed: Final[list[tuple[str, Access]]] = []
        self._lock: Final = threading.RLock()

    def __repr__(self) -> str:
        return f"<CloudSessions of {len(self._open)} clouds>"

    def access(self, os_cloud: str) -> Access:
        """The way to a cloud, with the newest token.

        Raises:
            CredentialsError: There is none; the same error for everyone who asks.
        """
        with self._lock:
            if os_cloud in self._shut:
                raise self._shut[os_cloud].with_traceback(None)
            if os_cloud not in self._open:
                try:
                    return self._enter(os_cloud, self._connect(os_cloud))
                except CredentialsError as error:
                    self._shut[os_cloud] = error
                    raise
            return self._open[os_cloud]

    def accesses(self, os_cloud: str | None = None) -> tuple[Access, ...]:
        """Every way that was opened, to one cloud or to all, those with expired tokens too."""
        return tuple(way for name, way in self._passed if os_cloud in {None, name})

    def _enter(self, os_cloud: str, access: Access) -> Access:
        if access.renew is not None:
            access = replace(access, renew=partial(self._renew, os_cloud, access))
        self._open[os_cloud] = access
        self._passed.append((os_cloud, access))
        return access

    def _renew(self, os_cloud: str, expired: Access) -> Access:
        """A new token; where another thread was faster, the one that it got."""
        with self._lock:
            newest = self._open[os_cloud]
            if newest.token != expired.token:
                return newest
            assert expired.renew is not None  # noqa: S101  else nobody could call this
            new = expired.renew()
            if (new.endpoint, new.project_id) != (expired.endpoint, expired.project_id):
                return new  # refused by whoever asked; the next recording finds the old way
            return self._enter(os_cloud, new)
