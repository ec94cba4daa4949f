"""Each rule of lint: what breaks it, and on which line."""

import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import dumps, traffic_name
from pytest_imagedetail.lint import Linter, lint
from pytest_imagedetail.model import Headers, isotime
from tests.unit import image_of, recording_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FERNET = "gAAAAABmX1" + "a" * 40
OTHER = "0f3c" * 8


def linted(*paths, max_age=None, **releases):
    folder = paths[0] if paths[0].name == "cassettes" else Path("/nowhere")
    return lint(paths, Linter(releases=releases, max_age=max_age, now=NOW, folder=folder))


def found(*paths, **judged_by):
    return [(each.rule, each.line) for each in linted(*paths, **judged_by).findings]


def line(path, part):
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, each in enumerate(lines, start=1) if part in each)


def described(text):
    image = image_of(metadata={"description": text})
    return recording_of({"images": [image]}, recorded_at="2026-01-01T00:00:00Z")


def put(folder, recording, *, name=None):
    """Write a recording without redaction and final check."""
    path = folder / (name or f"{recording.provenance.cloud}/all.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(recording), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cassettes"


@pytest.fixture
def path(folder):
    return put(folder, described("nothing to see"))


def test_what_redaction_would_replace_is_found_with_its_place(folder):
    """The finding names the path in the body and does not show the value."""
    for name, value, rule in (
        ("password", "hunter", "secret"),
        ("note", f"see {FERNET}", "secret"),
        ("setting", "OS_PASSWORD=x7", "secret"),
        ("page", "see https://nova.corp.test/images", "host"),
        ("owner_id", OTHER, "id"),
        ("fixed_ip", "10.1.2.3", "address"),
    ):
        path = put(folder, recording_of({"images": [image_of(metadata={name: value})]}))
        (finding,) = linted(path).findings
        assert (finding.rule, finding.line) == (rule, line(path, "string: |") - 1), name
        place = f"interactions[0].response.body: images[0].metadata.{name}"
        assert finding.message.endswith(place)
        assert value.split()[-1] not in str(finding)
    repeated = '{"images": [], "password": "hunter2-7741", "password": ""}'
    for body in (repeated, f"\x85 {FERNET}", b"\xff\xfe " + FERNET.encode()):  # YAML escapes these
        assert "secret" in {rule for rule, _ in found(put(folder, recording_of(body)))}
    sound = described("nothing to see")
    (page,) = sound.interactions
    response = page.response
    strange = Headers([*response.headers.fields, ("x-openstack-request-id", "req-1")])
    for fields, rule, at in (
        ({"url": f"https://compute.a.invalid/v2/{OTHER}/images/detail"}, "id", "uri:"),
        ({"request_body": b'{"password": "hunter2-77"}'}, "secret", "body:"),
        ({"response": replace(response, headers=strange)}, "header", "headers:"),
        ({"response": replace(response, reason="token=hunter2-77")}, "secret", "response:"),
    ):
        path = put(folder, replace(sound, interactions=(replace(page, **fields),)))
        (finding,) = linted(path).findings
        assert finding.rule == rule, fields
        assert path.read_text().splitlines()[finding.line - 1].strip().startswith(at), fields


def test_texts_that_only_look_sensitive_are_warnings(folder):
    """They stay in recordings, so someone has to look; what only looks alike is left alone."""
    place = "interactions[0].response.body: images[0].metadata.description"
    for text, what in (
        ("built on 127.0.0.1:9292", "a private IP address"),
        ("built on fd00::17.", "a private IP address"),
        ("built on build7.corp", "an internal host name"),
        ("answers on localhost:9292", "an internal host name"),
        ("255.255.255.0, 8.8.4.4, 240.0.0.1, a::b, root@example.com, a@b.invalid", None),
        ("https://compute.a.invalid/v2/images, http://image.a.invalid", None),
        ("at 192.0.2.17, 2001:db8::1 and 0.0.0.0", None),
        ("ask git@host:path or x@y or git@git.corp.test:a", None),
        ("Basic installation, kernel 6.1.0-17, 08:00:00, localhost, std::map", None),
    ):
        findings = linted(put(folder, described(text))).findings
        found = [(each.rule, each.severity, each.message) for each in findings]
        expected = [("suspicious", "warning", f"{what}: {place}")] if what else []
        assert found == expected, text


def test_the_name_of_a_test_is_searched_for_secrets_only(folder):
    """Its author chose it, so recording it again would not change it."""
    names = {"10.20.30.40": [], "https://nova.corp.test:8774/v2": [], "jane.doe@corp.test": []}
    for name, rules in {**names, FERNET: ["secret"]}.items():
        recording = recording_of({"what": "a client of its own asks"})
        facts = replace(recording.provenance, test=f"tests/test_a.py::test_b[{name}]")
        recording = replace(recording, provenance=facts)
        path = put(folder, recording, name=f"a/{traffic_name(facts.test)}")
        assert found(path) == [(rule, line(path, "test:")) for rule in rules], name


def test_damage_is_found_where_it_is(path):
    """Each kind of damage has a rule, and the line of the damaged part."""
    text = path.read_text()
    for old, new, rule, at in (
        ("nothing to see", "something", "hash", "sha256:"),
        ("cloud: a", "cloud: b", "hash", "sha256:"),
        ("schema: ", "schema: 9", "schema", "schema:"),
        ("version: 1\n", "version: 7\n", "version", "version:"),
        ("interactions:", "interactions: []\nmore:", "format", "interactions:"),
        ("interactions:", "other:", "format", "version:"),
        ("    method: GET", "    method: GET\n  - what", "format", "- what"),
    ):
        assert old in text
        path.write_text(text.replace(old, new, 1))
        assert found(path) == [(rule, line(path, at))], new
    path.write_bytes(b"\xff\xfe")
    assert found(path) == [("format", 1)]


def test_pages_that_do_not_follow_each_other_are_found(folder):
    """A recorded error is not a finding: it was kept on purpose."""
    beside = {"images_links": [{"rel": "next", "href": "https://compute.a.invalid/?marker=x"}]}
    path = put(folder, recording_of({"images": [image_of()], **beside}))
    assert found(path) == [("replay", line(path, "interactions:"))]
    error = {"badRequest": {"code": 400, "message": "limit must be an integer"}}
    assert found(put(folder, recording_of(error, status=400))) == []


def test_a_file_under_another_name_is_found(folder, path):
    """Beside the original it is a copy; without it, it is misplaced."""
    for name, at in (("b/all.yaml", "cloud:"), ("a/limit=1.yaml", "imagedetail:")):
        other = folder / name
        other.parent.mkdir(exist_ok=True)
        shutil.copy(path, other)
        (copy,) = linted(folder).findings
        assert (copy.path, copy.rule, copy.line) == (other, "duplicate", line(path, at))
        assert copy.message == f"a copy of {path}"
        path.write_text(f"# other\n{path.read_text()}")
        assert [each.rule for each in linted(other).findings] == ["misplaced"]
        path.unlink()
        (moved,) = linted(other).findings
        assert (moved.rule, moved.message) == ("misplaced", "its provenance says it is a/all.yaml")
        other.rename(path)


def test_age_is_judged_when_asked(folder, path):
    """A date in the future is always found. An imported body has no date, which is noted."""
    undated = put(folder, recording_of({"images": []}, cloud="b", source="imported"))
    assert found(folder) == []
    old, unknown = linted(folder, max_age=90).findings
    assert (old.path, old.rule, old.line) == (path, "age", line(path, "recorded_at:"))
    assert (unknown.path, unknown.rule, unknown.line) == (undated, "undated", 5)
    path = put(folder, recording_of({"images": []}, recorded_at=isotime(NOW - timedelta(90))))
    too_old = [("age", line(path, "recorded_at:"))]
    assert [found(path, max_age=days) for days in (90, 89)] == [[], too_old]
    path = put(folder, recording_of({"images": []}, recorded_at="2099-01-01T00:00:00Z"))
    assert found(path) == [("age", line(path, "recorded_at:"))]
    path = put(folder, recording_of({"images": []}))
    assert found(path, max_age=90) == [("age", line(path, "source:"))]


def test_contradicted_declarations_are_found(folder):
    """The release must be the declared one. An undeclared cloud is noted once."""
    one = put(folder, recording_of({"images": []}, release="2024.1"))
    put(folder, recording_of({"images": []}, cloud="b"))
    again = recording_of({"images": []}, cloud="b", query="limit=1", source="imported")
    put(folder, again, name="b/limit=1.yaml")
    assert found(folder, a="2024.1", b=None) == found(folder) == []
    assert found(folder, a="2026.2") == [("release", line(one, "release:")), ("undeclared", 4)]
    facts = {"cloud": "c", "source": "imported"}
    put(folder, recording_of({"images": []}, max_microversion="2.95", **facts))
    other = recording_of({"images": []}, query="limit=1", max_microversion="2.96", **facts)
    path = put(folder, other, name="c/limit=1.yaml")
    assert found(folder) == [("release", line(path, "imagedetail:"))]


def test_cassettes_of_other_tools_are_found_with_their_secrets(folder):
    """In YAML and JSON, unless they hold nothing that must not be committed."""
    (folder / "a").mkdir(parents=True)
    path = folder / "vcrpy.yaml"
    response = {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "{}"}}
    request = {"uri": "http://10.0.0.1/", "method": "GET", "body": None}
    interactions = [{"request": request, "response": response}]
    for headers, rules in (
        ({"X-Auth-Token": [FERNET]}, ["foreign", "secret"]),
        ({"Accept": []}, []),
    ):
        request["headers"] = headers
        path.write_text(yamltext.dump({"interactions": interactions, "version": 1}))
        lines = [1, line(path, FERNET)] if rules else []
        assert found(path) == list(zip(rules, lines, strict=True))
        assert not [each for each in linted(path).findings if "imagedetail record" in each.remedy]
        for name, key in (("vcr.JSON", "interactions"), ("betamax.json", "http_interactions")):
            (folder / name).write_text(json.dumps({key: interactions}))
            assert found(folder / name) == [(rule, 1) for rule in rules], name
    shutil.copy(path, folder / "a")
    assert found(folder / "a" / path.name) == []
    assert found(folder)[:1] == [("foreign", 1)]  # nothing replays it beside a cloud's listings
    path.write_text(yamltext.dump({"http_interactions": []}))
    (finding,) = linted(path).findings
    assert finding.rule == "format"
    assert "the recording has no list of interactions" in finding.message


def test_stray_files_are_found_and_searched(folder, path, tmp_path):
    """In the folder of cassettes each file has to be one; elsewhere only recordings are checked."""
    (folder / ".imagedetail.lock").touch()
    assert found(folder) == []
    for name in (".all.0123.tmp", "notes.json", "picture.png"):  # the first is of a killed write
        (folder / name).write_bytes(b"{}" if "png" not in name else bytes(range(256)))
        assert [str(each) for each in linted(folder).findings] == [
            f"{folder / name}:1: warning orphan not a recording"
        ]
        (folder / name).unlink()
    shutil.copytree(folder, tmp_path / "old" / "k5")
    shutil.copytree(folder, tmp_path / ".hidden")
    (tmp_path / "docker-compose.yaml").write_text("services: {}")
    (tmp_path / "broken.yaml").write_text("{{ template }}")
    (tmp_path / "package.json").write_text('{"description": "interactions"}')
    (folder / "notes.json").write_text("{}")
    done = lint([tmp_path], Linter(releases={}, max_age=None, now=NOW, folder=folder))
    assert [(each.path, each.rule) for each in done.findings] == [(folder / "notes.json", "orphan")]
    assert (done.files, done.skipped) == (4, 2)
    for name, charset in (("README.md", "utf-8"), ("notes.json", "ascii"), ("notes.txt", "utf-16")):
        (folder / name).write_text(f"once\n{FERNET}\n", encoding=charset)
    secrets = [each.path.name for each in linted(folder).findings if each.rule == "secret"]
    assert secrets == ["README.md", "notes.json", "notes.txt"]
    assert found(folder / "notes.txt") == [("orphan", 1), ("secret", 2)]


def test_names_and_files_that_cannot_be_used_are_found(folder, path, tmp_path):
    """Names that differ in case, pipes, and missing or huge files. None is read."""
    put(folder, recording_of({"images": []}, cloud="A"))
    assert found(folder) == [("case", 1)]
    shutil.rmtree(folder / "A")
    (folder / "linked").symlink_to(folder)  # a loop of links ends
    assert linted(folder).files == 1
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()  # a cloud may have such a name
    with (folder / "disk.img").open("wb") as file:
        file.truncate(yamltext.LARGEST + 1)
    findings = linted(folder, tmp_path / "missing.yaml").findings
    names = ["disk.img", "pipe.yaml", "missing.yaml"]
    assert [(each.path.name, each.rule) for each in findings] == [
        (name, "unreadable") for name in names
    ]
