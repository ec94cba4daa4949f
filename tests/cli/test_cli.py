"""The command: output, messages, exit codes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_imagedetail.cli import parser

SAMPLE = {
    "images": [
        {
            "id": "70a599e0-31e7-49b7-b260-868f441e862b",
            "name": "cirros",
            "status": "ACTIVE",
            "progress": 100,
            "minRam": 0,
            "minDisk": 0,
            "created": "2011-01-01T01:02:03Z",
            "updated": "2011-01-01T01:02:03Z",
            "metadata": {"architecture": "x86_64"},
            "links": [
                {
                    "rel": "self",
                    "href": "http://10.1.2.3:8774/v2/demo/images/"
                    "70a599e0-31e7-49b7-b260-868f441e862b",
                }
            ],
        }
    ]
}


@pytest.fixture
def body(tmp_path) -> Path:
    """A saved answer."""
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(SAMPLE))
    return path


def changed(**fields) -> str:
    """The saved answer with other fields in its image."""
    return json.dumps({"images": [{**SAMPLE["images"][0], **fields}]})


def test_the_demo_shows_a_breaking_change(imagedetail, tmp_path):
    """Same, compatible and breaking; each command that it shows works in the folder it leaves."""
    result = imagedetail("demo")
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout
    listed = re.findall(r"^cassettes/(\S+)  (.+)$", result.stdout, re.MULTILINE)
    assert listed == [
        ("nova-2023.1/all.yaml", "14 images"),
        ("nova-2023.1/limit=abc.yaml", "answered 400"),
        ("nova-2023.1/limit=0.yaml", "14 images"),
        ("nova-2024.2/all.yaml", "14 images"),
        ("nova-2024.2/limit=abc.yaml", "answered 400"),
        ("nova-2024.2/limit=0.yaml", "answered 400"),
    ]
    folder = tmp_path / "imagedetail-demo"
    assert all((folder / "cassettes" / path).is_file() for path, _ in listed)
    assert re.findall(r"^(?:PASS|FAIL): .*", result.stdout, re.MULTILINE) == [
        "PASS: nova-2023.1 to nova-2024.2: no difference",
        "PASS: the only difference from nova-2023.1 to nova-2024.2 breaks no client",
        "FAIL: the only difference from nova-2023.1 to nova-2024.2 can break a client",
    ]
    assert f"The same as a page: {(folder / 'report.html').as_uri()}" in result.stdout
    assert "nova-2023.1 → nova-2024.2" in (folder / "report.html").read_text()
    commands = re.findall(r"^\$ imagedetail (diff .*)$", result.stdout, re.MULTILINE)
    commands += re.findall(r"&& imagedetail (show .*)$", result.stdout, re.MULTILINE)
    dir_ = ("--cassette-dir", "imagedetail-demo/cassettes")
    done = [imagedetail(*command.split(), *dir_) for command in commands]
    assert [each.returncode for each in done] == [0, 0, 1, 0]
    assert all(each.stdout in result.stdout for each in done[:3])
    for command in re.findall(r"^\$ imagedetail (.*?)(?: &)?$", result.stdout, re.MULTILINE):
        parser().parse_args(command.split())


def test_import_ls_show(imagedetail, body):
    """A saved body becomes a cassette without its hosts and project, and can be looked at."""
    result = imagedetail("import", str(body), "--cloud", "manual", "--query", "status=ACTIVE")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("new  cassettes/manual/status=active-")
    assert result.stdout.endswith("1 image; redacted: 2 hosts, 2 ids\n")
    (entry,) = json.loads(imagedetail("ls", "--json").stdout)
    assert list(entry) == [
        "cloud", "query", "status", "images", "complete", "recorded_at", "path",
    ]  # fmt: skip
    assert entry["cloud"] == "manual"
    assert entry["query"] == "status=ACTIVE"
    assert entry["recorded_at"] is None
    shown = imagedetail("show", "manual", "--query", "status=ACTIVE")
    assert "cirros  ACTIVE  100" in shown.stdout
    shown = json.loads(imagedetail("show", entry["path"], "--json").stdout)
    assert shown["images"][0]["links"][0]["href"] == (
        f"https://compute.manual.invalid/v2/{0:032x}/images/70a599e0-31e7-49b7-b260-868f441e862b"
    )


def test_import_refuses_what_is_not_a_listing(imagedetail, tmp_path):
    """Nothing is made of a body that is not what it should be."""
    for text, problem in (
        ("", "the body is empty, so it is not a listing"),
        ("[]", "the body is JSON, but not a listing of images: it has no `images` (a list)"),
        ('{"error": {"code": 401}}', "it has no `images` (an object with error)"),
        ('{"images": {}}', "`images` is an object with no fields"),
        ('{"images": [{"name": "x"}]}', "images[0] is not an object with an `id`"),
        ("<html><body>Bad gateway</body></html>", "the body is HTML, not JSON"),
        ("<images><image>", "the body cannot be read as XML: no element found"),
    ):
        (tmp_path / "body.json").write_text(text)
        result = imagedetail("import", "body.json", "--cloud", "manual")
        assert result.returncode == 2, text
        assert problem in result.stderr
        assert "next:" in result.stderr
    assert not (tmp_path / "cassettes").exists()


def test_diff_exit_codes(imagedetail, body, tmp_path):
    """Data differences pass by default, breaking ones fail, `--fail-on` moves the bar."""
    (tmp_path / "renamed.json").write_text(changed(name="debian"))
    (tmp_path / "broken.json").write_text(changed(progress="100"))
    assert imagedetail("diff", "answer.json", "renamed.json").returncode == 0
    assert imagedetail("diff", "answer.json", "renamed.json", "--fail-on=change").returncode == 1
    assert imagedetail("diff", "answer.json", "broken.json").returncode == 1
    assert imagedetail("diff", "answer.json", "broken.json", "--fail-on=none").returncode == 0


def test_diff_json_is_one_document(imagedetail, body, tmp_path):
    """Schema 1, a value that one side lacks is left out, and nothing else is on stdout."""
    image = {key: value for key, value in SAMPLE["images"][0].items() if key != "minDisk"}
    (tmp_path / "other.json").write_text(json.dumps({"images": [image]}))
    result = imagedetail("diff", "answer.json", "other.json", "--json")
    assert result.returncode == 1
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert document["schema"] == 1
    assert document["same"] is document["compatible"] is False
    (difference,) = document["differences"]
    assert difference == {
        "id": "c7ca14659bf7",
        "kind": "field_removed",
        "severity": "breaking",
        "path": "images[70a599e0-31e7-49b7-b260-868f441e862b].minDisk",
        "image": {"id": "70a599e0-31e7-49b7-b260-868f441e862b", "name": "cirros"},
        "count": 1,
        "reason": "the baseline's release promises it for every image",
        "baseline": 0,
    }


def test_usage_errors(imagedetail):
    """Exit 4 (2 for a file that is not there), a message that ends with what to do next."""
    for arguments, message in (
        ("", "the following arguments are required: VERB"),
        ("dance", "invalid choice: 'dance'"),
        ("diff one", "the following arguments are required: CANDIDATE"),
        ("doctor one --os-cloud other", "not allowed with argument"),
        ("show ../etc", "the file cannot be read: No such file or directory"),
        ("show a,b", "unknown cloud 'a,b'"),
        ("show nova-2026.2 --query status", "a query is NAME=VALUE, not 'status'"),
        ("import x.json --cloud ../up", "'../up' cannot be the name of a cloud"),
        ("import x.json --cloud x --release 2031.1", "unknown release '2031.1'"),
        ("lint --max-age=soon", "the maximum age is a whole number of days, not 'soon'"),
        ("lint --max-age=9999999", "the maximum age is a whole number of days, not '9999999'"),
        ("lint --max-age=", "the maximum age is a whole number of days, not ''"),
        ("matrix nova-2026.2", "only one is there"),
        ("matrix nova-2026.2 nova-2027.1", "unknown cloud 'nova-2027.1'"),
        (
            "matrix a.yaml HEAD:a.yaml",
            "this is a path\n  where: a.yaml\n  next:  compare two paths",
        ),
        ("verify nova-2026.2", "nova-2026.2 is of the reference library, whose clouds cannot"),
        ("matrix keystone-*", "no cloud matches 'keystone-*'"),
        ("matrix nova-2023.1 nova-2024.2 --report m.pdf", "unknown report suffix '.pdf'"),
        ("diff nova-2023.1 nova-2024.2 --rules gone.yaml", "No such file or directory"),
    ):
        result = imagedetail(*arguments.split())
        assert result.returncode == (2 if "show ../etc" in arguments else 4), arguments
        assert result.stdout == "", arguments
        assert message in result.stderr, arguments
        assert "next:" in result.stderr, arguments


def test_an_unknown_option_leads_to_its_verb(imagedetail):
    """With the option that is nearest, if one is near."""
    for arguments, near in (
        ("matrix nova-2023.1 --fail_on x", "did you mean --fail-on? "),
        ("show nova-2023.1 --microverson=2.1", "did you mean --microversion? "),
        ("show nova-2023.1 nova-2024.2", ""),
        ("ls --zzz", ""),
        ("rules --list", ""),  # it does nothing else
    ):
        result = imagedetail(*arguments.split())
        verb = arguments.split()[0]
        assert result.returncode == 4
        assert f"imagedetail {verb}: unrecognized arguments: " in result.stderr
        assert result.stderr.endswith(f"  next:  {near}imagedetail {verb} --help\n")


def test_a_reader_that_has_enough_is_no_error(tmp_path, body):
    """`imagedetail ... | head -1` ends quietly."""
    command = f"{sys.executable} -m pytest_imagedetail show answer.json --json | head -1"
    result = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
