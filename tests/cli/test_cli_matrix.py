"""`imagedetail matrix`: what changed from one cloud to the next."""

import json
import shutil
import sys
from functools import partial
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
LIBRARY = Path(__file__).parents[2] / "cassettes"


@pytest.fixture
def matrix(imagedetail):
    return partial(imagedetail, "matrix")


def test_what_changed_between_the_releases_of_nova(matrix, monkeypatch):
    """Nine real releases and all recorded queries, also in a terminal of 80 columns."""
    result = matrix("nova-20??.?")
    assert result.stdout == (GOLDEN / "matrix.txt").read_text(encoding="utf-8")
    assert (result.returncode, result.stderr) == (1, "")
    monkeypatch.setattr("sys.stdout", sys.stdout)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = matrix("nova-20??.?").stdout.splitlines()
    head, row, *_ = lines[lines.index("") + 1 :]
    assert (head.split()[1], head.split()[9]) == ("2019.1", "2026.2")
    assert row.startswith("limit=0       200/14 200/14 ")
    assert {each for each in lines if len(each) > 80} == set()
    monkeypatch.setenv("COLUMNS", "100")
    lines = matrix("nova-20??.?", "--all").stdout.splitlines()
    assert "changes-since=2024-01-06T08:01:00Z    200/10 200/10" in "\n".join(lines)
    assert {each for each in lines if len(each) > 100} == set()


def test_without_names_the_clouds_stand_in_families(matrix, imagedetail, tmp_path):
    """Clouds whose names differ in the release only; the others are named."""
    result = matrix("--json")
    (library,) = json.loads(result.stdout)["matrices"]
    releases = [each["release"] for each in library["clouds"]]
    assert (len(releases), releases) == (9, sorted(releases))
    assert result.stderr.startswith("imagedetail: left out: fujitsu-k5, openstack-sample")
    (tmp_path / "body.json").write_text('{"images": []}')
    for name in ("b-2024.2", "a-2023.1", "a-2024.2", "b-2023.1"):
        imagedetail("import", "body.json", "--cloud", name, "--release", name[2:])
    imagedetail("import", "body.json", "--cloud", "alone", "--release", "2026.2")
    result = matrix("--json")
    families = [
        [each["cloud"] for each in one["clouds"]] for one in json.loads(result.stdout)["matrices"]
    ]
    assert families == [["a-2023.1", "a-2024.2"], ["b-2023.1", "b-2024.2"]]
    (tmp_path / "body.json").write_text("refused")
    arguments = ("import", "body.json", "--cloud=c-2023.1", "--release=2023.1", "--status=404")
    imagedetail(*arguments)
    imagedetail("import", "body.json", "--cloud=any", "--status=404")
    said = "left out: c-2023.1 (nothing but errors); any (no release); alone (no other "
    assert said in matrix().stderr
    shutil.rmtree(tmp_path / "cassettes/any")
    shutil.rmtree(tmp_path / "cassettes/c-2023.1")
    (tmp_path / "imagedetail.yaml").write_text("clouds: {a-2025.2: {release: '2025.2'}}")
    result = matrix()
    assert (result.returncode, result.stdout) == (2, "")
    assert "nothing is recorded for cloud 'a-2025.2', query 'all'" in result.stderr
    (tmp_path / "cassettes/a-2025.2/tests/a.yaml").parent.mkdir(parents=True)
    (tmp_path / "cassettes/a-2025.2/tests/a.yaml").touch()
    assert matrix().stderr.startswith(
        "imagedetail: left out: a-2025.2 (no such recording); alone ("
    )


def test_own_recordings_come_before_the_library(matrix, tmp_path):
    """The library answers for the rest, which is said; a damaged file is an error."""
    for name in ("nova-2026.1", "nova-2026.2"):
        (tmp_path / "cassettes" / name).mkdir(parents=True)
        for query in ("all", "limit=0"):
            shutil.copy(LIBRARY / name / f"{query}.yaml", tmp_path / "cassettes" / name)
    result = matrix()
    assert (result.returncode, ", 2 clouds, " in result.stdout.splitlines()[1]) == (0, True)
    for name in ("nova-2026.1", "nova-2026.2"):
        assert f"{name}: 2 of " in result.stderr
    assert "answers from cassettes, the others from the library" in result.stderr
    path = tmp_path / "cassettes" / "nova-2026.2" / "limit=0.yaml"
    path.write_text(path.read_text().replace("less than", "more than"))
    result = matrix()
    assert (result.returncode, result.stdout, "limit=0.yaml" in result.stderr) == (2, "", True)
    assert matrix("--query=status=ACTIVE").returncode == 0  # needs another file


def test_what_was_not_recorded(matrix, tmp_path):
    """`--all` shows it; if nothing is left to compare, the error has the command that records."""
    lines = matrix("nova-2026.1", "openstack-sample", "--all").stdout.splitlines()
    assert ", 2 clouds, 43 queries, 44 answers; 42 not recorded, " in lines[1]
    row = [line.split() for line in lines if line.startswith("all @2.35")]
    assert row == [["all", "@2.35", "200/14", "-"]]
    (tmp_path / "imagedetail.yaml").write_text("clouds: {before: {}, after: {}}")
    never, shipped = "--query=name=never", "shipped recordings cannot be added to; "
    for arguments, code, *says in (
        (("before", "after"), 2, "for cloud 'before', query 'all'", "imagedetail record before\n"),
        (("before", "aftr"), 4, "this folder does not exist"),
        (("nova-2026.1", "nova-2026.2", "nova-2026.1"), 4, "nova-2026.1 is named 2 times"),
        (("nova-2026.1", "nova-2026.2", "--query=limit=abc"), 2, "every answer is an error"),
        (("nova-2025.2", "nova-2026.2", never), 2, "cloud 'nova-2025.2', query 'name=ne", shipped),
    ):
        result = matrix(*arguments)
        assert (result.returncode, result.stdout) == (code, ""), arguments
        assert [each for each in says if each not in result.stderr] == [], arguments
    (tmp_path / "cassettes").mkdir()
    assert "this folder does not exist" not in matrix("before", "aftr").stderr


def test_expect_is_an_expectation(imagedetail):
    """A refusal that has vanished, from one cloud or from both, is no success."""
    for verb, clouds, query, code in (
        ("diff", ("nova-2024.2", "nova-2026.2"), "limit=0", 0),
        ("matrix", ("nova-2024.2", "nova-2025.2", "nova-2026.2"), "limit=0", 0),
        ("diff", ("nova-2019.1", "nova-2023.1"), "limit=0", 2),
        ("matrix", ("nova-2023.1", "nova-2024.2", "nova-2026.2"), "limit=0", 2),
        ("diff", (f"{LIBRARY}/nova-2026.2/all.yaml", "nova-2026.2"), None, 2),
    ):
        asked = [f"--query={query}"] if query else []
        done = imagedetail(verb, *clouds, *asked, "--expect=400")
        assert done.returncode == code, (verb, clouds)
        assert ("the cloud answered 200, not 400: " in done.stderr) == (code == 2), (verb, clouds)


def test_what_was_compared(imagedetail, matrix, tmp_path):
    """One query is named; several are counted, and the list of all images must be among them."""
    (tmp_path / "body.json").write_text('{"images": [{"id": "a1", "name": "n"}]}')
    for query, warns in (("limit=1", False), ("limit=2", True)):
        for cloud in ("a", "b"):
            imagedetail("import", "body.json", f"--cloud={cloud}", f"--query={query}")
        said = matrix("a", "b").stdout
        assert (", 2 clouds, query limit=1, 2 answers" in said) is not warns
        assert ("query all) is not recorded, so it was not compared" in said) is warns


def test_two_releases_that_answer_alike(imagedetail, tmp_path):
    """They may be one cloud under two names, if no microversion tells them apart."""
    (tmp_path / "body.json").write_text('{"images": [{"id": "a1", "name": "n"}]}')
    for cloud, release in {"a": "juno", "b": "kilo", "c": "kilo"}.items():
        imagedetail("import", "body.json", f"--cloud={cloud}", f"--release={release}")
    says = "a and b are declared as releases juno and kilo, but neither their answers nor their "
    says += "newest microversions (unknown) differ"
    for typed in ("diff a b", "matrix a b c"):
        done = imagedetail(*typed.split())
        assert done.returncode == 0
        assert done.stdout.count(says) == 1
        assert says in imagedetail(*typed.split(), "--json").stdout
    for pair in (("b", "c"), ("nova-2026.1", "nova-2026.2")):
        for verb in ("diff", "matrix"):
            alike = imagedetail(verb, *pair, "--query=status=ACTIVE")
            assert "make sure" not in alike.stdout
