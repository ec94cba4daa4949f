"""A simulated cloud for tests: Keystone and Nova with images of the test's choice.

`test_simulator.py` compares it with the shipped recordings of real clouds. Other responses follow
Nova's source.
"""

import yaml

from pytest_imagedetail.transport.http import Access
from tests.cloud.images import default_rows, newest_first
from tests.cloud.keystone import GLANCE, PREFIX, REGION, Account, Identity
from tests.cloud.nova import Compute
from tests.cloud.releases import RELEASES
from tests.cloud.server import LOOPBACK, LoopbackServer
from tests.cloud.wsgi import read_request

__all__ = ["RELEASES", "LoopbackServer", "SimulatedCloud", "authenticate", "default_rows"]


class SimulatedCloud:
    """Keystone and Nova of one release on a loopback port, as a context manager."""

    def __init__(self, release="2026.2", *, rows=None, port=0):
        self.release = RELEASES[release]
        self.account = account = Account()
        self.project_id = account.project_id
        rows = newest_first(default_rows() if rows is None else rows)
        self.identity = Identity(account=account, release=self.release)
        self.compute = Compute(release=self.release, account=account, rows=rows)
        self.port = port
        self._server = None

    def serve(self, environ, start_response):
        """Answer as a WSGI application (PEP 3333): Keystone below /v3, Nova everywhere else."""
        return self.respond(read_request(environ)).start(start_response)

    def respond(self, request):
        is_keystone = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        service = self.identity if is_keystone else self.compute
        return service.respond(request)

    def __enter__(self):
        self._server = LoopbackServer(self.serve, self.port)
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
        origins={GLANCE: "image"},
    )
