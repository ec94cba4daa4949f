"""`imagedetail doctor`: each step in one line, the error of the one that fails, nothing secret."""

import json
import re
from importlib import metadata

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from tests.cloud import SimulatedCloud

HEALTHY = """\
ok       openstacksdk      VERSION
ok       configuration     cloud 'staging' of FOLDER/clouds.yaml
ok       auth type         password
ok       token             valid until SOON
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
def clouds_yaml(tmp_path):
    """Where the clouds.yaml of the test is."""
    return tmp_path / "clouds.yaml"


@pytest.fixture
def doctor(imagedetail, clouds_yaml):
    """Run it; gives exit code, stdout and stderr with what differs from run to run made equal."""

    def run(*arguments):
        done = imagedetail("doctor", *arguments)
        shown = [
            re.sub(r"until \S+ \S+ UTC", "until SOON", re.sub(r"\d+ ms", "N ms", text))
            .replace(str(clouds_yaml.parent), "FOLDER")
            .replace(metadata.version("openstacksdk"), "VERSION")
            for text in (done.stdout, done.stderr)
        ]
        return done.returncode, *shown

    return run


@pytest.fixture
def cloud(clouds_yaml):
    """A cloud that runs and is in clouds.yaml as `staging`."""
    with SimulatedCloud(release="2026.2") as cloud:
        clouds_yaml.write_text(cloud.clouds_yaml("staging"))
        yield cloud


def test_a_healthy_cloud(doctor, cloud, tmp_path):
    """Every step is ok; the only cloud there is need not be named; no secret, no file."""
    for arguments in (("staging",), ("--os-cloud", "staging"), ()):
        assert doctor(*arguments) == (0, HEALTHY, "")
    code, out, err = doctor("staging", "--json")
    document = json.loads(out)
    assert (code, err, document["schema"], document["ok"]) == (0, "", 1, True)
    assert document["steps"][4] == {
        "step": "compute endpoint",
        "verdict": "ok",
        "finding": "/v2.1, region RegionOne, interface public",
    }
    account = cloud.account
    secrets = (account.token, account.password, account.user_id, cloud.project_id, "127.0.0.1")
    assert not [secret for secret in secrets if secret in out + HEALTHY]
    assert [path.name for path in tmp_path.iterdir()] == ["clouds.yaml"]


def test_wrong_credentials(doctor, cloud, clouds_yaml):
    """The step that fails, those that need it, and the error in full."""
    clouds_yaml.write_text(
        clouds_yaml.read_text().replace(cloud.credentials["password"], "not-the-password")
    )
    assert doctor("staging") == (2, REFUSED, REFUSED_BECAUSE)
    code, out, _ = doctor("staging", "--json")
    verdicts = [step["verdict"] for step in json.loads(out)["steps"]]
    assert (code, verdicts) == (2, ["ok"] * 3 + ["failed"] + ["skipped"] * 4)


def test_endpoints(doctor, cloud, clouds_yaml):
    """/v2/PROJECT keeps its form; one that is not Nova's fails; a token may be configured."""
    text = clouds_yaml.read_text()
    clouds_yaml.write_text(f"{text}    compute_service_type: compute_legacy\n")
    code, out, _ = doctor()
    assert code == 0
    assert "compute endpoint  /v2/<project>, region RegionOne, interface public\n" in out
    assert "release           not declared; nothing of the cloud shows it\n" in out
    assert cloud.project_id not in out
    nowhere = f"{cloud.compute_url}/nowhere"
    clouds_yaml.write_text(f"{text}    compute_endpoint_override: {nowhere}\n")
    code, out, err = doctor()
    assert code == 2
    assert "failed   images/detail     the cloud answered 404" in out
    assert "check that the compute endpoint in the catalog is right" in err
    assert "127.0.0.1" not in out + err
    auth = {"endpoint": cloud.compute_url, "token": "deliberately-wrong"}
    staging = {"auth_type": "admin_token", "auth": auth}
    clouds_yaml.write_text(json.dumps({"clouds": {"staging": staging}}))
    code, out, err = doctor()
    assert code == 2
    assert "token             its lifetime is not known\n" in out
    assert "failed   images/detail     the cloud answered 401" in out
    assert "deliberately-wrong" not in out + err


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
        ("2026.2", "2026.2", "ok release declared: 2026.2; 2.104 looks like Nova 2026.2"),
        ("2026.2", "2023.1", "warning release declared: 2023.1; 2.104 looks like Nova 2026.2"),
        # not measured: it lies between 2.95 and 2.96
        ("2023.1", "2023.2", "ok release declared: 2023.2; 2.95 looks like Nova 2023.1 or 2023.2"),
        ("essex", "essex", "ok release declared: essex; nothing of the cloud shows it"),
    ):
        (tmp_path / "imagedetail.yaml").write_text(
            f'clouds:\n  ours: {{os_cloud: staging, release: "{declared}"}}\n'
        )
        with SimulatedCloud(release=release) as cloud:
            clouds_yaml.write_text(cloud.clouds_yaml("staging"))
            for arguments in (("ours",), ("--os-cloud", "staging"), ()):
                code, out, _ = doctor(*arguments)
                assert code == 0
                assert found in [" ".join(line.split()) for line in out.splitlines()]
