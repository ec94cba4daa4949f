"""`imagedetail doctor`: each step in one line, the error of the one that fails, nothing secret."""

import json
import re
from importlib import metadata

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from openstack.config import loader

from pytest_imagedetail.cli import main
from tests.cloud import SimulatedCloud

HEALTHY = """\
ok       openstacksdk      VERSION
ok       configuration     cloud 'staging' of FOLDER/clouds.yaml
ok       auth type         password
ok       token             valid for 24 h 0 min
ok       compute endpoint  /v2.1, region RegionOne, interface public
ok       max microversion  2.104
ok       release           not declared; 2.104 looks like Nova 2026.2
ok       images/detail     200, 1 image with limit=1, N ms
"""
REFUSED = """\
ok       openstacksdk      VERSION
ok       configuration     cloud 'staging' of FOLDER/clouds.yaml
ok       auth type         password
failed   token             Keystone gave no token: 401 Unauthorized
skipped  compute endpoint  needs: token
skipped  max microversion  needs: token
skipped  release           needs: token
skipped  images/detail     needs: token
"""
REFUSED_BECAUSE = """\
imagedetail: Keystone gave no token: 401 Unauthorized
  where: cloud 'staging' of FOLDER/clouds.yaml
  next:  user, password, project, a domain, token or application credential is wrong or has \
expired; Keystone does not say which: check its auth section and secure.yaml
  next:  `openstack --os-cloud staging token issue` must succeed
"""


@pytest.fixture
def clouds_yaml(tmp_path, monkeypatch):
    """Where the clouds.yaml of the test will be; the current folder is its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    return tmp_path / "clouds.yaml"


@pytest.fixture
def doctor(clouds_yaml, capsys):
    """Run it; gives exit code, stdout and stderr with what differs from run to run made equal."""

    def run(*arguments):
        code = main(["doctor", *arguments])
        streams = capsys.readouterr()
        shown = [
            re.sub(r"\d+ ms", "N ms", text)
            .replace(str(clouds_yaml.parent), "FOLDER")
            .replace(metadata.version("openstacksdk"), "VERSION")
            for text in (streams.out, streams.err)
        ]
        return code, *shown

    return run


@pytest.fixture
def cloud(clouds_yaml):
    """A cloud that runs and is in clouds.yaml as `staging`."""
    with SimulatedCloud(release="2026.2") as cloud:
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        yield cloud


def secrets_of(cloud):
    """Everything that must not be shown."""
    account = cloud.account
    return (account.token, account.password, account.user_id, cloud.project_id, "127.0.0.1")


def test_a_healthy_cloud(doctor, cloud, tmp_path):
    """Every step is ok; the only cloud there is need not be named; no secret, no file."""
    for arguments in (("staging",), ("--os-cloud", "staging"), ()):
        assert doctor(*arguments) == (0, HEALTHY, "")
    for arguments in (("staging",), ("staging", "--json")):
        _, out, err = doctor(*arguments)
        assert not [secret for secret in secrets_of(cloud) if secret in out + err]
    assert [path.name for path in tmp_path.iterdir()] == ["clouds.yaml"]


def test_wrong_credentials(doctor, cloud, clouds_yaml):
    """The step that fails, those that need it, and the error in full."""
    clouds_yaml.write_text(
        clouds_yaml.read_text().replace(cloud.credentials["password"], "not-the-password")
    )
    assert doctor("staging") == (2, REFUSED, REFUSED_BECAUSE)


def test_a_cloud_that_is_not_configured(doctor, clouds_yaml):
    """The places that were searched are named, or the near name."""
    code, _, err = doctor()
    assert (code, "where: there is no clouds.yaml here" in err) == (2, True)
    clouds_yaml.write_text("clouds: {staging: {}}")
    code, out, err = doctor("stagin")
    assert code == 2
    assert "failed   configuration     clouds.yaml has no usable cloud 'stagin'\n" in out
    assert "  next:  did you mean staging?\n" in err


def test_json(doctor, cloud, clouds_yaml):
    """One document on stdout, whether or not all is well."""
    code, out, _ = doctor("staging", "--json")
    document = json.loads(out)
    assert (code, document["schema"], document["ok"]) == (0, 1, True)
    assert document["steps"][4] == {
        "step": "compute endpoint",
        "verdict": "ok",
        "finding": "/v2.1, region RegionOne, interface public",
    }
    cloud.stop()
    code, out, err = doctor("staging", "--json")
    document = json.loads(out)
    verdicts = [step["verdict"] for step in document["steps"]]
    assert (code, document["ok"]) == (2, False)
    assert verdicts == ["ok"] * 3 + ["failed"] + ["skipped"] * 4
    assert "Keystone gave no token: it cannot be reached" in err


def test_the_project_in_the_endpoint_is_not_shown(doctor, cloud, clouds_yaml):
    """/v2/PROJECT keeps its form."""
    clouds_yaml.write_text(clouds_yaml.read_text() + "    compute_service_type: compute_legacy\n")
    code, out, _ = doctor()
    assert code == 0
    assert "compute endpoint  /v2/<project>, region RegionOne, interface public\n" in out
    assert "release           not declared, and nothing shows it\n" in out
    assert cloud.project_id not in out


def test_an_endpoint_that_is_not_novas(doctor, cloud, clouds_yaml):
    """The token is right, the answer is not."""
    override = cloud.compute_url.replace("/v2.1", "/v2.1/nowhere")
    clouds_yaml.write_text(clouds_yaml.read_text() + f"    compute_endpoint_override: {override}\n")
    code, out, err = doctor()
    assert code == 2
    assert "failed   images/detail     the cloud answered 404" in out
    assert "check that the compute endpoint in the catalog is right" in err
    assert not [secret for secret in secrets_of(cloud) if secret in out + err]


def test_a_project_without_images(doctor, clouds_yaml, tmp_path):
    """A recording of nothing would prove nothing: a warning."""
    (tmp_path / "seed.json").write_text("[]")
    with SimulatedCloud(release="2026.2", seed=tmp_path / "seed.json") as cloud:
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        code, out, _ = doctor()
    assert code == 0
    assert (
        "warning  images/detail     200, 0 images with limit=1, N ms: this project sees none\n"
        in out
    )


def test_the_declared_release(doctor, clouds_yaml, tmp_path):
    """It is compared with the newest microversion; the name is that of imagedetail.yaml."""
    for release, declared, found in (
        (
            "2026.2",
            "2026.2",
            "ok declared: 2026.2; 2.104 looks like Nova 2026.2",
        ),
        (
            "2026.2",
            "2023.1",
            "warning declared: 2023.1, but 2.104 looks like Nova 2026.2",
        ),
        (
            "2023.1",
            "2023.2",  # not measured: it lies between 2.95 and 2.96
            "ok declared: 2023.2; 2.95 looks like Nova 2023.1 or 2023.2",
        ),
        (
            "essex",
            "essex",
            "ok declared: essex; nothing of the cloud shows it",
        ),
    ):
        (tmp_path / "imagedetail.yaml").write_text(
            f'clouds:\n  ours: {{os_cloud: staging, release: "{declared}"}}\n'
        )
        with SimulatedCloud(release=release) as cloud:
            clouds_yaml.write_text(cloud.clouds_yaml("staging"))
            for arguments in (("ours",), ("--os-cloud", "staging"), ()):
                code, out, _ = doctor(*arguments)
                assert code == 0
                lines = [" ".join(line.split()) for line in out.splitlines()]
                assert found.replace(" ", " release ", 1) in lines


def test_an_admin_token(doctor, cloud, clouds_yaml):
    """Nobody knows how long it is valid, and a wrong one shows at the first answer."""
    auth = {"endpoint": cloud.compute_url, "token": "deliberately-wrong"}
    staging = {"auth_type": "admin_token", "auth": auth}
    clouds_yaml.write_text(json.dumps({"clouds": {"staging": staging}}))
    code, out, err = doctor()
    assert code == 2
    assert "token             as configured; its lifetime is not known\n" in out
    assert "failed   images/detail     the cloud answered 401" in out
    assert "deliberately-wrong" not in out + err
