"""Serve one recorded cloud, or several behind one Keystone."""

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import CassetteNotFoundError, ImageDetailError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.redact.placeholders import OWN_PROJECT
from pytest_imagedetail.server.cloud import (
    IDENTITY,
    RecordedCloud,
    authorized,
    is_open,
    log_in,
    recorded_cloud,
    recorded_endpoints,
    refused,
    services,
    target,
)
from pytest_imagedetail.server.http import Listener, Respond
from pytest_imagedetail.server.recording import Recorder
from pytest_imagedetail.settings import unknown_cloud
from pytest_imagedetail.traffic.keystone import REGION, Keystone, service


class Server:
    """A recorded cloud on a port of its own, for as long as the block runs.

    ::

        with Server(store, "nova-2026.2") as cloud:
            print(cloud.auth_url)

    Attributes:
        name: The cloud.
        auth_url: Where Keystone is.
        compute_url: The compute endpoint; `/images/detail` goes behind it.
        project_id: The project of every token, and of every recording.
        token: The only token that is accepted; Keystone issues it for any password.
        max_microversion: The newest microversion that the cloud offered, if it said so.
    """

    def __init__(
        self, store: Store, name: str, *, port: int = 0, recorder: Recorder | None = None
    ) -> None:
        """Read the recordings and begin to answer.

        Args:
            store: Where recordings are.
            name: The cloud.
            port: TCP port on 127.0.0.1; 0 lets the system choose.
            recorder: Records each GET that is not recorded yet, one at a time; without one, such a
                request gets a fault.

        Raises:
            CassetteError: Nothing is recorded, or a cassette is damaged.
            ServerError: The port cannot be used.
        """
        self._listener = Listener(f"cloud {name}", port=port)
        base = self._listener.base
        self.name: Final = name
        self.auth_url: Final = base + IDENTITY
        self.project_id: Final = OWN_PROJECT
        self.token: Final = secrets.token_hex(16)
        self._store: Final = store
        self._recorder: Final = recorder
        self._recording: Final = threading.Lock()
        try:
            self._cloud = self._read()
        except BaseException:
            self._listener.close()
            raise
        self.compute_url: Final = self._cloud.endpoints[0]
        self.max_microversion: Final = self._cloud.max_microversion
        self._listener.start(self._respond)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.close()

    def _read(self) -> RecordedCloud:
        base, recorder = self._listener.base, self._recorder
        endpoint = None if recorder is None else recorder.endpoint(base)
        return recorded_cloud(self._store, self.name, base, token=self.token, endpoint=endpoint)

    def _respond(self, asked: Interaction) -> Response:
        recorder = self._recorder
        if recorder is not None and asked.method != "GET":
            recorder.learn(asked)
        try:
            return self._cloud.respond(asked)
        except CassetteNotFoundError:
            if recorder is None:
                raise
        if asked.method != "GET":
            raise CassetteNotFoundError(
                f"{asked.method} is never sent to a cloud that is being recorded",
                where=f"cloud {self.name}",
                remedy="let the program send GET requests through this server",
            )
        with self._recording:
            with suppress(CassetteNotFoundError):  # another client has asked the same
                return self._cloud.respond(asked)
            recorder.record(asked, self._listener.base, key=self._cloud.key(asked))
            self._cloud = self._read()
        return self._cloud.respond(asked)

    @property
    def clouds_yaml(self) -> dict[str, Any]:
        """The entry of this cloud in a clouds.yaml."""
        return _entry(self.auth_url, REGION)


class Servers:
    """Recorded clouds, for as long as the block runs.

    Each cloud has a port and a Keystone of its own, so that a client that passes over the region
    gets no other cloud. One more Keystone leads to all of them. Recordings are read when their
    cloud is first asked.

    Attributes:
        clouds: The names of the clouds in the catalog.
        auth_url: Where the Keystone of all clouds is; each cloud is a region of its catalog.
        token: The only token that is accepted; every Keystone issues it for any password.
        clouds_yaml: The path of a clouds.yaml with an entry for each cloud.
        refused: The error of each request that no recording answered.
        expects_miss: Whether the running test declared that it is about such a request.
    """

    def __init__(
        self,
        store: Store,
        clouds: Iterable[str],
        *,
        clouds_yaml: Path,
    ) -> None:
        """Take the ports and write the file; nothing is read yet.

        Args:
            store: Where recordings are.
            clouds: The clouds of the catalog.
            clouds_yaml: The file to write.
        """
        self.clouds: Final = tuple(clouds)
        self.token: Final = secrets.token_hex(16)
        self.clouds_yaml: Final = clouds_yaml
        self.refused: Final[list[ImageDetailError]] = []
        self.expects_miss = False
        self._store: Final = store
        self._listeners: Final[dict[str, Listener]] = {}
        self._read: Final[dict[str, RecordedCloud]] = {}
        self._lock: Final = threading.RLock()
        self._identity: Final = Listener("Keystone")
        self.auth_url: Final = self._identity.base + IDENTITY
        for name in self.clouds:
            self._base(name)
        self._write()
        self._identity.start(self._noting(self._authenticate))

    def __repr__(self) -> str:
        return f"<imagedetail server {self.auth_url}: {len(self.clouds)} clouds>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._identity, *self._listeners.values()):
            each.close()

    def url(self, cloud: str) -> str:
        """Return the compute endpoint of a cloud; any recorded or shipped one will do.

        Raises:
            UsageError: Nothing is recorded for it.
            CassetteError: A cassette is damaged.
        """
        return self._endpoints(self._recorded(cloud))[0]

    def env(self, cloud: str) -> dict[str, str]:
        """Return the environment variables with which OpenStack's clients log in to a cloud.

        Raises:
            UsageError: Nothing is recorded for it.
        """
        entry = _entry(self._base(self._recorded(cloud)) + IDENTITY, REGION)
        auth = entry.pop("auth")
        variables = {f"OS_{name.upper()}": value for name, value in (auth | entry).items()}
        # So that a cloud that the caller's environment names is not used instead.
        file = {"OS_CLOUD": cloud, "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml)}
        return variables | {"OS_IDENTITY_API_VERSION": "3"} | file

    def expect_miss(self) -> None:
        """Declare that the running test is about a request that was not recorded."""
        self.expects_miss = True

    @property
    def used(self) -> frozenset[Path]:
        """The cassettes that something was answered from."""
        return frozenset().union(*(each.used for each in self._read.values()))

    @property
    def places(self) -> frozenset[str]:
        """Host and port of Keystone and of each cloud that listens by now."""
        listeners = (self._identity, *self._listeners.values())
        return frozenset(each.base.removeprefix("http://") for each in listeners)

    def _recorded(self, cloud: str) -> str:
        if not self._store.has(cloud):
            known = (*self._store.clouds(), *self._store.library_clouds())
            raise unknown_cloud(cloud, dict.fromkeys(known), where=self._store.directory)
        if cloud not in self._listeners:
            self._base(cloud)
            self._write()
        return cloud

    def _write(self) -> None:
        entries = {name: _entry(self._base(name) + IDENTITY, REGION) for name in self._listeners}
        self.clouds_yaml.write_text(yamltext.dump({"clouds": entries}), encoding="utf-8")

    def _base(self, name: str) -> str:
        """Return where a cloud is; begin to listen there once it is needed."""
        with self._lock:
            if name not in self._listeners:
                listener = Listener(f"cloud {name}")
                listener.start(self._noting(lambda asked: self._cloud(name).respond(asked)))
                self._listeners[name] = listener
            return self._listeners[name].base

    def _cloud(self, name: str) -> RecordedCloud:
        with self._lock:
            if name not in self._read:
                base = self._base(name)
                self._read[name] = recorded_cloud(self._store, name, base, token=self.token)
            return self._read[name]

    def _endpoints(self, name: str) -> tuple[str, ...]:
        return recorded_endpoints(self._store, name, self._base(name))

    def _noting(self, respond: Respond) -> Respond:
        def noting(asked: Interaction) -> Response:
            try:
                return respond(asked)
            except ImageDetailError as error:
                self.refused.append(error)
                raise

        return noting

    def _authenticate(self, asked: Interaction) -> Response:
        """Answer for Keystone, with one region for each cloud."""
        with self._lock:
            keystone = Keystone(catalog=tuple(self._catalog()), token=self.token)
        issued = log_in(asked, keystone)
        if issued is not None:
            return issued
        if not is_open(asked) and not authorized(asked, keystone):
            return refused(asked, ())
        found = keystone.answer(asked)
        if found is None:
            raise CassetteNotFoundError(
                f"Keystone's answer to {asked.method} {target(asked.url)} is not replayed",
                where=self.auth_url,
                remedy="ask Keystone only for a token, its catalog and its versions",
            )
        return found

    def _catalog(self) -> Iterator[dict[str, str]]:
        for name in self._listeners:
            yield from service("identity", "keystone", self.auth_url, region=name)
            yield from services(self._endpoints(name), region=name)


def _entry(auth_url: str, region: str) -> dict[str, Any]:
    """Build the entry of a cloud in a clouds.yaml."""
    return {
        "auth": {
            "auth_url": auth_url,
            "username": "replayed",
            "password": "any-password-is-accepted",
            "project_name": "replayed",
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": region,
        "interface": "public",
    }
