"""Credentials from clouds.yaml: each way to log in, each mistake, and no secret in an error."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

import certifi
from openstack.config import loader

from pytest_imagedetail.errors import CredentialsError, RecordingError, UsageError
from pytest_imagedetail.model import Headers, Query
from pytest_imagedetail.record import clouds, recorder
from pytest_imagedetail.record.clouds import configured_secrets
from pytest_imagedetail.transport import http as transport
from tests.cloud import LoopbackServer, SimulatedCloud
from tests.cloud.wsgi import Response, as_json

DOCUMENTED = Path(__file__).parents[2] / "docs" / "recording.md"


class Cloud(SimulatedCloud):
    """A cloud with another token for each login; only the last is valid.

    `answer` is the response to every request, `edit` changes the services of a catalog, and
    `address` is the URL of the cloud in place of its own port.
    """

    def __init__(self):
        super().__init__("2026.2")
        self.answer, self.edit, self.tokens, self.address = None, list, [], None

    @property
    def origin(self):
        return self.address or super().origin

    def respond(self, request):
        if self.answer:
            return self.answer
        if request.path == "/v3/auth/tokens":
            document = json.loads(super().respond(request).body)
            self.tokens.append(f"gAAAAABtoken-number-{len(self.tokens)}-of-this-cloud")
            document["token"]["catalog"] = self.edit(document["token"]["catalog"])
            return as_json(201, document).with_headers(("X-Subject-Token", self.tokens[-1]))
        token = request.headers.get("x-auth-token")
        if token is None and request.path.rstrip("/") == "/v2.1":  # as Nova 19
            return Response(status=401)
        if token in self.tokens[-1:]:
            headers = request.headers | {"x-auth-token": self.account.token}
            request = replace(request, headers=headers)
        return super().respond(request)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder that is searched for clouds.yaml; no environment variable interferes."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    monkeypatch.setattr(loader, "SECURE_FILES", [str(tmp_path / "secure.yaml")])
    return tmp_path


@pytest.fixture
def cloud():
    with Cloud() as cloud:
        yield cloud


def write(folder, auth, name="clouds.yaml", **more):
    (folder / name).write_text(json.dumps({"clouds": {"staging": {"auth": auth, **more}}}))


def password(cloud, **changed):
    return {**cloud.credentials, **changed}


def ask(access, expect=None):
    live = recorder.LiveCloud(access=access, name="staging")
    return recorder.ask(live, Query(), expect=expect).listing


def lists(access):
    return len(ask(access).images) == 14


def refused(*secrets, cloud="staging"):
    """Return the error of connecting; neither its text nor a frame of ours shows a secret."""
    with pytest.raises(CredentialsError) as caught:
        clouds.connect(cloud)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = [str(error)]
    frames = [each for each in caught.traceback if "pytest_imagedetail" in str(each.path)]
    shown += [f"{name} = {value!r}" for each in frames for name, value in each.locals.items()]
    for secret in (*secrets, "127.0.0.1"):
        assert not [line for line in shown if secret in line]
    assert error.remedy
    return error


def test_logging_in(cloud, folder, caplog):
    """The token works, the password is a secret, and nothing is logged; then without Keystone."""
    caplog.set_level("DEBUG")  # keystoneauth would log the whole token document
    write(folder, password(cloud), region_name="RegionOne")
    access = clouds.connect("staging")
    assert (access.endpoint, access.timeout) == (f"{cloud.origin}/v2.1", 60)
    assert (access.token, access.secrets) == (cloud.tokens[-1], {cloud.credentials["password"]})
    assert (access.project_id, access.user_id) == (cloud.project_id, cloud.account.user_id)
    assert (access.max_microversion, caplog.text) == ("2.104", "")
    assert lists(access)
    down, nowhere = "http://127.0.0.1:1/v2.1", f"{cloud.origin}/v2.1/nowhere"
    real = cloud.compute_url
    for auth_type, auth, override, endpoint, newest in (
        ("admin_token", {"endpoint": down, "token": "wrong"}, None, down, None),
        ("password", password(cloud), nowhere, nowhere, None),  # no version document
        ("none", {}, real, real, "2.104"),
        ("admin_token", {"endpoint": real, "token": "wrong"}, None, real, "2.104"),
    ):
        write(folder, auth, auth_type=auth_type, compute_endpoint_override=override)
        access = clouds.connect("staging")
        assert (access.endpoint, access.max_microversion) == (endpoint, newest)
    assert (access.project_id, access.renew) == ("", None)
    assert ask(access, expect=401).error["code"] == 401  # this is how a 401 is recorded
    write(folder, {"endpoint": real, "username": "u", "password": "p"}, auth_type="http_basic")
    assert refused().problem == "the auth type 'http_basic' gives no token, which Nova requires"


def test_where_credentials_are_read(cloud, folder, monkeypatch):
    """The current folder, the project's root, the user's folder, then `OS_*` variables."""
    here, user = folder / "tests" / "api", folder / "user"
    here.mkdir(parents=True)
    user.mkdir()
    (folder / "pyproject.toml").touch()
    monkeypatch.chdir(here)
    for kind, name in (("CONFIG", "clouds"), ("SECURE", "secure")):
        files = [str(each / f"{name}.yaml") for each in (here, user)]
        monkeypatch.setattr(loader, f"{kind}_FILES", files)
    auth = password(cloud)
    secret = {"password": auth.pop("password")}
    for place in (user, folder, here):
        write(place, auth)
        write(place, secret, name="secure.yaml")
        expected = place / "clouds.yaml", place / "secure.yaml"
        assert clouds.configure("staging").files == expected
        assert secret["password"] in configured_secrets("staging")
    assert lists(clouds.connect("staging"))
    write(user, {"password": "of-another-client"}, name="secure.yaml")
    assert "of-another-client" in configured_secrets("staging")  # others may read it
    write(folder, password(cloud), name="other.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "other.yaml"))
    monkeypatch.setenv("OS_CLOUD", "staging")
    found = clouds.configure(None)
    assert found.cloud == "staging"
    assert found.files == (folder / "other.yaml", here / "secure.yaml")
    assert lists(clouds.connect("staging"))
    for name, value in password(cloud).items():  # variables alone make the cloud `envvars`
        monkeypatch.setenv(f"OS_{name.upper()}", value)
    assert lists(clouds.connect("envvars"))


def test_what_is_documented_is_understood(folder):
    """Each clouds.yaml of docs/recording.md works as it is, apart from its certificate files."""
    for block in re.findall(r"```yaml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL):
        (folder / "clouds.yaml").write_text(re.sub(r"/[\w/.-]+\.pem", certifi.where(), block))
        names = re.findall(r"^  ([\w-]+):", block, re.MULTILINE)
        assert names
        assert [clouds.configure(name).cloud for name in names] == names


def test_every_secret_is_known(folder, monkeypatch):
    """Of every auth type, in any place. A plain word is a secret of its own cloud only."""
    harmless = {
        "username": "demo", "auth_url": "http://u:s%40u@h/v3", "access_token_endpoint": "e",
        "region_name": "r",
        "auth_methods": "m", "access_token_type": "t", "code_challenge_method": "c",
    }  # fmt: skip
    secret = {
        "password": "one", "passcode": 246810, "token": "two", "access_token": "three",
        "client_secret": "four", "code": "five", "application_credential_id": "six",
        "oauth2_client_secret": "seven", "consumer_key": "eight",
    }  # fmt: skip
    own = {"s@u", *map(str, secret.values())}
    regions = [{"values": {"auth": {"password": 47114711}}}]
    other = {"auth": {"password": "Sup3rS3cretPassw0rd", "token": "images"}}
    for auth, more in ((secret | harmless, {}), (None, secret | harmless)):
        staging = {"auth": auth, **more, "regions": regions, "verify": False}
        document = {"clouds": {"staging": staging, "other": other}}
        (folder / "clouds.yaml").write_text(json.dumps(document))
        for name, words in (("staging", {*own, "47114711"}), ("no", set()), ("other", {"images"})):
            assert configured_secrets(name) == {"Sup3rS3cretPassw0rd", *words}
    write(folder, {"password": "in-secure"}, name="secure.yaml")
    write(folder, {"password": "in-another"}, name="elsewhere.yaml")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "elsewhere.yaml"))
    monkeypatch.setenv("OS_PASSWORD", "in-variable")
    assert configured_secrets("staging") == {"in-secure", "in-another", "in-variable"}


def two_regions(catalog):
    """Make RegionTwo's internal compute endpoint the only real one."""
    (compute,) = [service for service in catalog if service["type"] == "compute"]
    real, wrong = compute["endpoints"][0], "http://wrong.invalid/v2.1"
    places = product(("RegionOne", "RegionTwo"), ("public", "internal"))
    compute["endpoints"] = [
        {**real, "region": region, "region_id": region, "interface": interface, "url": wrong}
        for region, interface in places
    ]
    compute["endpoints"][-1]["url"] = real["url"]
    return catalog


def with_endpoint(catalog, kind, url):
    for service in catalog:
        if service["type"] == kind:
            service["endpoints"] = [each | {"url": url} for each in service["endpoints"]]
    return catalog


def test_which_endpoint_is_taken(cloud, folder):
    """By region, interface and service type. An override wins. A new token must agree."""
    internal = {"region_name": "RegionTwo", "interface": "internal"}
    legacy = {"compute_service_type": "compute_legacy", "api_timeout": 7}
    for edit, more, path in (
        (two_regions, internal, "/v2.1"),
        (list, legacy, f"/v2/{cloud.project_id}"),
        (lambda _: [], {"compute_endpoint_override": cloud.origin}, "/v2.1"),
    ):
        cloud.edit = edit
        write(folder, password(cloud), **more)
        access = clouds.connect("staging")
        assert access.endpoint == cloud.origin + path
        assert access.timeout == more.get("api_timeout", 60)
        assert lists(access)
    cloud.edit = list
    write(folder, password(cloud))
    access = clouds.connect("staging")
    assert access.token != access.renew().token == cloud.tokens[-1]
    cloud.edit = lambda catalog: with_endpoint(catalog, "compute", f"{cloud.origin}/v2")
    with pytest.raises(RecordingError, match="the new one is for another project or endpoint"):
        access.renew()


def test_what_the_catalog_lacks(cloud, folder):
    """The error says what the catalog has or that its URL is broken, and shows no address."""
    region = "the service catalog has no compute endpoint for this region and interface"
    no_service = "the service catalog has no service of type 'compute'"
    no_project = "the service catalog is empty: the token is for no project"
    others = "it has: identity, image\nname another with compute_service_type"
    name_project = "name project_name and project_domain_name in the auth section"
    broken = "the compute endpoint is not a valid http or https URL"
    operator = "ask the cloud's operator to correct the service catalog"
    urls = ("http://[hunter2/v2.1", "ftp://hunter2/v2.1", 7, "http://h\u00fcnter2/v2.1")
    for edit, wrong, problem, remedy in (
        (two_regions, {"region_name": "RegionThree"}, region, "it has: RegionOne (internal), "),
        (lambda catalog: catalog[:2], {}, no_service, others),
        (lambda _: [], {}, no_project, name_project),
        *((lambda it, url=url: with_endpoint(it, "compute", url), {}, broken, operator)
          for url in urls),
        *((list, {"compute_endpoint_override": url}, broken, operator) for url in urls),
    ):  # fmt: skip
        cloud.edit = edit
        write(folder, password(cloud), **{"region_name": "RegionOne", **wrong})
        error = refused("wrong.invalid", cloud.credentials["password"], "hunter2", "h\u00fcnter2")
        assert error.problem == problem, wrong
        assert error.where.startswith(f"cloud 'staging' of {folder}/clouds.yaml, service compute, ")
        assert error.remedy.startswith(remedy)
        assert "compute_endpoint_override" in error.remedy
    cloud.edit = lambda catalog: with_endpoint(catalog, "image", urls[0])
    write(folder, password(cloud))
    assert lists(clouds.connect("staging"))


def test_keystone_fails(cloud, folder):
    """It is silent, lacks TLS, is another server, or is down. Its address is never shown."""

    def problem(remedy, url=f"{cloud.origin}/v3", **more):
        write(folder, password(cloud, auth_url=url), **more)
        error = refused(str(cloud.port), cloud.credentials["password"])
        assert remedy in error.remedy
        return error.problem.removeprefix("Keystone gave no token: ")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v3"
        found = problem("api_timeout", url, api_timeout=0.2)
    assert found == "it cannot be reached"
    url = f"https://{cloud.origin.removeprefix('http://')}/v3"
    assert problem("cacert", url, auth_type="v3password") == "TLS failed: wrong version number"
    for status, wanted, remedy in (
        (200, "the server is not Keystone", "check auth_url"),
        (401, "401 Unauthorized", "its auth section"),
        (503, "503 ServiceUnavailable", "Keystone failed: try again later"),
    ):
        cloud.answer = Response(status=status, body=b"<html><body>hello</body></html>")
        assert problem(remedy) == wanted
    # keystoneauth alone waits forever if the discovery of versions is refused with 401.
    cloud.answer = Response(status=401, body=b"{}")
    url = f"{cloud.origin}/identify"
    assert problem("check auth_url", url) == "the server is not Keystone"
    cloud.address = cloud.origin
    cloud.stop()
    assert problem("auth_url") == "it cannot be reached"


def test_an_unknown_cloud(cloud, folder):
    """The error suggests a name, lists all others and says what to set."""
    assert refused().where.startswith("there is no clouds.yaml here, in the project's root")
    assert refused().remedy.startswith("write a clouds.yaml, or set OS_CLIENT_CONFIG_FILE")
    section = {"auth": password(cloud)}
    document = {"clouds": {"staging": section, "other": section}}
    (folder / "clouds.yaml").write_text(json.dumps(document))
    error = refused(cloud="stagin")
    assert error.problem == "clouds.yaml has no usable cloud 'stagin'"
    assert error.remedy.startswith("did you mean staging? it has: other, staging\nname one that ")
    assert refused(cloud="envvars").problem == "clouds.yaml has no usable cloud 'envvars'"
    with pytest.raises(CredentialsError, match=r"^no cloud is named\n(?s:.*)it has: other, stagin"):
        clouds.configure(None)


def test_a_broken_file(folder, monkeypatch):
    """The error says what is wrong and where, and quotes nothing."""
    invalid = "the file is not valid YAML"
    shape = "the file has no `clouds:` with a section for each cloud"
    missing = "its auth section is incomplete: without"
    misfit = "its auth section does not fit its auth_type: "
    unreadable = "openstacksdk cannot read its section"
    for section, problem, place in (
        ("auth: [", invalid, ", line 4, column 1"),
        ("auth: {password: *hunter2}", invalid, ", line 3, column 22"),
        ("", f"{unreadable} (AttributeError)", ", cloud 'staging'"),
        ("auth: {auth_url: 'http://{hunter2}/v3'}", f"{unreadable} (KeyError)", ""),
        ("auth_type: v3pasword", "unknown auth_type 'v3pasword'", ""),
        ("auth: {auth_url: 'http://a/v3', pasword: hunter2}", misfit, ""),
        ("auth: {auth_url: 'hunter2.example/v3'}", "auth_url is not a valid http or https", ""),
        ("auth: {username: hunter2}", f"{missing} auth_url", ""),
        ("profile: 'http://127.0.0.1:1/hunter2'", "its profile cannot be read: ", ""),
        ("auth: {auth_url: 'http://a/v3'}", f"{missing} username and password", ""),
    ):
        (folder / "clouds.yaml").write_text(f"clouds:\n  staging:\n    {section}\n")
        error = refused("hunter2")
        assert error.problem.startswith(problem), section
        assert f"{folder}/clouds.yaml{place}" in error.where, section
    for text in ("hunter2\n", "clouds: [hunter2]\n"):
        (folder / "clouds.yaml").write_text(text)
        assert refused("hunter2").problem == shape
    (folder / "clouds.yaml").unlink()
    (folder / "secure.yaml").write_text("clouds: {")
    assert refused().where == f"{folder}/secure.yaml, line 2, column 1"
    (folder / "secure.yaml").unlink()
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "typo.yaml"))
    assert refused().problem == "OS_CLIENT_CONFIG_FILE names a file that does not exist"
    monkeypatch.setitem(sys.modules, "openstack.config", None)
    with pytest.raises(CredentialsError, match="recording needs openstacksdk, which is not inst"):
        clouds.connect("staging")


@pytest.fixture
def secured(cloud, folder):
    """The cloud behind TLS with a self-signed certificate."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl, which makes the certificate, is not installed")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 "
        "-addext keyUsage=critical,digitalSignature,keyCertSign -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server = LoopbackServer(cloud.serve, context=context)
    cloud.address = f"https://127.0.0.1:{server.port}"
    cloud.edit = lambda catalog: json.loads(json.dumps(catalog).replace("http:", "https:"))
    yield cloud
    server.close()


def test_tls(secured, folder):
    """Both Keystone and Nova are verified, unless clouds.yaml says `verify: false`."""
    write(folder, password(secured), cacert=str(folder / "cert.pem"))
    access = clouds.connect("staging")
    assert access.endpoint == f"{secured.origin}/v2.1"
    assert lists(access)
    stranger = transport.Access(endpoint="", token="", project_id="")
    with pytest.raises(RecordingError, match="TLS failed"):
        transport.get(f"{access.endpoint}/", Headers(), access=stranger, name="staging")
    write(folder, password(secured), verify=False)
    access = clouds.connect("staging")
    assert lists(access)
    write(folder, password(secured))
    error = refused(secured.credentials["password"])
    assert error.problem == "Keystone gave no token: TLS failed: self-signed certificate"
    assert "cacert: FILE" in error.remedy
    write(folder, password(secured), cacert="nowhere/ca.pem")
    with pytest.raises(UsageError, match="the CA bundle or the client certificate cannot be used"):
        clouds.connect("staging")
