"""Every rule of lint: what breaks it, on which line, and that nothing else does."""

import base64
import dataclasses
import json
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.cassette import Store, dumps, traffic_name
from pytest_imagedetail.lint import RULES, Linter, lint
from pytest_imagedetail.model import Headers
from tests.unit import PROJECT, image_of, recording_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FERNET = "gAAAAABmX1" + "a" * 40


def linted(*paths, max_age=None, **releases):
    return lint(paths, Linter(releases=releases, max_age=max_age, now=NOW))


def found(*paths, **judged_by):
    """Rules and lines of what was found."""
    return [(each.rule, each.line) for each in linted(*paths, **judged_by).findings]


def line(path, part):
    """The line that a text stands on first."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, each in enumerate(lines, start=1) if part in each)


def described(text):
    """A recording of one image with this text in its metadata."""
    image = image_of(metadata={"description": text})
    return recording_of({"images": [image]}, recorded_at="2026-01-01T00:00:00Z")


def put(folder, recording, *, name=None):
    """A recording as a file, unseen by redaction and gate."""
    path = folder / (name or f"{recording.provenance.cloud}/all.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dumps(recording), encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "cassettes"


@pytest.fixture
def path(folder):
    """A sound cassette."""
    return put(folder, described("nothing to see"))


def test_a_sound_cassette_has_no_finding(path, folder):
    """By its path or by its folder, once."""
    assert linted(path, folder, path).findings == ()
    assert linted(path, folder, path).files == 1


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (FERNET, "secret"),
        ("-----BEGIN RSA PRIVATE KEY-----", "secret"),
        ("see https://nova.corp.test/images", "host"),
        ("see http%3A%2F%2Fnova.corp.test%2Fimages", "host"),
        ("see https://compute.a.invalid:8774/v2", "host"),
        ("answers on localhost:9292", "address"),
        ("built on 10.20.30.40", "address"),
        ("built on 127.0.0.1", "address"),
        ("built on 8.8.4.4", "address"),
        ("built on fe80::1", "address"),
        ("ask jane.doe@corp.test", "email"),
        ('{"password": "hunter"}', "secret"),
        ("OS_PASSWORD=x7", "secret"),
        ("OS_APPLICATION_CREDENTIAL_SECRET=x7", "secret"),
        ("token=" + "0f" * 16, "secret"),
        ("<adminPass>Xy7</adminPass>", "secret"),
        ("#cloud-config password: x7", "secret"),
        ("sk-proj-" + "0f" * 16, "secret"),
        (base64.b64encode(b"#cloud-config\npassword: x7").decode(), "secret"),
    ],
)
def test_what_redaction_should_have_replaced_is_found(folder, text, rule):
    """With its line; the finding never shows the value."""
    path = put(folder, described(text))
    (finding,) = linted(path).findings
    assert (finding.rule, finding.line) == (rule, line(path, '"description"'))
    assert text.split()[-1] not in str(finding)


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("10.20.30.40", []),
        ("fe80::1", []),
        ("a::b", []),
        ("https://nova.corp.test:8774/v2", []),
        ("localhost:9292", []),
        ("jane.doe@corp.test", []),
        (FERNET, ["secret"]),
        ("https://me:word@nova.corp.test/", ["secret"]),
    ],
)
def test_the_id_of_a_test_is_no_address(folder, name, rules):
    """Its author named it, and recording it again would not change it; a secret is one anywhere."""
    recording = described("nothing to see")
    facts = dataclasses.replace(recording.provenance, test=f"tests/test_a.py::test_b[{name}]")
    recording = dataclasses.replace(recording, provenance=facts)
    path = put(folder, recording, name=f"a/{traffic_name(facts.test)}")
    assert found(path) == [(rule, line(path, "test:")) for rule in rules]


def test_a_secret_over_two_lines_is_found_on_the_first(folder):
    """A header's name above its value in a body that is no JSON."""
    folder.mkdir()
    path = folder / "strange.yaml"
    path.write_text(
        "version: 1\ninteractions: [x]\nproxy-authorization2: y\nx-csrf-token:\n- abc\n"
    )
    assert found(path) == [("foreign", 1), ("secret", 4)]


def test_a_host_behind_the_placeholder_of_a_user_is_found(folder):
    """As redaction leaves a URL with a user; a placeholder behind it is no finding."""
    path = put(folder, described("see https://<redacted-1>:<redacted-2>@nova.corp.test/v2"))
    assert found(path) == [("host", line(path, "nova.corp.test"))]
    assert found(put(folder, described("see https://<redacted-1>@host.a.invalid/v2"))) == []


def test_a_url_with_a_password_is_found_twice(folder):
    """As a secret, and as a host that is no placeholder."""
    path = put(folder, described("see https://me:word@compute.a.invalid/v2"))
    at = line(path, "me:word")
    assert found(path) == [("host", at), ("secret", at)]


@pytest.mark.parametrize(
    "text",
    [
        "https://compute.a.invalid/v2/images, http://image-2.a.invalid",
        "at 192.0.2.17, 2001:db8::1 and 0.0.0.0",
        "ask user-1@example.invalid or root@example.com",
        "Basic installation, kernel 6.1.0, 08:00:00, localhost, std::map, x@y",
        "file:///images and 2024.1.2.3.4",
    ],
)
def test_placeholders_and_plain_words_are_left_alone(folder, text):
    """What redaction writes itself, and what only looks alike."""
    assert found(put(folder, described(text))) == []


@pytest.mark.parametrize("body", [f"\x85 {FERNET}", b"\xff\xfe " + FERNET.encode()])
def test_what_yaml_escapes_is_read_all_the_same(folder, body):
    """A quoted or binary body is judged by what it holds, at the line it starts on."""
    path = put(folder, recording_of(body))
    assert "\n      string: |" not in path.read_text()
    assert ("secret", line(path, "string:")) in found(path)


def test_a_header_that_carries_a_token_is_found(folder):
    """Its name is enough, in a request, an answer, or a body."""
    recording = recording_of({"images": []})
    page = dataclasses.replace(
        recording.interactions[0], request_headers=Headers([("x-auth-token", "replayed")])
    )
    path = put(folder, dataclasses.replace(recording, interactions=(page,)))
    assert found(path) == [("header", line(path, "x-auth-token"))]


@pytest.mark.parametrize("field", ["X-Auth-Token: [replayed]", '"set-cookie": "a"', "cookie : a"])
def test_a_header_that_carries_a_token_is_found_wherever_it_stands(path, field):
    """In the middle of a line, too, as YAML writes a mapping in braces."""
    text = path.read_text()
    path.write_text(text.replace("    headers: {}", f"    headers: {{Vary: b, {field}}}", 1))
    assert ("header", line(path, "Vary: b")) in found(path)


@pytest.mark.parametrize(
    ("change", "rule", "at", "message"),
    [
        (
            {"url": f"https://compute.other.invalid/v2/{PROJECT}/images/detail"},
            *("host", "uri:", "a placeholder of another cloud"),
        ),
        (
            {"url": f"https://compute.a.invalid/v2/{'0f' * 16}/images/detail"},
            *("id", "uri:", "a project that is no placeholder"),
        ),
        (
            {"url": f"https://compute.a.invalid/{'0f' * 16}/images/detail"},
            *("id", "uri:", "a project or a user that is no placeholder"),
        ),
        (
            {"url": f"https://admin:pw@compute.a.invalid/v2/{PROJECT}/images/detail"},
            *("host", "uri:", "a URL that holds a password"),
        ),
        (
            {"url": f"https://admin@compute.a.invalid/v2/{PROJECT}/images/detail"},
            *("host", "uri:", "a URL that holds a user"),
        ),
        (
            {"request_headers": Headers([("User-Agent", "python")])},
            *("header", "User-Agent:", "a header of the request that no recording keeps"),
        ),
    ],
)
def test_what_redaction_leaves_in_no_request_is_found(folder, change, rule, at, message):
    """Hosts and projects of others, and headers that are dropped; whoever made the hash."""
    recording = described("nothing to see")
    page = dataclasses.replace(recording.interactions[0], **change)
    path = put(folder, dataclasses.replace(recording, interactions=(page,)))
    findings = [each for each in linted(path).findings if each.rule != "secret"]
    assert [(each.rule, each.line, each.message) for each in findings] == [
        (rule, line(path, at), message)
    ]


def test_a_header_that_no_recording_keeps_is_found_in_an_answer(folder):
    """A request's id is another one each time."""
    recording = described("nothing to see")
    (page,) = recording.interactions
    headers = Headers([*page.response.headers.fields, ("x-openstack-request-id", "req-1")])
    page = dataclasses.replace(page, response=dataclasses.replace(page.response, headers=headers))
    path = put(folder, dataclasses.replace(recording, interactions=(page,)))
    assert found(path) == [("header", line(path, "x-openstack-request-id:"))]


def test_a_header_that_was_redacted_in_a_text_is_none(folder):
    """What stands there is a placeholder."""
    assert found(put(folder, described("X-Auth-Token: <redacted-1>"))) == []


def test_a_line_that_was_found_once_is_found_in_each_file(folder):
    """Lines are looked at once only while they are clean."""
    first, second = (
        put(folder, dataclasses.replace(described(FERNET), provenance=each.provenance))
        for each in (recording_of({}, cloud="a"), recording_of({}, cloud="b"))
    )
    secrets = [each.path for each in linted(folder).findings if each.rule == "secret"]
    assert secrets == [first, second]


@pytest.mark.parametrize(
    ("old", "new", "rule", "at"),
    [
        ("nothing to see", "something", "hash", "sha256:"),
        ("cloud: a", "cloud: b", "hash", "sha256:"),
        ("schema: 2", "schema: 9", "schema", "schema:"),
        ("version: 1\n", "version: 7\n", "version", "version:"),
        ("  pages: 1", "  pages: many", "hash", "sha256:"),
        ("'2026-01-01T00:00:00Z'", "2026-01-01", "hash", "sha256:"),
        ("interactions:", "interactions: []\nmore:", "format", "interactions:"),
        ("interactions:", "other:", "format", "version:"),
        ("    method: GET", "    method: GET\n  - what", "format", "- what"),
        ("    method: GET", "<<<<<<< HEAD\n    method: GET", "format", "<<<<<<<"),
    ],
)
def test_damage_is_found_where_it_is(path, old, new, rule, at):
    """Each kind has a rule of its own, and the line of the part that is wrong."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert found(path) == [(rule, line(path, at))]


@pytest.mark.parametrize(
    "content",
    [b"", b"[1, 2]", b"\xff\xfe", b"a: &a [*a]", b"!!python/object/apply:os.system [id]", b"just"],
)
def test_what_is_no_cassette_at_all_is_found(path, content):
    """Empty, a list, not UTF-8, a bomb, code: each is a finding, none is a crash."""
    path.write_bytes(content)
    assert found(path) == [("format", 1)]


def test_a_file_that_is_too_large_is_found_at_once(path, monkeypatch):
    """Replaying refuses it by its size, before anyone looks through it."""
    monkeypatch.setattr(yamltext, "_LARGEST_FILE", 2**20)
    path.write_text(path.read_text() + "x" * 2**20)
    (finding,) = linted(path).findings
    assert (finding.rule, finding.line) == ("format", 1)
    assert finding.message == "not a readable YAML file: it has more than 1 MiB"


def test_a_truncated_cassette_is_found(path):
    """Wherever it was cut, down to nothing."""
    text = path.read_text()
    for cut in range(0, len(text) - 2, 37):
        path.write_text(text[:cut])
        assert linted(path).findings, cut


def test_pages_that_lead_nowhere_are_found(folder):
    """A listing whose next page is not there does not replay."""
    beside = {"images_links": [{"rel": "next", "href": "https://compute.a.invalid/?marker=x"}]}
    path = put(folder, recording_of({"images": [image_of()], **beside}))
    assert found(path) == [("replay", line(path, "interactions:"))]


def test_a_recorded_error_is_no_finding(folder):
    """It was kept on purpose."""
    error = {"badRequest": {"code": 400, "message": "limit must be an integer"}}
    assert found(put(folder, recording_of(error, status=400))) == []


@pytest.mark.parametrize(
    ("name", "at", "own"),
    [("b/all.yaml", "cloud:", "a/all.yaml"), ("a/limit=1.yaml", "imagedetail:", "a/all.yaml")],
)
def test_a_file_under_anothers_name_is_found(folder, path, name, at, own):
    """Moved, it is misplaced; beside the original, it is a copy."""
    other = folder / name
    other.parent.mkdir(exist_ok=True)
    shutil.copy(path, other)
    (copy,) = linted(folder).findings
    assert (copy.path, copy.rule, copy.line) == (other, "duplicate", line(path, at))
    assert copy.message == f"a copy of {path}"
    path.unlink()
    (moved,) = linted(other).findings
    assert (moved.rule, moved.message) == ("misplaced", f"it is {own} by its provenance")


def test_traffic_of_a_test_lies_under_the_tests_name(folder):
    """Its own place is no finding, another one is."""
    recording = recording_of({"any": "thing"}, {"other": "thing"})
    provenance = dataclasses.replace(recording.provenance, test="tests/test_a.py::test_b")
    recording = dataclasses.replace(recording, provenance=provenance)
    name = traffic_name("tests/test_a.py::test_b")
    path = put(folder, recording, name=f"a/{name}")
    assert found(folder) == []
    moved = path.rename(path.with_name("test_c.yaml"))
    assert found(folder) == [("misplaced", line(moved, "test:"))]


def test_age_is_found_only_when_asked_for(folder, path):
    """Older is an error, and what has no date is named as not judged."""
    undated = put(folder, recording_of({"images": []}, cloud="b", source="imported"))
    assert found(folder) == []
    old, unknown = linted(folder, max_age=90).findings
    assert (old.path, old.rule, old.line) == (path, "age", line(path, "recorded_at:"))
    assert old.message == "it is 120 days old, and at most 90 are allowed"
    assert (unknown.path, unknown.rule, unknown.line) == (undated, "undated", 5)
    assert unknown.message == "imported, and nobody knows when, so its age is not judged"
    assert found(path, max_age=120) == []


def test_a_date_that_cannot_be_is_found(folder):
    """One that is still to come, asked or not; none at all, if it was recorded and ages count."""
    path = put(folder, recording_of({"images": []}, recorded_at="2099-01-01T00:00:00Z"))
    (finding,) = linted(path).findings
    assert (finding.rule, finding.line) == ("age", line(path, "recorded_at:"))
    assert finding.message.startswith("its date is 26543 days ahead of this machine's clock")
    path = put(folder, recording_of({"images": []}))
    assert found(path) == []
    assert found(path, max_age=90) == [("age", line(path, "source:"))]


def test_a_declaration_that_the_recording_contradicts_is_found(folder):
    """The release must be the declared one; a cloud that is not declared is noted once."""
    one = put(folder, recording_of({"images": []}, release="2024.1"))
    put(folder, recording_of({"images": []}, cloud="b"))
    again = recording_of({"images": []}, cloud="b", query="limit=1", source="imported")
    put(folder, again, name="b/limit=1.yaml")
    assert found(folder) == []
    assert found(folder, a="2024.1", b=None) == []
    assert found(folder, a="2026.2") == [("release", line(one, "release:")), ("undeclared", 4)]


def test_a_cassette_of_another_tool_is_found_with_its_secrets(folder):
    """YAML and JSON; hosts and addresses in it go without saying."""
    folder.mkdir()
    interaction = {
        "request": {"uri": "http://10.0.0.1/", "headers": {"X-Auth-Token": [FERNET]}},
        "response": {},
    }
    foreign = folder / "vcrpy.yaml"
    foreign.write_text(yamltext.dump({"interactions": [interaction], "version": 1}))
    assert found(foreign) == [("foreign", 1), ("header", 5), ("secret", 6)]
    for name, key in [("vcr.json", "interactions"), ("betamax.json", "http_interactions")]:
        (folder / name).write_text(json.dumps({key: [interaction]}))
        assert found(folder / name) == [("foreign", 1)]


def test_what_is_no_cassette_is_found_in_the_folder(folder, path):
    """Leftovers, locks and strangers; not what version control and readers need."""
    path.with_name(".all.0123.tmp").write_text("half")
    path.with_name("notes.json").write_text("{}")
    for welcome in (".imagedetail.lock", ".gitignore", ".gitattributes", "README.md"):
        (folder / welcome).write_text("x")
    assert [str(each).removeprefix(str(path.parent)) for each in linted(folder).findings] == [
        "/.all.0123.tmp:1: warning orphan left over from a write that was killed",
        "/notes.json:1: warning orphan no cassette, and nothing reads it",
    ]


def test_names_that_differ_in_capitals_are_found(folder, path):
    """A checkout on another system would keep one of the two."""
    put(folder, dataclasses.replace(recording_of({"images": []}, cloud="A")))
    assert found(folder) == [("case", 1)]


def test_what_cannot_be_read_is_found(folder, path, tmp_path):
    """Nothing there, a folder or a pipe in a file's place: each at once, none is waited for."""
    os.mkfifo(folder / "pipe.yaml")
    (folder / "folder.yaml").mkdir()
    missing = tmp_path / "missing.yaml"
    assert [(each.path.name, each.rule) for each in linted(folder, missing).findings] == [
        ("folder.yaml", "unreadable"),
        ("pipe.yaml", "unreadable"),
        ("missing.yaml", "unreadable"),
    ]


def test_links_to_folders_are_followed(folder, path, tmp_path):
    """A cloud's cassettes may lie elsewhere and are replayed all the same; a loop ends."""
    elsewhere = path.parent.rename(tmp_path / "elsewhere")
    (folder / "a").symlink_to(elsewhere)
    (elsewhere / "loop").symlink_to(folder)
    assert linted(folder).files == 1


def test_findings_are_one_line_each(path):
    """Whatever stands in a file, nothing of it moves the cursor or breaks the line."""
    path.write_text('version: "\\n\\e[31m"\ninteractions: []\nimagedetail: {}\n')
    (finding,) = linted(path).findings
    assert str(finding).isprintable()
    assert str(finding).startswith(f"{path}:1: error version unknown cassette version")


def test_what_the_store_writes_is_sound(folder):
    """Gate and lint agree: what one lets through, the other does."""
    Store(directory=folder).write(described("fine"), secrets=())
    assert found(folder) == []


def test_every_rule_says_what_to_do():
    """A meaning and a next step for each, under its own id."""
    assert all(key == rule.id for key, rule in RULES.items())
    assert all(rule.meaning and rule.remedy for rule in RULES.values())
