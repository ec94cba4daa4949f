"""`imagedetail doctor`: a line for each step, the error of the one that fails, and no secret.

tests/docs runs the output for a healthy cloud, in docs/recording.md.
"""

import json

import pytest


@pytest.fixture
def doctor(imagedetail):
    def run(*arguments):
        done = imagedetail("doctor", *arguments)
        lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
        return done.returncode, lines, done.stderr

    return run


def test_a_healthy_cloud(doctor, imagedetail, site):
    """Every step is ok; a single cloud need not be named. No secret is shown, no file written."""
    site.installs("2026.2")
    for arguments in (("staging",), ("--os-cloud", "staging"), ()):
        code, lines, err = doctor(*arguments)
        assert (code, err, [line[:3] for line in lines]) == (0, "", ["ok "] * 8)
        assert lines[4] == "ok compute endpoint /v2.1, region RegionOne, interface public"
    done = imagedetail("doctor", "staging", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["schema"], document["ok"]) == (0, 1, True)
    facts = {"step": "compute endpoint", "verdict": "ok"}
    assert document["steps"][4] == facts | {
        "finding": lines[4].removeprefix("ok compute endpoint ")
    }
    account = site.cloud.account
    secrets = (account.token, account.password, account.user_id, account.project_id, "127.0.0.1")
    assert not [secret for secret in secrets if secret in done.stdout + str(lines)]
    assert {path.name for path in site.folder.iterdir()} == {"clouds.yaml"}


def test_what_fails(doctor, imagedetail, site):
    """It shows the failed step, those that need it, and the whole error, without a secret."""
    site.installs("2026.2")
    path = site.folder / "clouds.yaml"
    text, password = path.read_text(), site.cloud.credentials["password"]
    nowhere = f"    compute_endpoint_override: {site.cloud.compute_url}/nowhere\n"
    auth = {"endpoint": site.cloud.compute_url, "token": "deliberately-wrong"}
    admin = {"clouds": {"staging": {"auth_type": "admin_token", "auth": auth}}}
    for wrong, number, says, remedy in (
        (text.replace(password, "wrong"), 3, "Keystone gave no token: 401", "wrong or has expired"),
        (text + nowhere, 7, "the cloud answered 404", "  next:  "),
        (json.dumps(admin), 7, "the cloud answered 401", "  next:  "),
    ):
        path.write_text(wrong)
        code, lines, err = doctor()
        assert code == 2
        steps = [line.split()[0] for line in lines]
        assert steps == ["ok"] * number + ["failed"] + ["skipped"] * (7 - number)
        assert (says in lines[number], says in err, remedy in err) == (True, True, True), err
        assert not [each for each in ("127.0.0.1", "deliberately-wrong") if each in f"{lines}{err}"]
        document = json.loads(imagedetail("doctor", "--json").stdout)
        assert (document["ok"], [each["verdict"] for each in document["steps"]]) == (False, steps)


def test_another_endpoint_and_no_images(doctor, site):
    """The project is hidden; a cloud without images gets a warning: it would prove nothing."""
    site.installs("2026.2", edit=lambda images: images.clear())
    with (site.folder / "clouds.yaml").open("a") as file:
        file.write("    compute_service_type: compute_legacy\n")
    code, lines, _ = doctor()
    assert code == 0
    assert "ok compute endpoint /v2/<project>, region RegionOne, interface public" in lines
    assert lines[-1].startswith("warning images/detail 200, 0 images with limit=1, ")
    assert lines[-1].endswith(" ms: this project sees none")


def test_the_declared_release(doctor, site):
    """It is compared with the newest microversion."""
    for release, declared, found in (
        ("2026.2", "2026.2", "ok release declared: 2026.2; 2.104 looks like Nova 2026.2"),
        ("2026.2", "2023.1", "warning release declared: 2023.1; 2.104 looks like Nova 2026.2"),
        # not measured: it lies between 2.95 and 2.96
        ("2023.1", "2023.2", "ok release declared: 2023.2; 2.95 looks like Nova 2023.1 or 2023.2"),
        ("essex", "essex", "ok release declared: essex; the cloud does not show it"),
    ):
        site.declares(ours=declared)
        site.installs(release)
        code, lines, _ = doctor("ours")
        assert (code, lines[6]) == (0, found)
