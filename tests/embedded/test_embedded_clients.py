"""Real clients come to a listing with nothing but a clouds.yaml."""

import pytest

from pytest_imagedetail.embedded import RELEASES, EmbeddedCloud
from tests.embedded.releases import GLANCE_V2

openstack = pytest.importorskip("openstack", reason="needs openstacksdk (the extra 'record')")

# openstacksdk announces its own future on every connection.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")


@pytest.fixture
def connect(tmp_path):
    """Connect openstacksdk through a clouds.yaml in a file."""
    connections = []

    def make(cloud):
        path = tmp_path / "clouds.yaml"
        path.write_text(cloud.clouds_yaml("embedded"))
        config = openstack.config.OpenStackConfig(config_files=[str(path)], load_envvars=False)
        connection = openstack.connection.Connection(config=config.get_one("embedded"))
        connections.append(connection)
        return connection

    yield make
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("release", RELEASES)
def test_openstacksdk_session(connect, release):
    """Password authentication, catalog look-up and one GET, on every release."""
    with EmbeddedCloud(release=release) as cloud:
        session = connect(cloud).session
        endpoint = session.get_endpoint(service_type="compute", interface="public")
        assert endpoint == cloud.compute_url
        assert session.get_project_id() == cloud.project_id
        response = session.get(f"{endpoint}/images/detail")
        assert len(response.json()["images"]) == 13


@pytest.mark.parametrize("release", GLANCE_V2)
def test_openstacksdk_compute_proxy(connect, release):
    """The SDK's own compute proxy: 2.1 lists, 2.36 is gone."""
    with EmbeddedCloud(release=release) as cloud:
        compute = connect(cloud).compute
        assert len(compute.get("/images/detail", microversion="2.1").json()["images"]) == 13
        assert compute.get("/images/detail", microversion="2.36").status_code == 404


def test_openstacksdk_says_unauthorized():
    """A wrong password is Keystone's 401, not a stumble."""
    with EmbeddedCloud() as cloud:
        auth = {**cloud.credentials, "password": "wrong"}
        connection = openstack.connection.Connection(auth=auth, region_name="RegionOne")
        with pytest.raises(openstack.exceptions.SDKException, match=r"\(HTTP 401\)"):
            connection.authorize()
        connection.close()
