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
from tests.cloud.wsgi import Response, as_json, read_request

CREDENTIAL, SECRET = "f00dfacef00dfacef00dfacef00dface", "s3cret-of-robot"
SDK = tuple(map(int, clouds.sdk_version().split(".")[:2]))
DOCUMENTED = Path(__file__).parents[2] / "docs" / "recording.md"


class Cloud(SimulatedCloud):
    """A cloud whose Keystone knows more auth types and whose catalog can be changed.

    Attributes:
        answer: If set, the response to every request.
        edit: Changes the list of services of a catalog.
        tokens: The issued tokens; each is another.
        address: If set, the URL of the cloud in place of its own port.
    """

    def __init__(self):
        super().__init__("2026.2")
        self.answer, self.edit, self.tokens, self.address = None, list, [], None
        self.inner, self.application = self.application, self.serve

    @property
    def origin(self):
        return self.address or super().origin

    def serve(self, environ, start_response):
        response = self.answer or self.respond(read_request(environ))
        return response.start(start_response)

    def respond(self, request):
        if request.path == "/v3/auth/tokens":
            return self.issue(request)
        if request.path.startswith("/v3"):
            return self.inner.identity.respond(request)
        token = request.headers.get("x-auth-token")
        if token is None and request.path.rstrip("/") == "/v2.1":  # as Nova 19
            return Response(status=401)
        if token in self.tokens[-1:]:
            headers = request.headers | {"x-auth-token": self.account.token}
            request = replace(request, headers=headers)
        return self.inner.compute.respond(request)

    def issue(self, request):
        auth = self.as_password(json.loads(request.body)["auth"])
        request = replace(request, body=json.dumps({"auth": auth}).encode())
        response = self.inner.identity.respond(request)
        document = json.loads(response.body)
        if "token" not in document:
            return response
        self.tokens.append(f"gAAAAABtoken-number-{len(self.tokens)}-of-this-cloud")
        document["token"]["catalog"] = self.edit(document["token"]["catalog"])
        return as_json(201, document).with_headers(("X-Subject-Token", self.tokens[-1]))

    def as_password(self, auth):
        """Translate another auth type into the simulated Keystone's password."""
        if auth["identity"]["methods"] == ["password"]:
            return auth
        proof = json.dumps(auth["identity"])
        if not any(each in proof for each in (SECRET, self.account.token, *self.tokens)):
            return {"identity": {"methods": []}}
        user = {"id": self.account.user_id, "password": self.account.password}
        return {"identity": {"methods": ["password"], "password": {"user": user}}}


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
    return recorder.ask(recorder.LiveCloud(access=access, name="staging"), Query(), expect=expect)


def lists(access):
    return len(ask(access).listing.images) == 13


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


# Logging in


def test_each_way_to_log_in(cloud, folder, caplog):
    """The token works, what proves the identity is a secret, and nothing is logged."""
    user = {"username": "demo", "user_domain_name": "Default"}
    project = {"project_name": "demo", "project_domain_name": "Default"}
    by_id = {"application_credential_secret": SECRET, "application_credential_id": CREDENTIAL}
    by_name = {"application_credential_secret": SECRET, "application_credential_name": "robot"}
    known, old = cloud.credentials["password"], cloud.account.token
    caplog.set_level("DEBUG")  # keystoneauth would log the whole token document
    ways = [
        ("password", password(cloud), {known}),
        ("v3applicationcredential", by_id, {SECRET, CREDENTIAL}),
        ("v3applicationcredential", by_name | user, {SECRET}),
    ]
    if SDK >= (4, 5):  # older ones send "None" in place of the token
        ways.append(("v3token", {"token": old} | project, {old}))
    for auth_type, auth, secrets in ways:
        auth["auth_url"] = f"{cloud.origin}/v3"
        write(folder, auth, auth_type=auth_type, region_name="RegionOne")
        access = clouds.connect("staging")
        assert (access.endpoint, access.timeout) == (f"{cloud.origin}/v2.1", 60)
        assert (access.token, access.secrets - {access.token}) == (cloud.tokens[-1], secrets)
        assert access.project_id == cloud.project_id
        assert access.user_id == cloud.account.user_id
        assert access.max_microversion == "2.104"
        assert caplog.text == ""
        assert lists(access)


def test_an_endpoint_without_keystone(cloud, folder):
    """A token and an endpoint, or no token. The endpoint may have no version document."""
    down, nowhere = "http://127.0.0.1:1/v2.1", f"{cloud.origin}/v2.1/nowhere"
    real = cloud.compute_url
    for auth_type, auth, more, endpoint, newest in (
        ("admin_token", {"endpoint": down, "token": "wrong"}, {}, down, None),
        ("password", password(cloud), {"compute_endpoint_override": nowhere}, nowhere, None),
        ("none", {}, {"compute_endpoint_override": real}, real, "2.104"),
    ):
        write(folder, auth, auth_type=auth_type, **more)
        access = clouds.connect("staging")
        assert (access.endpoint, access.max_microversion) == (endpoint, newest)
    auth = {"endpoint": real, "token": "deliberately-wrong"}
    write(folder, auth, auth_type="admin_token")  # this is how a 401 is recorded
    access = clouds.connect("staging")
    assert (access.project_id, access.renew) == ("", None)
    assert ask(access, expect=401).listing.error["code"] == 401


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

    def save(name, **clouds):
        (folder / name).write_text(json.dumps({"clouds": clouds}))

    harmless = {
        "username": "demo", "auth_url": "u", "access_token_endpoint": "e", "region_name": "r",
        "auth_methods": "m", "access_token_type": "t", "code_challenge_method": "c",
    }  # fmt: skip
    secret = {
        "password": "one", "passcode": 246810, "token": "two", "access_token": "three",
        "client_secret": "four", "code": "five", "application_credential_id": "six",
        "oauth2_client_secret": "seven", "consumer_key": "eight",
    }  # fmt: skip
    own = {str(each) for each in secret.values()}
    regions = [{"values": {"auth": {"password": 47114711}}}]
    other = {"auth": {"password": "Sup3rS3cretPassw0rd", "token": "images"}}
    for staging in ({"auth": {**secret, **harmless}}, {"auth": None, **secret, **harmless}):
        save("clouds.yaml", staging=staging | {"regions": regions, "verify": False}, other=other)
        for name, words in (
            ("staging", {*own, "47114711"}),
            ("unknown", set()),
            ("other", {"images"}),
        ):
            assert configured_secrets(name) == {"Sup3rS3cretPassw0rd", *words}
    save("secure.yaml", staging={"auth": {"password": "in-secure"}})
    save("elsewhere.yaml", staging={"auth": {"password": "in-another"}})
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "elsewhere.yaml"))
    monkeypatch.setenv("OS_PASSWORD", "in-variable")
    assert configured_secrets("staging") == {"in-secure", "in-another", "in-variable"}


# The endpoint


def two_regions(catalog):
    """Make RegionTwo's internal compute endpoint the only real one."""
    (compute,) = [service for service in catalog if service["type"] == "compute"]
    real, wrong = compute["endpoints"][0], "http://wrong.invalid/v2.1"
    compute["endpoints"] = [
        {**real, "region": region, "region_id": region, "interface": interface, "url": url}
        for region, interface, url in (
            ("RegionOne", "public", wrong),
            ("RegionOne", "internal", wrong),
            ("RegionTwo", "public", wrong),
            ("RegionTwo", "internal", real["url"]),
        )
    ]
    return catalog


def nothing(_):
    return []


def test_which_endpoint_is_taken(cloud, folder):
    """By region, interface and service type. An override wins. A new token must agree."""
    internal = {"region_name": "RegionTwo", "interface": "internal"}
    legacy = {"compute_service_type": "compute_legacy", "api_timeout": 7}
    for edit, more, path in (
        (two_regions, internal, "/v2.1"),
        (list, legacy, f"/v2/{cloud.project_id}"),
        (nothing, {"compute_endpoint_override": f"{cloud.origin}/v2.1"}, "/v2.1"),
        (nothing, {"compute_endpoint_override": cloud.origin}, "/v2.1"),
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
    """The error says what the catalog has, and shows no address."""
    region = "the service catalog has no compute endpoint for this region and interface"
    no_service = "the service catalog has no service of type 'compute'"
    no_project = "the service catalog is empty: the token is for no project"
    others = "it has: identity, image\nname another with compute_service_type"
    name_project = "name project_name and project_domain_name in the auth section"
    for edit, wrong, problem, remedy in (
        (two_regions, {"region_name": "RegionThree"}, region, "it has: RegionOne (internal), "),
        (two_regions, {"region_name": "RegionTwo", "interface": "admin"}, region, "it has: "),
        (lambda catalog: catalog[:2], {}, no_service, others),
        (nothing, {}, no_project, name_project),
    ):
        cloud.edit = edit
        write(folder, password(cloud), **wrong)
        error = refused("wrong.invalid")
        assert error.problem == problem
        assert error.remedy.startswith(remedy)
        assert "compute_endpoint_override" in error.remedy


def test_a_broken_endpoint(cloud, folder):
    """In the catalog or in clouds.yaml, it is one error, which does not show the URL."""
    secrets = [cloud.credentials["password"], "hunter2", "h\u00fcnter2"]
    message = (
        "the compute endpoint is not a valid http or https URL\n"
        f"  where: cloud 'staging' of {folder}/clouds.yaml, service compute, region RegionOne, "
        "interface public\n"
        "  next:  ask the cloud's operator to correct the service catalog\n"
        "  next:  or name the endpoint yourself: compute_endpoint_override: "
        "https://HOST:PORT/v2.1"
    )
    for url in ("http://[hunter2/v2.1", "ftp://hunter2/v2.1", 7, "http://h\u00fcnter2/v2.1"):
        cloud.edit = lambda catalog, url=url: with_endpoint(catalog, "compute", url)
        write(folder, password(cloud), region_name="RegionOne")
        assert str(refused(*secrets)) == message
        write(folder, password(cloud), region_name="RegionOne", compute_endpoint_override=url)
        assert str(refused(*secrets)) == message
        cloud.edit = lambda catalog, url=url: with_endpoint(catalog, "image", url)
        write(folder, password(cloud))
        assert clouds.connect("staging").endpoint == f"{cloud.origin}/v2.1"


def with_endpoint(catalog, kind, url):
    for service in catalog:
        if service["type"] == kind:
            service["endpoints"] = [each | {"url": url} for each in service["endpoints"]]
    return catalog


# What goes wrong


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
    problem = "clouds.yaml has no usable cloud"
    name_one = "name one that clouds.yaml has, or set OS_CLIENT_CONFIG_FILE to another file"
    assert refused().where.startswith("there is no clouds.yaml here, in the project's root")
    assert refused().remedy.startswith("write a clouds.yaml, or set OS_CLIENT_CONFIG_FILE")
    section = {"auth": password(cloud)}
    document = {"clouds": {"staging": section, "other": section}}
    (folder / "clouds.yaml").write_text(json.dumps(document))
    assert str(refused(cloud="stagin")) == (
        f"{problem} 'stagin'\n"
        f"  where: {folder}/clouds.yaml\n"
        "  next:  did you mean staging? it has: other, staging\n"
        f"  next:  {name_one}\n"
        "  next:  or map the name in imagedetail.yaml: stagin: {os_cloud: NAME}"
    )
    assert refused(cloud="envvars").problem == f"{problem} 'envvars'"
    with pytest.raises(
        CredentialsError, match=r"^no cloud is named\n(?s:.*)it has: other, staging$"
    ):
        clouds.configure(None)


def test_a_broken_file(folder, monkeypatch):
    """The error says what is wrong and where, and quotes nothing."""
    invalid, cloud = "the file is not valid YAML", ", cloud 'staging'"
    shape = "the file has no `clouds:` with a section for each cloud"
    for text, problem, place in (
        ("clouds:\n  staging: {auth: [\n", invalid, ", line 3, column 1"),
        ("hunter2\n", shape, ""),
        ("clouds: [hunter2]\n", shape, ""),
        *([("", "clouds.yaml has no usable cloud 'staging'", "")] if SDK >= (4, 7) else []),
    ):
        (folder / "clouds.yaml").write_text(text)
        error = refused("hunter2")
        assert error.problem.startswith(problem), text
        assert error.where == f"{folder}/clouds.yaml{place}"
    missing = "its auth section is incomplete: without"
    misfit = "its auth section does not fit its auth_type: "
    unreadable = "openstacksdk cannot read its section"
    line = ", line 3, column 22"
    for section, problem, place in (
        ("auth: {password: *hunter2}", invalid, line),
        ("auth: {password: !hunter2 x}", invalid, line),
        ("", f"{unreadable} (AttributeError)", cloud),
        ("auth: hunter2", f"{unreadable} (ValueError)", cloud),
        ("auth: {auth_url: 'http://{hunter2}/v3'}", f"{unreadable} (KeyError)", cloud),
        ("auth_type: v3pasword", "unknown auth_type 'v3pasword'", cloud),
        ("auth: {auth_url: 'http://a/v3', pasword: hunter2}", misfit, cloud),
        ("auth: {username: hunter2}", f"{missing} auth_url", cloud),
        ("profile: 'http://127.0.0.1:1/hunter2'", "its profile cannot be read: ", cloud),
        ("auth: {auth_url: 'http://a/v3'}", f"{missing} username and password", cloud),
        ("auth: {auth_url: 'http://a/v3', username: u}", f"{missing} password", cloud),
        ("auth: {auth_url: 'http://a/v3', password: hunter2}", f"{missing} username", cloud),
        ("auth_type: v3token\n    auth: {auth_url: 'http://a/v3'}", misfit, cloud),
    ):
        (folder / "clouds.yaml").write_text(f"clouds:\n  staging:\n    {section}\n")
        error = refused("hunter2")
        assert error.problem.startswith(problem), section
        assert error.where == f"{folder}/clouds.yaml{place}", section
    write(folder, {"auth_url": "hunter2.example/v3", "username": "u"})
    assert refused("hunter2").problem == "auth_url is not a valid http or https URL"
    (folder / "secure.yaml").write_text("clouds: {")
    assert refused().where == f"{folder}/secure.yaml, line 2, column 1"
    (folder / "secure.yaml").unlink()
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "typo.yaml"))
    assert refused().problem == "OS_CLIENT_CONFIG_FILE names a file that does not exist"
    monkeypatch.setitem(sys.modules, "openstack.config", None)
    with pytest.raises(CredentialsError, match="recording needs openstacksdk, which is not inst"):
        clouds.connect("staging")


# TLS


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
