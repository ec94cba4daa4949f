"""A simulated cloud for tests: Keystone and Nova with images of the test's choice.

`test_simulator.py` compares it with the shipped recordings of real clouds. Other responses follow
Nova's source.
"""

from dataclasses import dataclass

import yaml

from pytest_imagedetail.transport.http import Access
from tests.cloud.images import DEFAULT_SEED, load_rows
from tests.cloud.keystone import PREFIX, REGION, Account, Identity
from tests.cloud.nova import Compute
from tests.cloud.releases import RELEASES
from tests.cloud.server import LOOPBACK, LoopbackServer
from tests.cloud.wsgi import read_request

__all__ = [
    "DEFAULT_SEED",
    "RELEASES",
    "Application",
    "LoopbackServer",
    "SimulatedCloud",
    "authenticate",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A WSGI application (PEP 3333): Keystone below /v3, Nova everywhere else."""

    identity: Identity
    compute: Compute

    def __call__(self, environ, start_response):
        request = read_request(environ)
        is_keystone = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        service = self.identity if is_keystone else self.compute
        return service.respond(request).start(start_response)


class SimulatedCloud:
    """Keystone and Nova of one release on a loopback port, as a context manager.

    Args:
        release: A key of `RELEASES`.
        seed: A JSON file with images.
        port: A TCP port; 0 lets the system choose.
    """

    def __init__(self, release="2026.2", *, seed=DEFAULT_SEED, port=0):
        self.release = RELEASES[release]
        self.account = Account()
        self.project_id = project = self.account.project_id
        self.application = Application(
            identity=Identity(account=self.account, release=self.release),
            compute=Compute(
                release=self.release, account=self.account, rows=load_rows(seed, project)
            ),
        )
        self.port = port
        self._server = None

    def __enter__(self):
        self._server = LoopbackServer(self.application, self.port)
        self.port = self._server.port
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @property
    def origin(self):
        return f"http://{LOOPBACK}:{self._server.port}"

    @property
    def auth_url(self):
        return self.origin + PREFIX

    @property
    def compute_url(self):
        return self.origin + self.release.endpoint(self.project_id)

    @property
    def credentials(self):
        return {
            "auth_url": self.auth_url,
            "username": self.account.username,
            "password": self.account.password,
            "project_name": self.account.project_name,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }

    def clouds_yaml(self, name):
        cloud = {"auth": self.credentials, "region_name": REGION, "interface": "public"}
        return yaml.safe_dump({"clouds": {name: cloud}})


def authenticate(cloud):
    """Return the access that openstacksdk would find with the cloud's credentials."""
    return Access(
        endpoint=cloud.compute_url,
        token=cloud.account.token,
        project_id=cloud.project_id,
        user_id=cloud.account.user_id,
        secrets=frozenset({cloud.account.password}),
    )
