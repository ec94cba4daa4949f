"""A whole cloud to start and stop: images, an account, the two services and a port."""

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Self

from pytest_imagedetail.embedded.application import Application
from pytest_imagedetail.embedded.behavior import behavior_of
from pytest_imagedetail.embedded.compute import Compute
from pytest_imagedetail.embedded.errors import EmbeddedCloudError
from pytest_imagedetail.embedded.identity import PREFIX, REGION, Account, Identity, compute_path
from pytest_imagedetail.embedded.seed import DEFAULT_SEED, generated_rows, load_rows, newest_first
from pytest_imagedetail.embedded.server import LOOPBACK, LoopbackServer


class EmbeddedCloud:
    """Keystone and Nova of one release on a loopback port.

    ::

        with EmbeddedCloud(release="2023.1") as cloud:
            connection = openstack.connect(auth=dict(cloud.credentials))

    Images are the same in every cloud made with the same arguments. Project id, password and
    token are random for each cloud, so that a leaked one can be recognized.

    Attributes:
        release: Name of the release, a key of `RELEASES`.
        application: The bare WSGI callable; it needs no port and no `start`.
    """

    def __init__(
        self,
        release: str = "2026.2",
        *,
        images: int | None = None,
        seed: str | PathLike[str] | None = None,
        caching: bool = False,
        port: int = 0,
    ) -> None:
        """Build a cloud; nothing listens yet.

        Args:
            release: A key of `RELEASES`.
            images: Number of generated images beside those of the seed.
            seed: JSON file with the images to begin with; None takes the one that ships here.
            caching: Whether a caching layer answers listings, which makes them 203.
            port: TCP port on 127.0.0.1; 0 lets the system choose.

        Raises:
            UnknownReleaseError: No such release; the message lists the known ones.
            SeedError: The seed cannot be used; the message says where and why.
            EmbeddedCloudError: `images` is negative.
        """
        behavior = behavior_of(release)
        if images is not None and images < 0:
            raise EmbeddedCloudError(f"images is {images}; give the number of images to add, or 0.")
        account = Account()
        project_id = account.project_id
        rows = newest_first(
            [
                *load_rows(DEFAULT_SEED if seed is None else Path(seed), project_id),
                *generated_rows(images or 0, project_id),
            ]
        )
        self.release = release
        self.application = Application(
            identity=Identity(account=account, behavior=behavior),
            compute=Compute(behavior=behavior, account=account, rows=rows, caching=caching),
        )
        self._account = account
        self._compute_path = compute_path(behavior, account)
        self._port = port
        self._server: LoopbackServer | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; a cloud that already does goes on.

        Raises:
            OSError: The port is taken.
        """
        if self._server is None:
            self._server = LoopbackServer(self.application, self._port)

    def stop(self) -> None:
        """Close the port and every connection; a cloud that does not listen stays silent."""
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @property
    def project_id(self) -> str:
        """The user's project, 32 hexadecimal digits."""
        return self._account.project_id

    @property
    def auth_url(self) -> str:
        """Where Keystone listens, `http://127.0.0.1:PORT/v3`."""
        return self._origin + PREFIX

    @property
    def compute_url(self) -> str:
        """The compute endpoint of the service catalog; `/images/detail` goes behind it."""
        return self._origin + self._compute_path

    @property
    def credentials(self) -> Mapping[str, str]:
        """What belongs under `auth:` in a clouds.yaml."""
        return {
            "auth_url": self.auth_url,
            "username": self._account.username,
            "password": self._account.password,
            "project_name": self._account.project_name,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    def clouds_yaml(self, name: str) -> str:
        """The text of a clouds.yaml that knows this cloud.

        Args:
            name: Name of the cloud in the file, for OS_CLOUD.
        """
        # A JSON string is a YAML string, whatever is in it.
        auth = "".join(
            f"      {key}: {json.dumps(value)}\n" for key, value in self.credentials.items()
        )
        return (
            "clouds:\n"
            f"  {json.dumps(name)}:\n"
            f"    auth:\n{auth}"
            f"    region_name: {REGION}\n"
            "    interface: public\n"
        )

    @property
    def _origin(self) -> str:
        if self._server is None:
            raise RuntimeError(
                "the embedded cloud has no address before it listens; "
                "use it in a with statement, or call start() first."
            )
        return f"http://{LOOPBACK}:{self._server.port}"
