"""The command: output, messages, exit codes."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from unit import image_of, recording_of

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cli import parser
from pytest_imagedetail.redact import Known

GOLDEN = Path(__file__).parents[1] / "golden"
IMAGE = image_of(1)
LINK = {"rel": "self", "href": f"http://10.1.2.3:8774/v2/demo/images/{IMAGE['id']}"}


@pytest.fixture
def body(tmp_path):
    def body(file="answer.json", **fields):
        image = image_of(1, links=[LINK], **fields)
        (tmp_path / file).write_text(json.dumps({"images": [image]}))
        return file

    return body


def test_the_demo_shows_a_breaking_change(imagedetail, tmp_path):
    """The commands that it prints can be run, and print what it shows."""
    result = imagedetail("demo")
    assert (result.returncode, result.stderr) == (0, "")
    folder = tmp_path / "imagedetail-demo"
    assert f"The same as a page: {(folder / 'report.html').as_uri()}" in result.stdout
    assert "nova-2023.1 → nova-2024.2" in (folder / "report.html").read_text()
    codes = []
    for command in re.findall(r"^\$ imagedetail (.*?)(?: &)?$", result.stdout, re.MULTILINE):
        parser().parse_args(command.split())
        if command.startswith("diff "):
            done = imagedetail(*command.split(), "--cassette-dir=imagedetail-demo/cassettes")
            assert done.stdout in result.stdout
            codes.append(done.returncode)
    assert codes == [0, 0, 1]


def test_what_is_recorded_is_listed(imagedetail, cassettes):
    """Traffic of tests after listings. A damaged file and a cloud without one are errors."""
    for cloud in ("nova-essex", "staging"):
        facts = {"cloud": cloud, "test": "test_own.py::test_images", "plugin": "1"}
        recording = recording_of({}, {}, **facts)
        Store(directory=cassettes).write(recording, known=Known())
    counted = {
        each["cloud"]: (each["source"], each["cassettes"], each["tests"])
        for each in json.loads(imagedetail("clouds", "--json").stdout)
    }
    assert (counted["nova-essex"], counted["staging"]) == (("cassettes", 2, 1), ("cassettes", 0, 1))
    assert counted["nova-2026.2"][0] == "cassettes and library"
    table = [line.split() for line in imagedetail("clouds").stdout.splitlines()]
    assert table[0] == ["cloud", "release", "listings", "tests", "from"]
    assert ["staging", "-", "0", "1", "cassettes"] in table
    path = "cassettes/staging/tests/test_own/test_images.yaml"
    listed = imagedetail("ls").stdout.splitlines()
    assert listed[-1].split()[:4] == ["staging", "test_own.py::test_images", "-", "2"]
    assert (len(listed), listed[-1].endswith(path)) == (6, True)
    (cassettes.parent / "imagedetail.yaml").write_text("clouds: {ghost: {}}")
    done = imagedetail("ls", "staging", "ghost")
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 1)
    assert "nothing is recorded for cloud 'ghost'" in done.stderr
    assert "next:  in a shell: imagedetail record ghost\n" in done.stderr
    damaged = cassettes.parent / path
    damaged.write_text(damaged.read_text().replace("pages: 2", "pages: 3"))
    done = imagedetail("ls")
    assert (done.returncode, len(done.stdout.splitlines()), path in done.stderr) == (2, 5, True)


def test_diff_exit_codes(imagedetail, body):
    """Data differences pass by default, breaking ones fail, `--fail-on` moves the bar."""
    body()
    for name, options, code in (
        (body("renamed.json", name="debian"), (), 0),
        ("renamed.json", ("--fail-on=change",), 1),
        (body("broken.json", progress="100"), (), 1),
        ("broken.json", ("--fail-on=none",), 0),
    ):
        done = imagedetail("diff", "answer.json", name, *options)
        assert (done.returncode, done.stderr) == (code, ""), (name, options)
    done = imagedetail("diff", "nova-2026.2", "fujitsu-k5", "--level", "shape")
    assert (done.returncode, done.stdout) == (1, (GOLDEN / "shape.txt").read_text("utf-8"))


def test_fingerprints_of_saved_bodies(imagedetail, body, tmp_path):
    """A declared release that is wrong, any text in a clue, and a listing without clues."""
    odd = body(**{"OS-DCF:diskConfig": "\x1b" + "x" * 100})
    (tmp_path / "none.json").write_text('{"images": []}')
    imagedetail("import", odd, "--cloud=a", "--release=2012.1")
    for name, code, says in (
        ("a", 1, "the declared release 2012.1 does not fit: the link alternate is"),
        (odd, 1, "x...  1 image  "),
        ("none.json", 2, "imagedetail: nothing in these answers dates a release\n"),
    ):
        done = imagedetail("fingerprint", name)
        assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done
        assert "\x1b" not in done.stdout


def test_a_query_is_taken_as_it_is_shown(imagedetail):
    """In one --query; `all` selects that query and not all queries."""
    shown = [
        each["query"] for each in json.loads(imagedetail("ls", "nova-2023.1", "--json").stdout)
    ]
    assert {"all", "all @9.9", "foo=x&limit=5", "name=Z%FCrich"} <= {*shown}
    for text in shown:
        done = imagedetail("show", "nova-2023.1", "--query", text, "--json")
        assert json.loads(done.stdout)["query"] == text, done.stderr
    done = imagedetail("matrix", "nova-2023.1", "nova-2026.2", "--query=all")
    assert ", 2 clouds, query all, 2 answers," in done.stdout
    file = str(GOLDEN.parents[1] / "cassettes/nova-2023.1/limit=0.yaml")
    assert "'limit=0', not to 'all'\n" in imagedetail("show", file, "--query=all").stderr


def test_usage_errors(imagedetail):
    """Exit 4 (2 for a file that is not there), and a remedy at the end of each message."""
    for arguments, message in (
        ("", "the following arguments are required: VERB"),
        ("lnit", "did you mean lint? imagedetail --help"),
        ("matrix nova-2023.1 --fail_on x", "did you mean --fail-on? imagedetail matrix --help"),
        ("show nova-2023.1 nova-2024.2", "unrecognized arguments: nova-2024.2"),
        ("ls --zzz", "next:  imagedetail ls --help"),
        ("diff a b --expect 0", "'0' is not the status of an error, such as 400"),
        ("record a --expect 200", "'200' is not the status of an error, such as 400"),
        ("diff a b --profile=same-cluod", "did you mean same-cloud? imagedetail diff --help"),
        ("diff one", "the following arguments are required: CANDIDATE"),
        ("doctor one --os-cloud other", "not allowed with argument"),
        ("show ../etc", "the file cannot be read: No such file or directory"),
        ("show nova-2026.2 --query status", "a query is NAME=VALUE, not 'status'"),
        ("show nova-2026.2 --query all@9.9", "a query is NAME=VALUE, not 'all@9.9'"),
        (
            "show nova-2026.2 --query 'all @2.1' --microversion 2.2",
            "one microversion, and these are 2.1",
        ),
        ("import x.json --cloud ../up", "'../up' cannot be the name of a cloud"),
        ("lint --max-age=", "the maximum age is a whole number of days, not ''"),
        ("matrix nova-2026.2", "two clouds or more, not 1"),
        ("matrix a.yaml HEAD:a.yaml", "a path\n  where: a.yaml\n  next:  compare two paths"),
        ("verify nova-2026.2", "nova-2026.2 is in the reference library, and verify needs"),
        ("fingerprint nowhere", "imagedetail record nowhere"),
        ("matrix nova-2023.1 nova-2024.2 --report m.pdf", "unknown report suffix '.pdf'"),
        ("diff nova-2023.1 nova-2024.2 --rules gone.yaml", "No such file or directory"),
    ):
        result = imagedetail(*shlex.split(arguments))
        assert result.returncode == (2 if "show ../etc" in arguments else 4), arguments
        assert result.stdout == "", arguments
        assert message in result.stderr, arguments
        assert "next:" in result.stderr, arguments


def test_a_reader_that_has_enough_is_no_error(tmp_path, body):
    command = f"{sys.executable} -m pytest_imagedetail show {body()} --json | head -1"
    result = subprocess.run(
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""


def test_names_that_the_terminal_cannot_show(imagedetail, tmp_path):
    """They are escaped, as on a console of Windows or in a pipe there."""
    image = {"id": "1", "name": "\N{GRINNING FACE}", "status": "ACTIVE"}
    (tmp_path / "a.json").write_text(json.dumps({"images": [image]}))
    (tmp_path / "b.json").write_text(json.dumps({"images": [image | {"name": "é"}]}))
    for encoding in ("cp1252", "ascii"):
        for arguments, code in ((("show", "a.json"), 0), (("diff", "a.json", "b.json"), 0)):
            done = subprocess.run(
                [sys.executable, "-m", "pytest_imagedetail", *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONIOENCODING": encoding},
                capture_output=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (code, b"")
            assert b"\\U0001f600" in done.stdout
