"""`imagedetail check`: text, JSON, exit codes and options."""

import json
import re


def test_every_verdict_has_its_evidence(imagedetail):
    """The JSON document has the documented keys, and each verdict its requests and counts."""
    document = json.loads(imagedetail("check", "nova-2026.2", "--json").stdout)
    assert document["schema"] == 1
    for each in document["checks"]:
        assert each.keys() == {"id", "cloud", "verdict", "relation", "evidence"}
        evidence = each["evidence"]
        assert "counted" in evidence or each["id"] == "S3"  # needs Glance
        assert evidence["requests"]
        if each["verdict"] != "pass":
            assert evidence["reason"]
        if each["verdict"] == "known-deviation":
            assert evidence["known_deviations"][0]["source"]
            assert evidence["curl"].startswith('curl -i -H "X-Auth-Token: $OS_TOKEN"')


def test_text_begins_with_the_verdict(imagedetail):
    """Checks that pass share a line."""
    lines = imagedetail("check", "nova-2026.2", "--no-forecast").stdout.splitlines()
    assert lines[0].startswith("INCONCLUSIVE: none of 27 checks fails; ")
    assert any(line.startswith("pass             M1 M2") for line in lines)
    assert "imagedetail record NAME --suite check" in lines[3]


def test_the_forecast_names_each_image(imagedetail):
    """It says where, why, since which release, what Nova will answer, and how to fix it."""
    result = imagedetail("check", "nova-2026.2", "--forecast-only")
    assert result.returncode == 1
    for line in (
        "FAIL: 1 of 3 checks fails; 1 passes, 1 inconclusive",
        "400 instead of the listing, under [api] response_validation = error from 2025.2 on",
        "images[8].metadata 'größe'",
        "fix      openstack image unset --property 'größe' 5eed0006-0000-4000-8000-000000000006",
        "'größe' does not match any of the regexes: '^[a-zA-Z0-9-_:. ]{1,255}$'",
        "counted  1 listing",
    ):
        assert line in result.stdout, line
    document = json.loads(imagedetail("check", "nova-2026.2", "--only=s1", "--json").stdout)
    (finding,) = document["checks"][0]["evidence"]["findings"]
    assert finding["command"].endswith("'größe' 5eed0006-0000-4000-8000-000000000006")
    fleet = imagedetail("check", "nova-2025.2", "nova-2026.2", "--only=s1").stdout
    assert "\n\nnova-2025.2, nova-2026.2\nfail             S1   " in fleet


def test_a_declared_cloud_without_a_recording_was_not_checked(imagedetail, tmp_path):
    """Nothing failed, but the exit code is 2."""
    (tmp_path / "imagedetail.yaml").write_text("clouds: {new: {}}")
    result = imagedetail("check", "new")
    assert result.returncode == 2
    assert "found    not recorded: imagedetail record new --suite check" in result.stdout


def test_list(imagedetail):
    result = imagedetail("check", "--list")
    assert result.returncode == 0
    ids = [line.split()[0] for line in result.stdout.splitlines() if line[0] == "M"]
    assert ids == [f"M{number}" for number in range(1, 28)]
    assert "S3   Can Nova read every image of Glance?" in result.stdout
    assert "known: limit=0 is refused (since 2024.2)" in result.stdout


def test_dry_run(imagedetail):
    """It lists the requests, as text and as JSON."""
    lines = imagedetail("check", "nova-2026.2", "--dry-run").stdout.splitlines()
    assert "nova-2026.2  GET /images/detail?type=ALL" in lines
    assert 60 < len(lines) < 200
    document = json.loads(imagedetail("check", "nova-2026.2", "--dry-run", "--json").stdout)
    assert [f"{each['cloud']}  {each['request']}" for each in document["requests"]] == lines


def test_budget(imagedetail):
    """A check whose requests exceed the budget is inconclusive."""
    result = imagedetail("check", "nova-2026.2", "--budget=3", "--no-forecast", "--json")
    found = {each["id"]: each["verdict"] for each in json.loads(result.stdout)["checks"]}
    assert (result.returncode, found["M24"], found["M27"]) == (0, "pass", "inconclusive")


def test_usage(imagedetail):
    for arguments in ([], ["nova-2026.3"], ["nova-2026.2", "--only", "M28"]):
        assert imagedetail("check", *arguments).returncode == 4


def test_a_rule_accepts_a_failure_by_its_id_until_it_expires(imagedetail, tmp_path):
    """A rule for other clouds, or for a difference, does not accept it."""
    command = ("check", "fujitsu-k5", "--no-forecast")
    result = imagedetail(*command)
    assert result.returncode == 1
    assert result.stdout.startswith("FAIL: 1 of 27 checks fails; ")
    (id_,) = re.findall(r"^ +id +([0-9a-f]{12})$", result.stdout, re.MULTILINE)
    rules = tmp_path / "rules.yaml"
    for clouds, expires, code, says in (
        ("fujitsu-*", "never", 0, "accepted: a proxy (for good)"),
        ("nova-*", "never", 1, "id"),
        ("fujitsu-*", "2020-01-01", 1, f"; the rule of {rules}, line 1 expired on 2020-01-01"),
    ):
        rules.write_text(
            f"- {{id: '{id_}', clouds: '{clouds}', reason: a proxy, expires: {expires}}}\n"
            "- {path: images.**, reason: no difference, expires: never}\n"
        )
        result = imagedetail(*command, "--rules", str(rules))
        assert (result.returncode, says in result.stdout) == (code, True), expires
