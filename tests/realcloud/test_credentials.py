"""Every way to authenticate with a real Keystone and Nova, then `doctor` and `verify`."""

import json
import os
import re
import secrets
from dataclasses import replace

import pytest
import yaml

from pytest_imagedetail.cli import main
from pytest_imagedetail.errors import CredentialsError, ResponseError
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder

from .rest import Rest

pytestmark = pytest.mark.realcloud


class Site:
    """A folder with a clouds.yaml made from that of a real cloud."""

    def __init__(self, cloud, folder):
        self.folder = folder
        document = yaml.safe_load(cloud.clouds_yaml.read_text(encoding="utf-8"))
        self.auth = document["clouds"][cloud.name]["auth"]

    def connect(self, auth=None, **more):
        """Write the cloud `real` into clouds.yaml, and connect."""
        entry = {"auth": dict(self.auth if auth is None else auth), **more}
        text = yaml.safe_dump({"clouds": {"real": entry}})
        (self.folder / "clouds.yaml").write_text(text, encoding="utf-8")
        return clouds.connect("real")

    def refused(self, auth=None, **more):
        """Return the error of connecting; it must not show the host or password."""
        with pytest.raises(CredentialsError) as caught:
            self.connect(auth, **more)
        shown = str(caught.value)
        assert "127.0.0.1" not in shown
        assert self.auth["password"] not in shown
        return caught.value


@pytest.fixture
def site(cloud, tmp_path, monkeypatch):
    """Return a site as the current folder, with OS_CLIENT_CONFIG_FILE set to its clouds.yaml."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    monkeypatch.chdir(tmp_path)
    return Site(cloud, tmp_path)


@pytest.fixture
def credential(site):
    """Create an application credential of the user, and delete it after the test."""
    access = site.connect()
    keystone = Rest(site.auth["auth_url"], access.token)
    path = f"/users/{access.user_id}/application_credentials"
    request = {"application_credential": {"name": f"robot-{secrets.token_hex(4)}"}}
    made = keystone.call("POST", path, json=request).json()["application_credential"]
    yield made
    keystone.call("DELETE", f"{path}/{made['id']}")


def images(access):
    """Return how many images an access lists."""
    return len(recorder.ask(recorder.LiveCloud(access=access, name="real"), Query()).listing.images)


def test_a_password(cloud, site):
    """The highest microversion is that of the release."""
    for auth_type in ("password", "v3password"):
        access = site.connect(auth_type=auth_type)
        assert images(access) == 14
        assert access.max_microversion == cloud.release.max_microversion
        assert access.secrets == {site.auth["password"]}


def test_an_application_credential(site, credential):
    """It can be given by its id, or by its name and user."""
    user = {key: site.auth[key] for key in ("username", "user_domain_name")}
    for named in (
        {"application_credential_id": credential["id"]},
        {"application_credential_name": credential["name"], **user},
    ):
        auth = {
            "auth_url": site.auth["auth_url"],
            "application_credential_secret": credential["secret"],
            **named,
        }
        access = site.connect(auth, auth_type="v3applicationcredential")
        assert images(access) == 14
        assert credential["secret"] in access.secrets
        error = site.refused(
            {**auth, "application_credential_secret": "wrong"}, auth_type="v3applicationcredential"
        )
        assert error.problem == "Keystone gave no token: 401 Unauthorized"
        assert "application credential is wrong or has expired" in error.remedy


def test_a_token(site):
    """Keystone issues a new token for a token."""
    old = site.connect().token
    kept = ("auth_url", "project_name", "project_domain_name")
    auth = {**{key: site.auth[key] for key in kept}, "token": old}
    for auth_type in ("token", "v3token"):
        access = site.connect(auth, auth_type=auth_type)
        assert images(access) == 14
        assert access.secrets == {old}
        assert access.token != old


def test_an_admin_token(site):
    """Keystone does not see the token, so Nova's 401 can be recorded."""
    endpoint = site.connect().endpoint
    access = site.connect({"endpoint": endpoint, "token": "wrong"}, auth_type="admin_token")
    live = recorder.LiveCloud(access=access, name="real")
    with pytest.raises(ResponseError) as caught:
        recorder.ask(live, Query())
    assert caught.value.status_code == 401
    listing = recorder.ask(live, Query(), expect=401).listing
    assert listing.error is not None
    assert listing.error["code"] == 401


def test_a_token_is_renewed(site):
    """While recording, a token that Nova refuses is replaced by a new one."""
    access = site.connect()
    assert access.renew is not None
    assert access.renew().token != access.token
    stale = replace(access, token=f"gAAAAAB{secrets.token_urlsafe(64)}")
    assert images(stale) == 14
    with pytest.raises(ResponseError):
        images(replace(stale, renew=None))


def test_region_and_interface(site):
    """An unknown region is refused, and the error lists those of the catalog."""
    for interface in ("public", "internal", "admin"):
        assert images(site.connect(region_name="RegionOne", interface=interface)) == 14
        error = site.refused(region_name="RegionTwo", interface=interface)
        assert error.problem == (
            "the service catalog has no compute endpoint for this region and interface"
        )
        assert re.match(r"it has: RegionOne \([a-z]+\)(, RegionOne \([a-z]+\))*\n", error.remedy)


def test_the_legacy_endpoint(site):
    """`compute_service_type` can select /v2/PROJECT, which has no microversions."""
    access = site.connect(compute_service_type="compute_legacy")
    assert access.endpoint.endswith(f"/v2/{access.project_id}")
    assert images(access) == 14


def test_an_endpoint_override(cloud, site):
    """A URL without a version is completed from the version document."""
    for override in (f"{cloud.compute_url}/v2.1", cloud.compute_url):
        access = site.connect(compute_endpoint_override=override)
        assert access.endpoint == f"{cloud.compute_url}/v2.1"
        assert images(access) == 14


def test_wrong_credentials(site):
    """Keystone answers 401. Without a project, the token has no catalog."""
    for wrong in ("password", "project_name", "username"):
        error = site.refused({**site.auth, wrong: "no-such"})
        assert error.problem == "Keystone gave no token: 401 Unauthorized"
    auth = {key: value for key, value in site.auth.items() if not key.startswith("project")}
    error = site.refused(auth)
    assert error.problem == "the service catalog is empty: the token is for no project"


def test_doctor_and_verify(cloud, site, capsys, monkeypatch):
    """They show no secret, and `verify` does not change a cassette."""
    access = site.connect()
    name = cloud.release.name
    assert main(["doctor", "real"]) == 0
    for options in ([], ["--query=limit=3"], ["--query=limit=x", "--expect=400"]):
        assert main(["record", "--os-cloud=real", f"--release={name}", *options]) == 0
    cassettes = sorted((site.folder / "cassettes").rglob("*.yaml"))
    before = [path.read_bytes() for path in cassettes]
    capsys.readouterr()
    assert main(["verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["same"] is True
    assert [path.read_bytes() for path in cassettes] == before
    assert main(["doctor", "real"]) == 0
    shown = capsys.readouterr()
    looks = shown.out.partition(f"{cloud.release.max_microversion} looks like Nova ")[2]
    assert name in looks.splitlines()[0]  # another release may have the same microversion
    for secret in (access.token, access.project_id, site.auth["password"], "127.0.0.1"):
        assert secret not in shown.out + shown.err
