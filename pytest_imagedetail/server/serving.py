"""Serve one recorded cloud, or several behind one Keystone."""

import secrets
import threading
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, Self

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import CassetteNotFoundError, ImageDetailError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.network import Place, place_of
from pytest_imagedetail.server.cloud import (
    IDENTITY,
    RecordedCloud,
    compute_entries,
    nothing_to_serve,
    recorded_cloud,
)
from pytest_imagedetail.server.http import Listener, OnError
from pytest_imagedetail.server.recording import Recorder
from pytest_imagedetail.settings import only, unknown_cloud
from pytest_imagedetail.traffic.keystone import REGION, Keystone, entries_of
from pytest_imagedetail.traffic.matching import key_of


class Server:
    """A recorded cloud on its own port, while the block runs.

    ::

        with Server(store, "nova-2026.2") as cloud:
            print(cloud.auth_url)

    Attributes:
        name: The cloud.
        auth_url: The URL of Keystone.
        token: The only token that is accepted; Keystone issues it for any password.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        port: int = 0,
        token: str | None = None,
        recorder: Recorder | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Start answering; recordings are read on the first request, or by `read`.

        For port 0, the system chooses one. A `recorder` records each unrecorded GET, which gets a
        fault without one. `on_error` is called with the error of each fault.
        """
        self._listener = Listener(f"cloud {name}", port=port, on_error=on_error)
        self.name: Final = name
        self.auth_url: Final = self._listener.base + IDENTITY
        self.token: Final = token or secrets.token_hex(16)
        self._store: Final = store
        self._recorder: Final = recorder
        self._lock: Final = threading.RLock()
        self._cloud: RecordedCloud | None = None
        self._listener.start(self._respond)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def read(self) -> RecordedCloud:
        """Return the recordings; raise CassetteError if there are none, or one is damaged."""
        with self._lock:
            if self._cloud is None:
                base, recorder = self._listener.base, self._recorder
                endpoint = None if recorder is None else recorder.endpoint(base)
                self._cloud = recorded_cloud(
                    self._store, self.name, base, token=self.token, endpoint=endpoint
                )
            return self._cloud

    @property
    def compute_url(self) -> str:
        """The compute endpoint; `/images/detail` goes after it."""
        return self.read().endpoints[0]

    @property
    def used(self) -> frozenset[Path]:
        """The cassettes that answered requests."""
        return frozenset() if self._cloud is None else frozenset(self._cloud.used)

    @property
    def clouds_yaml(self) -> dict[str, Any]:
        """The entry of this cloud in a clouds.yaml."""
        return {
            "auth": {
                "auth_url": self.auth_url,
                "username": "replayed",
                "password": "any-password-is-accepted",
                "project_name": "replayed",
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            },
            "region_name": REGION,
            "interface": "public",
        }

    def _respond(self, request: Interaction) -> Response:
        recorder = self._recorder
        if recorder is None:
            return self.read().respond(request)
        if request.method != "GET":
            recorder.learn(request)
        with self._lock:  # equal requests of several clients reach the cloud once
            try:
                return self.read().respond(request)
            except CassetteNotFoundError:
                if request.method != "GET":
                    raise CassetteNotFoundError(
                        f"{request.method} is never sent to a cloud that is being recorded",
                        where=f"cloud {self.name}",
                        remedy="let the program send GET requests through this server",
                    ) from None
            recorder.record(request, self._listener.base, key=key_of(self.read().redact(request)))
            self._cloud = None
            return self.read().respond(request)


class Servers:
    """Recorded clouds, while the block runs.

    Each cloud has its own port and Keystone, so that a client that ignores the region does not get
    another cloud. One more Keystone lists all clouds.

    Attributes:
        clouds: The names of the clouds in the catalog.
        auth_url: The URL of the Keystone of all clouds; each cloud is a region of its catalog.
        token: The only token that is accepted; every Keystone issues it for any password.
        clouds_yaml: The path of a clouds.yaml with an entry for each cloud.
        refused: The error of each request that no recording answered.
        expects_miss: Whether the running test declared that it is about such a request.
    """

    def __init__(self, store: Store, clouds: Iterable[str], *, clouds_yaml: Path) -> None:
        """Bind the ports and write clouds.yaml; no recording is read yet."""
        self.clouds: Final = tuple(clouds)
        self.token: Final = secrets.token_hex(16)
        self.clouds_yaml: Final = clouds_yaml
        self.refused: Final[list[ImageDetailError]] = []
        self.expects_miss = False
        self._store: Final = store
        self._servers: Final[dict[str, Server]] = {}
        self._identity: Final = Listener("Keystone", on_error=self.refused.append)
        self.auth_url: Final = self._identity.base + IDENTITY
        for name in self.clouds:
            self._server(name)
        self._identity.start(self._authenticate)

    def __repr__(self) -> str:
        return f"<imagedetail server {self.auth_url}: {len(self.clouds)} clouds>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._identity.close()
        for server in self._servers.values():
            server.close()

    def url(self, cloud: str) -> str:
        """Return the compute endpoint of any recorded or shipped cloud.

        Raises:
            UsageError: Nothing is recorded for it, or a glob matches several.
            CassetteError: It has no listing, or a damaged one.
        """
        return self._server(cloud).compute_url

    def env(self, cloud: str) -> dict[str, str]:
        """Return the environment variables with which OpenStack's clients log in to a cloud.

        Raises:
            UsageError: Nothing is recorded for it, or a glob matches several.
            CassetteError: It has no listing.
        """
        server = self._server(cloud)
        entry = server.clouds_yaml
        auth = entry.pop("auth")
        variables = {f"OS_{name.upper()}": value for name, value in (auth | entry).items()}
        # So that a cloud named in the caller's environment is not used instead.
        file = {"OS_CLOUD": server.name, "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml)}
        return variables | {"OS_IDENTITY_API_VERSION": "3"} | file

    def expect_miss(self) -> None:
        """Declare that the running test is about a request that was not recorded."""
        self.expects_miss = True

    @property
    def used(self) -> frozenset[Path]:
        """The cassettes that answered requests."""
        return frozenset().union(*(server.used for server in self._servers.values()))

    @property
    def hosts(self) -> frozenset[Place]:
        """Host and port of Keystone and of each listening cloud."""
        urls = [self.auth_url, *(server.auth_url for server in self._servers.values())]
        return frozenset(map(place_of, urls))

    def _server(self, cloud: str) -> Server:
        if cloud in self._servers:
            return self._servers[cloud]
        known = dict.fromkeys((*self._store.clouds(), *self._store.library_clouds()))
        cloud = only(cloud, [name for name in known if fnmatchcase(name, cloud)] or [cloud])
        if cloud not in self._servers:
            if not self._store.has(cloud):
                if self._store.traffic_paths(cloud):
                    raise nothing_to_serve(self._store, cloud)
                raise unknown_cloud(cloud, known, where=self._store.directory)
            self._servers[cloud] = Server(
                self._store, cloud, token=self.token, on_error=self.refused.append
            )
            entries = {name: server.clouds_yaml for name, server in self._servers.items()}
            self.clouds_yaml.write_text(yamltext.dump({"clouds": entries}), encoding="utf-8")
        return self._servers[cloud]

    def _authenticate(self, request: Interaction) -> Response:
        catalog: list[dict[str, str]] = []
        for name, server in tuple(self._servers.items()):
            catalog += entries_of("identity", "keystone", self.auth_url, region=name)
            catalog += compute_entries(server.read().endpoints, region=name)
        keystone = Keystone(catalog=tuple(catalog), token=self.token)
        cloud = RecordedCloud(name="Keystone", base=self._identity.base, keystone=keystone)
        return cloud.respond(request)
