"""A cloud has one name in every verb and every folder of a project."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from filelock import FileLock

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from pytest_imagedetail.body import yaml
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.server import Server
from pytest_imagedetail.workspace import reference_library


@pytest.fixture
def staging(tmp_path, monkeypatch):
    """Two clouds of clouds.yaml, `old` and `new`, which answer as two releases did."""
    shipped = Store(directory=tmp_path / "nothing", library=reference_library())
    with Server(shipped, "nova-2023.1") as old, Server(shipped, "nova-2024.2") as new:
        entries = {"old": old.clouds_yaml, "new": new.clouds_yaml}
        (tmp_path / "clouds.yaml").write_text(yaml.dump({"clouds": entries}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
        yield


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_record_takes_names(staging, imagedetail, tmp_path):
    """One, several, a glob, or every declared cloud if none is named."""
    ok(imagedetail("record", "old"))
    ok(imagedetail("record", "old", "new", "--query=limit=1"))
    (tmp_path / "imagedetail.yaml").write_text(
        'clouds:\n  before: {os_cloud: old, release: "2023.1"}\n  beyond: {os_cloud: new}\n'
    )
    ok(imagedetail("record", "be*"))
    ok(imagedetail("record", "--query=limit=1"))
    entries = json.loads(ok(imagedetail("ls", "--json")))
    found = {(each["cloud"], each["query"]) for each in entries}
    assert found == {
        *((cloud, "limit=1") for cloud in ("before", "beyond", "new", "old")),
        ("before", "all"),
        ("beyond", "all"),
        ("old", "all"),
    }
    assert "declared" not in (tmp_path / "imagedetail.yaml").read_text()


def test_names_that_are_refused(staging, imagedetail, tmp_path):
    """One name for several clouds, none at all, or one that differs in case only."""
    (tmp_path / "answer.json").write_text('{"images": []}')
    ok(imagedetail("import", "answer.json", "--cloud=old"))
    several = "are for one cloud, and these are"
    for arguments, says in (
        (("record", "one", "two", "--release=2023.1"), several),
        (("record", "one", "two", "--name=third"), several),
        (("record",), "no cloud is named"),
        (("record", "--os-cloud=old", "--name=OLD"), "differs from 'old' in case only"),
        (("import", "answer.json", "--cloud=Old"), "differs from 'old' in case only"),
    ):
        result = imagedetail(*arguments)
        assert (result.returncode, says in result.stderr) == (4, True), result.stderr
    (tmp_path / "imagedetail.yaml").write_text("clouds: {before: {os_cloud: old}}\n")
    for verb in (["record"], ["doctor"], ["serve", "--record"]):
        result = imagedetail(*verb, "befroe")
        assert (result.returncode, "did you mean before? " in result.stderr) == (2, True), verb
    for entry, says in (
        ("{os_cloud: old}", "declares 'before' as cloud 'old' of clouds.yaml\n"),
        ("{}", "as cloud 'before' of clouds.yaml, which is the default there\n"),
    ):
        (tmp_path / "imagedetail.yaml").write_text(f"clouds: {{before: {entry}}}\n")
        for verb in (["record"], ["serve", "--record"]):
            result = imagedetail(*verb, "--os-cloud=new", "--name=before")
            assert (result.returncode, says in result.stderr) == (4, True), result.stderr
            assert "set os_cloud: new in the entry of before in imagedetail.yaml" in result.stderr


def test_a_cloud_recorded_under_another_name_can_be_verified_by_it(staging, imagedetail, tmp_path):
    """`record` adds it to imagedetail.yaml and keeps what is there."""
    arguments = ("record", "--os-cloud", "old", "--name", "before", "--release", "2023.1")
    path = tmp_path / "imagedetail.yaml"
    entry = "  before:\n    os_cloud: old\n    release: '2023.1'\n"
    for text, expected in (
        ("", f"clouds:\n{entry}"),
        ("# ours\nbaseline: k5", f"# ours\nbaseline: k5\nclouds:\n{entry}"),
        ("clouds: {}\nbaseline: k5", f"clouds:\n{entry}baseline: k5\n"),
        ("clouds:  # ours\n  k5: {}\n", f"clouds:  # ours\n{entry}  k5: {{}}\n"),
        (
            "clouds:\n    k5: {}\n",
            "clouds:\n    before:\n      os_cloud: old\n      release: '2023.1'\n    k5: {}\n",
        ),
    ):
        path.write_text(text) if text else path.unlink(missing_ok=True)
        for shown in ("declared   imagedetail.yaml  before: old", ""):
            assert shown in ok(imagedetail(*arguments))
            assert path.read_text() == expected
    assert "cassettes/before/all.yaml  same" in ok(imagedetail("verify", "before"))
    path.write_text("clouds: {k5: {}}\n")
    result = imagedetail(*arguments)
    assert result.returncode == 0
    by_hand = 'imagedetail.yaml; add `before: {os_cloud: old, release: "2023.1"}` to its clouds'
    assert f"before could not be added to {by_hand}" in result.stderr
    assert path.read_text() == "clouds: {k5: {}}\n"


def test_two_clouds_declared_at_once(staging, imagedetail, tmp_path):
    """A command waits while another changes imagedetail.yaml, and keeps what that one added."""
    path = tmp_path / "imagedetail.yaml"
    with ThreadPoolExecutor() as pool:
        with FileLock(tmp_path / ".imagedetail.lock"):
            done = pool.submit(imagedetail, "record", "--os-cloud=old", "--name=before")
            while not (tmp_path / "cassettes/before/all.yaml").exists():
                time.sleep(0.01)
            time.sleep(0.2)  # without the lock, it would be declared now
            path.write_text("clouds:\n  other: {os_cloud: new}\n")
        ok(done.result())
    assert yaml.Files(ValueError, "").read(path)["clouds"].keys() == {"before", "other"}


def test_any_folder_of_the_project_will_do(staging, imagedetail, tmp_path, monkeypatch):
    """The root is found as pytest finds it; typed paths are relative to the current folder."""
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "imagedetail.yaml").write_text("clouds: {before: {os_cloud: old}}\n")
    ok(imagedetail("record", "before"))
    folder = tmp_path / "tests" / "deep"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert "../../cassettes/before/all.yaml" in ok(imagedetail("ls"))
    assert "nothing found" in ok(imagedetail("lint"))
    ok(imagedetail("record", "--query=limit=1"))
    assert (tmp_path / "cassettes/before/limit=1.yaml").is_file()
    ok(imagedetail("record", "new", "--cassette-dir=here"))
    assert (folder / "here/new/all.yaml").is_file()
    assert "no difference" in ok(imagedetail("diff", "before", "nova-2023.1", "--report=report.md"))
    assert (folder / "report.md").is_file()


def test_names_of_what_is_read(imagedetail, tmp_path):
    """Every verb takes globs, suggests a name for one it does not know, and refuses no folder."""
    one, new, wrong = "nova-2019.1", "nova-2026.2", "nvoa-2026.2"
    (tmp_path / "cassettes-k5").mkdir()
    accept = ("--path=x", "--reason=x", "--expires=never")
    for verb, *more in (
        *((verb,) for verb in ("ls", "show", "fingerprint", "serve")),
        *((verb, one) for verb in ("diff", "matrix")),
        ("accept", one, *accept),
    ):
        result = imagedetail(verb, *more, wrong)
        assert (result.returncode, f"unknown cloud '{wrong}'" in result.stderr) == (4, True), verb
        assert f"did you mean {new}? " in result.stderr
        result = imagedetail(verb, *more, new, "--cassette-dir=casettes-k5")
        assert (result.returncode, result.stdout) == (4, ""), verb
        assert result.stderr == (
            "imagedetail: there is no such folder\n"
            "  where: casettes-k5\n"
            "  next:  did you mean cassettes-k5? name another with --cassette-dir, or record into "
            "it\n"
        )
    assert "mean openstack-sample? " in imagedetail("show", "OPENSTACK-SAMPLE").stderr
    (tmp_path / "saved.json").write_text('{"images": []}')
    ok(imagedetail("import", "saved.json", "--cloud=k5", "--cassette-dir=new"))  # this makes it
    assert f"{new}, query all" in ok(imagedetail("show", "*-2026.2"))
    listed = ok(imagedetail("ls", "nova-2026.?"))
    assert {line.split()[0] for line in listed.splitlines()} == {"nova-2026.1", new}
    queries = {line.split()[1] for line in ok(imagedetail("ls", one)).splitlines()}
    assert {"all", "limit=0", "name=cirros-base"} <= queries
    result = imagedetail("diff", "nova-2026.*", one)
    assert result.returncode == 4
    assert "clouds, and exactly one is needed" in result.stderr
    assert "name one of them: nova-2026.1, " in result.stderr


def test_a_query_that_is_not_recorded_names_those_that_are(imagedetail, tmp_path):
    """As options, not as file names. Nothing can be added to a shipped cloud."""
    slips = {"name=cirros-bas": "name=cirros-base", "status=active": "status=ACTIVE"}
    for asked, recorded in slips.items():
        result = imagedetail("show", "nova-2026.2", f"--query={asked}")
        assert result.returncode == 2
        said = result.stderr.splitlines()
        assert said[2].endswith("shipped recordings cannot be added to; record a cloud of your own")
        assert said[3].startswith(f"  next:  or ask a recorded query: --query={recorded}, ")
        assert said[3].endswith("; imagedetail ls nova-2026.2 lists all")
    (tmp_path / "one.json").write_text('{"images": []}')
    typed = ("--query=name=a&b", "--query=status=ACTIVE")
    assert imagedetail("import", "one.json", "--cloud=own", *typed).returncode == 0
    options = "--query='name=a&b' --query=status=ACTIVE"
    assert f"ask a recorded query: {options}; " in imagedetail("show", "own").stderr
    (tmp_path / "other place").mkdir()
    result = imagedetail("show", "nova-2026.2", "--query=name=x", "--cassette-dir=other place")
    assert result.stderr.endswith("\n  next:  add --cassette-dir='other place' to such a command\n")


def test_a_query_that_fails_does_not_stop_a_suite(staging, imagedetail, tmp_path, monkeypatch):
    """Answers are kept, failed queries are named, and the exit code is 2."""
    ok(imagedetail("record", "old"))
    ok(imagedetail("record", "old", "--query=limit=1"))
    page = (tmp_path / "cassettes/old/limit=1.yaml").rename(tmp_path / "page.yaml")
    with Server(Store(directory=tmp_path / "cassettes"), "old") as poor:
        (tmp_path / "poor.yaml").write_text(yaml.dump({"clouds": {"poor": poor.clouds_yaml}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "poor.yaml"))
        result = imagedetail("record", "poor", "--suite=gate")
        checked = imagedetail("record", "poor", "--suite=check")
        page.rename(tmp_path / "cassettes/old/limit=1.yaml")
        verified = imagedetail("verify", "old", "--os-cloud=poor", "--query=limit=1")
    assert (verified.returncode, "status_changed" in verified.stdout) == (2, False)
    assert "the cloud answered 501, not 200 or 203: nothing is recorded" in verified.stderr
    # A missing recording is no answer of the cloud, so it is not recorded as one.
    assert (checked.returncode, checked.stdout) == (2, "")
    assert "the cloud did not answer 84 requests of 90: 501" in checked.stderr
    assert not (tmp_path / "cassettes/poor/tests").exists()
    assert result.returncode == 2
    assert "cassettes/poor/all.yaml  14 images" in result.stdout
    assert "the cloud answered 501, not 200 or 203: nothing is recorded for GET " in result.stderr
    assert "--expect=501" not in result.stderr
    assert "where: cloud poor, query limit=0" in result.stderr


def test_a_missing_recording_of_one_side_fails_the_matrix(staging, imagedetail, tmp_path):
    """Queries recorded from one cloud must be recorded from the other, unless a rule accepts it."""
    ok(imagedetail("record", "old", "--suite=gate"))
    ok(imagedetail("record", "new"))
    result = imagedetail("matrix", "old", "new", "--fail-on=none")
    assert result.returncode == 2
    assert "missing     new lacks 8 recordings that old has: " in result.stdout
    says = "; restore from version control, or imagedetail record new --like old\n"
    assert says in result.stdout
    assert "no difference; not compared: 8 missing recordings\n" in result.stdout
    assert json.loads(imagedetail("matrix", "old", "new", "--json").stdout)["matrices"][0]["lost"]
    ok(imagedetail("record", "new", "--like", "old"))
    (tmp_path / "cassettes/new/limit=0.yaml").unlink()
    result = imagedetail("matrix", "new", "old", "--report=r.html")
    assert result.returncode == 1
    assert "breaking    recording_missing  limit=0" in result.stdout
    rules_to_paste = re.findall("between: (.*?), reason", (tmp_path / "r.html").read_text())
    between, lost = "[&#34;new&#34;, &#34;old&#34;]", "query: &#34;limit=0&#34;"
    assert {each.partition(", query: ")[0] for each in rules_to_paste} == {between}
    assert f"{between}, {lost}" in rules_to_paste
    rule = "{path: recording, kind: recording_missing, query: limit=0, reason: new, expires: never}"
    (tmp_path / "imagedetail-rules.yaml").write_text(f"- {rule}")
    result = imagedetail("matrix", "new", "old")
    assert "expected    recording_missing recording: new (for good)" in result.stdout
    (tmp_path / "cassettes/old/all.yaml").unlink()
    result = imagedetail("matrix", "new", "old")
    assert result.returncode == 2
    assert result.stdout.partition("\n")[0].endswith("; not compared: 1 missing recording")
    # A query with placeholders would be another query.
    (tmp_path / "one.json").write_text('{"images": []}')
    ok(imagedetail("import", "one.json", "--cloud=old", "--query=property-db_password=x"))
    result = imagedetail("record", "new", "--like=old")
    assert (result.returncode, "property" in result.stdout) == (2, False)
    assert "the query holds placeholders, so the cloud cannot be asked" in result.stderr


def test_doubtful_comparisons_are_explained(imagedetail):
    """The same recording twice, two queries, or the newer release first."""
    old, new = "nova-2023.1", "nova-2024.2"
    result = imagedetail("diff", old, old)
    assert result.returncode == 4
    assert "baseline and candidate are the same recording" in result.stderr
    paths = [str(reference_library() / old / name) for name in ("all.yaml", "limit=1.yaml")]
    assert "two queries are compared: all and limit=1" in imagedetail("diff", *paths).stderr
    for verb in ("matrix", "diff"):
        assert f"{new} is a newer release than {old}" in imagedetail(verb, new, old).stdout
        assert "newer" not in imagedetail(verb, old, new).stdout
