"""`imagedetail doctor`: a line for each step, the error of the one that fails, and no secret.

tests/docs runs the output for a healthy cloud, in docs/recording.md.
"""

import json
import re
from importlib import metadata

import pytest

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
def doctor(imagedetail, tmp_path):
    """Run it; return exit code, stdout and stderr, without what varies from run to run."""

    def run(*arguments):
        done = imagedetail("doctor", *arguments)
        shown = [
            re.sub(r"until \S+ \S+ UTC", "until SOON", re.sub(r"\d+ ms", "N ms", text))
            .replace(str(tmp_path), "FOLDER")
            .replace(metadata.version("openstacksdk"), "VERSION")
            for text in (done.stdout, done.stderr)
        ]
        return done.returncode, *shown

    return run


def test_a_healthy_cloud(doctor, site):
    """Every step is ok; a single cloud need not be named. No secret is shown, no file written."""
    site.installs("2026.2")
    code, text, err = doctor("staging")
    assert (code, err, {line.split()[0] for line in text.splitlines()}) == (0, "", {"ok"})
    for arguments in (("--os-cloud", "staging"), ()):
        assert doctor(*arguments) == (0, text, "")
    code, out, err = doctor("staging", "--json")
    document = json.loads(out)
    assert (code, err, document["schema"], document["ok"]) == (0, "", 1, True)
    assert document["steps"][4] == {
        "step": "compute endpoint",
        "verdict": "ok",
        "finding": "/v2.1, region RegionOne, interface public",
    }
    account = site.cloud.account
    secrets = (account.token, account.password, account.user_id, account.project_id, "127.0.0.1")
    assert not [secret for secret in secrets if secret in out + text]
    assert {path.name for path in site.folder.iterdir()} == {"clouds.yaml", "seed.json"}


def test_what_fails(doctor, site):
    """It shows the failed step, those that need it, and the whole error, without a secret."""
    site.installs("2026.2")
    path = site.folder / "clouds.yaml"
    text = path.read_text()
    path.write_text(text.replace(site.cloud.credentials["password"], "not-the-password"))
    assert doctor("staging") == (2, REFUSED, REFUSED_BECAUSE)
    verdicts = [step["verdict"] for step in json.loads(doctor("--json")[1])["steps"]]
    assert verdicts == ["ok"] * 3 + ["failed"] + ["skipped"] * 4
    nowhere = f"    compute_endpoint_override: {site.cloud.compute_url}/nowhere\n"
    auth = {"endpoint": site.cloud.compute_url, "token": "deliberately-wrong"}
    staging = {"auth_type": "admin_token", "auth": auth}
    for wrong, says in (
        (text + nowhere, "failed   images/detail     the cloud answered 404"),
        (json.dumps({"clouds": {"staging": staging}}), "token             its lifetime is not"),
    ):
        path.write_text(wrong)
        code, out, err = doctor()
        assert (code, says in out) == (2, True), out
        assert "images/detail     the cloud answered 40" in err + out
        assert not [each for each in ("127.0.0.1", "deliberately-wrong") if each in out + err]


def test_another_endpoint_and_no_images(doctor, site):
    """The project is hidden; a cloud without images gets a warning: it would prove nothing."""
    site.installs("2026.2", edit=lambda images: images.clear())
    with (site.folder / "clouds.yaml").open("a") as file:
        file.write("    compute_service_type: compute_legacy\n")
    code, out, _ = doctor()
    assert code == 0
    for line in (
        "ok       compute endpoint  /v2/<project>, region RegionOne, interface public",
        "ok       release           not declared; the cloud does not show it",
        "warning  images/detail     200, 0 images with limit=1, N ms: this project sees none",
    ):
        assert f"{line}\n" in out
    assert site.cloud.project_id not in out


def test_the_declared_release(doctor, site):
    """It is compared with the newest microversion; the name is that of imagedetail.yaml."""
    for release, declared, found in (
        ("2026.2", "2026.2", "ok release declared: 2026.2; 2.104 looks like Nova 2026.2"),
        ("2026.2", "2023.1", "warning release declared: 2023.1; 2.104 looks like Nova 2026.2"),
        # not measured: it lies between 2.95 and 2.96
        ("2023.1", "2023.2", "ok release declared: 2023.2; 2.95 looks like Nova 2023.1 or 2023.2"),
        ("essex", "essex", "ok release declared: essex; the cloud does not show it"),
    ):
        site.declares(ours=declared)
        site.installs(release)
        for arguments in (("ours",), ("--os-cloud", "staging")):
            code, out, _ = doctor(*arguments)
            assert code == 0
            assert found in [" ".join(line.split()) for line in out.splitlines()]
