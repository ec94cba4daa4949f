"""`imagedetail check`: text, JSON, exit codes and options."""

import json
import re
import shutil

import pytest
from unit import image_of


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


def test_clouds_with_the_same_failure_share_an_entry(imagedetail):
    shown = imagedetail("check", "nova-2025.2", "nova-2026.2", "--only=s1").stdout
    assert "\n\nnova-2025.2, nova-2026.2\nfail             S1   " in shown


def test_a_declared_cloud_without_a_recording_was_not_checked(imagedetail, tmp_path):
    """Nothing failed, but the exit code is 2."""
    (tmp_path / "imagedetail.yaml").write_text("clouds: {new: {}}")
    result = imagedetail("check", "new")
    assert result.returncode == 2
    assert "found    not recorded: imagedetail record new --suite check" in result.stdout


def test_options(imagedetail):
    """Without the budget for its requests, a check is inconclusive."""
    shown = imagedetail("check", "--list").stdout
    assert re.findall("^M[0-9]+", shown, re.MULTILINE) == [f"M{n}" for n in range(1, 28)]
    assert "S3   Can Nova read every image of Glance?" in shown
    assert "known: limit=0 is refused (since 2024.2)" in shown
    lines = imagedetail("check", "nova-2026.2", "--dry-run").stdout.splitlines()
    assert "nova-2026.2  GET /images/detail?type=ALL" in lines
    assert 60 < len(lines) < 200
    document = json.loads(imagedetail("check", "nova-2026.2", "--dry-run", "--json").stdout)
    assert [f"{each['cloud']}  {each['request']}" for each in document["requests"]] == lines
    # One request is kept for the listing at the end.
    chosen = ("--budget=3", "--only=M2", "--only=M1", "--json")
    checks = json.loads(imagedetail("check", "nova-2026.2", *chosen).stdout)["checks"]
    assert [each["verdict"] for each in checks] == ["pass", "inconclusive"]
    for arguments in ([], ["nova-2026.3"], ["nova-2026.2", "--only", "M28"]):
        assert imagedetail("check", *arguments).returncode == 4, arguments


@pytest.fixture
def check(imagedetail, tmp_path):
    """Check an imported cloud with images that have these fields."""

    def checked(*fields, cloud="staging", options=(), only="M24"):
        images = [image_of(number, **each) for number, each in enumerate(fields, 1)]
        (tmp_path / "body.json").write_text(json.dumps({"images": images[::-1]}))
        shutil.rmtree(tmp_path / "cassettes", ignore_errors=True)
        imagedetail("import", "body.json", "--cloud", cloud)
        result = imagedetail("check", cloud, f"--only={only}", *options)
        result.ids = re.findall(r"^ +id +(\S+)", result.stdout, re.MULTILINE)
        return result

    return checked


def test_a_rule_accepts_one_cause_until_it_expires(check, tmp_path):
    """A rule for other clouds, or for a difference, does not accept it; nor another cause.

    Rules with ids of other checks or of differences are not unused.
    """
    (id_,) = check({"minRam": "64"}).ids
    assert id_ == "M24-4432bdb99e6e"  # rules of users hold it, and the documentation shows it
    rules = tmp_path / "rules.yaml"
    for clouds, expires, code, says in (
        (
            "stag*",
            "never",
            0,
            "accepted GET /images/detail has another type of minRam: a proxy (for good)",
        ),
        ("nova-*", "never", 1, id_),
        ("stag*", "2020-01-01", 1, f"expired  {rules}, line 1: the rule for id {id_} expired on"),
    ):
        rules.write_text(
            f"- {{id: '{id_}', clouds: '{clouds}', reason: a proxy, expires: {expires}}}\n"
            "- {path: images.**, reason: no difference, expires: never}\n"
            "- {id: 0123456789ab, reason: no difference, expires: never}\n"
            "- {id: M23-0123456789ab, reason: another check, expires: never}\n"
        )
        result = check({"minRam": "64"}, options=["--rules", str(rules)])
        assert (result.returncode, says in result.stdout) == (code, True), expires
        assert "unused" not in result.stdout
    rules.write_text(f"- {{id: '{id_}', reason: a proxy, expires: never}}\n")
    both = {"minRam": "64", "minDisk": 1.5}
    for fields in ([both], [{"minRam": "64"}, {"minDisk": 1.5}]):
        result = check(*fields, options=["--rules", str(rules)])
        (other,) = result.ids
        assert (result.returncode, other != id_) == (1, True), fields
        assert "found    an image has another type of minDisk: number" in result.stdout
        assert "another type of minRam: a proxy (for good)" in result.stdout
    assert check(both).ids == [id_, other]
    rules.write_text(f"- {{id: '{other}', reason: a proxy, expires: 2020-01-01}}\n")
    shown = check(both, options=["--rules", str(rules)]).stdout
    assert shown.count(f"{rules}, line 1: the rule for id {other} expired") == 1
    rules.write_text(f"- {{id: '{id_}', reason: a proxy, expires: never}}\n")
    with rules.open("a") as file:
        file.write(f"- {{id: '{other}', reason: a proxy, expires: never}}\n")
    result = check(both, options=["--rules", str(rules)])
    accepted = re.findall("accepted .* another type of (.*): a proxy", result.stdout)
    assert (result.returncode, accepted) == (0, ["minRam", "minDisk"])


def test_a_rule_that_accepts_no_cause_is_unused(check, imagedetail, tmp_path):
    """A comparison reports only its own rules, and only a check that was judged knows."""
    rules = tmp_path / "imagedetail-rules.yaml"
    rules.write_text("- {id: M24-0123456789ab, reason: a proxy, expires: never}\n")
    unused = "imagedetail-rules.yaml, line 1: the rule for id M24-0123456789ab accepts nothing here"
    result = check({}, options=["--report=r.json", "--report=r.html", "--report=r.md"])
    for text in (result.stdout, *((tmp_path / f"r.{each}").read_text() for each in ("html", "md"))):
        assert f"unused rule: {unused}" in text
    (found,) = json.loads((tmp_path / "r.json").read_text())["unused_rules"]
    assert found["id"] == "M24-0123456789ab"
    assert unused in imagedetail("report", "r.json", "-o=again.json").stdout
    (id_,) = check({"minRam": "64"}).ids
    rules.write_text(f"- {{id: {id_}, reason: a proxy, expires: never}}\n")
    (tmp_path / "r.json").write_text((tmp_path / "r.json").read_text().replace(found["id"], id_))
    (tmp_path / "used.json").write_text(check({"minRam": "64"}, options=["--json"]).stdout)
    assert "unused" not in imagedetail("report", "r.json", "used.json", "-o=again.json").stdout
    rules.unlink()
    (tmp_path / "fails.json").write_text(check({"minRam": "64"}, options=["--json"]).stdout)
    assert "unused" in imagedetail("report", "r.json", "fails.json", "-o=again.json").stdout
    rules.write_text("- {id: M5-0123456789ab, reason: a proxy, expires: never}\n")
    result = check({}, only="M5")
    assert (result.stdout[:12], "unused" in result.stdout) == ("INCONCLUSIVE", False)
    rules.write_text("- {id: M44-0123456789ab, reason: there is no such check, expires: never}\n")
    assert "the rule for id M44-0123456789ab accepts nothing here" in check({}, only="M5").stdout
    result = imagedetail("diff", "staging", "nova-2026.2")
    assert ("staging to nova-2026.2" in result.stdout, "unused" in result.stdout) == (True, False)
    rules.write_text(f"- {{id: {id_}, query: limit=0, reason: a proxy, expires: never}}\n")
    result = check({})
    assert (result.returncode, "it may also have clouds" in result.stderr) == (4, True)


def test_the_id_of_a_cause_depends_on_no_value(check):
    """Images, clouds and values differ; a forecast has one for each path and name."""
    one = check({"progress": 7, "minDisk": "x"}, {}).ids
    assert check({}, {"progress": 9, "minDisk": True}, cloud="other").ids == one
    names = {"metadata": {"a/b": "1"}}, {"metadata": {"a/b": "2", "ö": "1"}}, {"updated": "x"}
    ids = check(*names, only="S1").ids
    assert len({*ids}) == 3
    assert check({"updated": "y"}, names[0], cloud="other", only="S1").ids == [ids[2], ids[0]]


def test_since_shows_a_new_cause(check, imagedetail, tmp_path):
    """Also one of a check that failed before; what was not judged is not gone."""
    old = {"minRam": "64", "progress": 7}
    (tmp_path / "old.json").write_text(check(old, options=["--json"]).stdout)
    result = check({"minRam": "0", "minDisk": "1"}, options=["--since=old.json"])
    since = "since old.json: 1 new cause, 1 known, 1 gone"
    assert since in result.stdout
    what = "M24 GET /images/detail has another type of minDisk, staging; id "
    assert f"new: fail {what}{result.ids[1]}" in result.stdout
    assert "gone: fail M24 GET /images/detail has a progress that does not fit" in result.stdout
    rules = tmp_path / "imagedetail-rules.yaml"
    rules.write_text(f"- {{id: '{result.ids[0]}', reason: a proxy, expires: never}}\n")
    result = check({"minRam": "0"}, options=["--since=old.json"])
    assert "0 new causes, 1 known, 1 accepted by a rule, 1 gone" in result.stdout
    shutil.rmtree(tmp_path / "cassettes")
    (tmp_path / "imagedetail.yaml").write_text("clouds: {staging: {}}")
    result = imagedetail("check", "staging", "--since=old.json")
    assert "0 new causes, 0 known, 2 not compared" in result.stdout
    document = json.loads((tmp_path / "old.json").read_text())
    del document["checks"][0]["evidence"]["causes"]
    (tmp_path / "older.json").write_text(json.dumps(document))
    result = imagedetail("check", "staging", "--since=older.json")
    assert (result.returncode, result.stdout) == (2, "")
    assert "M24 on staging has no causes" in result.stderr
