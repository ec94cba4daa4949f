"""`imagedetail report` and `--since`: the JSON results of several runs as one report."""

import json

import pytest

LIMIT = "--query=limit=0"


@pytest.fixture
def saved(imagedetail, tmp_path):
    def saved(name, *arguments):
        done = imagedetail(*arguments, "--json")
        (tmp_path / name).write_text(done.stdout)
        return name

    return saved


def test_it_says_what_the_commands_said(imagedetail, saved, tmp_path):
    """A report from JSON equals the one that the command writes."""
    for arguments in (
        ("matrix", "nova-*"),
        ("diff", "nova-2023.1", "nova-2024.2", LIMIT),
        ("diff", "nova-2026.2", "fujitsu-k5", "--level=shape"),
        ("diff", "nova-2019.1", "nova-2026.2", "--query=limit=abc", "--expect=400"),
        ("check", "nova-2019.1", "nova-2026.2"),
    ):
        imagedetail(*arguments, "--report=own.md", "--report=own.json", "--report=own.xml")
        for name in (saved("printed.json", *arguments), "own.json"):
            outputs = [f"-o=again{suffix}" for suffix in (".md", ".json", ".xml", ".html")]
            done = imagedetail("report", name, *outputs)
            for suffix in (".md", ".json", ".xml"):
                own, again = (tmp_path / f"{each}{suffix}" for each in ("own", "again"))
                assert own.read_text() == again.read_text(), (arguments, suffix)
            verdict = json.loads((tmp_path / "own.json").read_text())["verdict"]
            assert done.returncode == (0 if verdict["passed"] else 1), arguments
            assert done.stdout.splitlines()[-1].endswith(verdict["sentence"]), arguments


def test_several_become_one(imagedetail, saved, tmp_path):
    """A result in two of them counts once, the worst one decides; checks are not mixed in."""
    good = saved("good.json", "diff", "nova-2025.2", "nova-2026.1")
    bad = saved("bad.json", "diff", "nova-2023.1", "nova-2024.2", LIMIT)
    old, new = (saved(f"{name}.json", "check", f"nova-{name}") for name in ("2019.1", "2026.2"))
    (tmp_path / "imagedetail.yaml").write_text('clouds: {nova-2026.2: {release: "2019.1"}}')
    wrong = saved("wrong.json", "diff", "nova-2019.1", "nova-2026.2")
    verdict = {"passed": None, "exit_code": 5}  # of a pytest run without tests
    (tmp_path / "none.json").write_text(json.dumps({"schema": 1, "verdict": verdict}))
    for files, code, says in (
        ([good], 0, "PASS: nova-2025.2 to nova-2026.1: no difference"),
        ([good, bad, "r.json"], 1, "FAIL: 1 of 2 comparisons fails\n"),
        ([good, wrong], 2, "FAIL: 1 error;"),
        ([good, "none.json"], 2, "FAIL: 1 error; nova-2025.2 to nova-2026.1: no difference"),
        ([old, new, old], 1, "FAIL: 2 of 60 checks of 2 clouds"),
        ([old, bad], 4, ""),
    ):
        done = imagedetail("report", *files, "-o=r.json", "-o=r.md", "-o=r.html")
        assert (done.returncode, done.stdout.startswith(says)) == (code, True), files
        if wrong in files:
            assert "declared" in (tmp_path / "r.md").read_text()
    assert "openstack image unset" in (tmp_path / "r.html").read_text()


def test_what_cannot_be_compared_is_in_the_report(imagedetail, tmp_path):
    for arguments in (("diff", "nova-2023.1", "nova-2024.2"), ("matrix", "nova-20*")):
        command = (*arguments, "--report=r.json", "--report=r.html")
        imagedetail(*command)
        done = imagedetail(*command, "--query=name=never asked")
        said = json.loads((tmp_path / "r.json").read_text())
        assert (done.returncode, said["verdict"]["exit_code"]) == (2, 2)
        assert said["failures"][0]["problem"].splitlines()[0] in done.stderr
        assert "never asked" in (tmp_path / "r.html").read_text()
    for typed in ("diff nova-2026.1 lost", "matrix lost nova-2026.1", "verify lost"):
        assert imagedetail(*typed.split(), "--report=r.md").returncode == 4, typed
        said = (tmp_path / "r.md").read_text()
        assert ("unknown cloud 'lost'" in said, "exit code 4" in said) == (True, True), typed
        (tmp_path / "r.md").unlink()


def test_the_verdict_says_why(imagedetail):
    """It fails without a breaking difference, or passes although no image was compared."""
    typed = "diff nova-2023.1 nova-2024.2 --microversion=9.9 --expect=406 --fail-on=change"
    done = imagedetail(*typed.split())
    counts = "1 difference: 0 breaking, 1 compatible, 0 data"
    line = f"FAIL: nova-2023.1 to nova-2024.2: fail-on is change; {counts}"
    assert (done.returncode, done.stdout.splitlines()[0]) == (1, line)
    for verb, end in (("diff", "no image was compared"), ("matrix", "images were compared")):
        for threshold, word in (("breaking", "FAIL"), ("none", "PASS")):
            done = imagedetail(verb, "nova-2026.2", "fujitsu-k5", f"--fail-on={threshold}")
            line = done.stdout.splitlines()[0]
            assert (line[:4], line.endswith(end)) == (word, True), line


def test_other_files_are_refused(imagedetail, saved, tmp_path):
    """Other JSON, edited verdicts, lost keys or other types: nothing is written."""
    name = saved("bad.json", "diff", "nova-2023.1", "nova-2024.2", LIMIT)
    document = json.loads((tmp_path / name).read_text())
    changed = [
        {key: value for key, value in document.items() if key != lost}
        for lost in ("paired", "differences")
    ]
    kind = [document["differences"][0] | {"kind": "other"}]
    typed = {"fail_on": 5, "baseline": None, "normalization": "x", "differences": kind}
    changed += [document | {key: value} for key, value in {**typed, "compatible": True}.items()]
    name = saved("matrix.json", "matrix", "nova-2023.1", "nova-2024.2", LIMIT)
    facts = json.loads((tmp_path / name).read_text())["matrices"][0]
    for each in {"to": None}, {"queries": []}:
        changes = [facts["changes"][0] | each]
        changed.append({"schema": 1, "matrices": [facts | {"changes": changes}]})
    checks = json.loads((tmp_path / saved("checks.json", "check", "nova-2026.2")).read_text())
    changed += [checks | {"checks": []}, checks | {"checks": [{"id": "M99", "evidence": {}}]}]
    for text in ("{", "[]", '{"schema": 2}', '{"schema": 1}', *map(json.dumps, changed)):
        (tmp_path / "x.json").write_text(text)
        done = imagedetail("report", "x.json", "-o", "r.html")
        assert (done.returncode, done.stdout) == (2, ""), text
        assert "the result cannot be read" in done.stderr, text
        assert not (tmp_path / "r.html").exists(), text


def test_what_was_not_compared_is_not_gone(imagedetail, saved, tmp_path):
    """With other options, or if the clouds have no image in common any more."""
    for cloud, version, id_ in (("a", "v2", 1), ("b", "v2.1", 1), ("c", "v2", 2)):
        links = [{"rel": "self", "href": f"http://h/{version}/images/{id_}"}]
        (tmp_path / cloud).write_text(json.dumps({"images": [{"id": str(id_), "links": links}]}))
    imagedetail("import", "a", "--cloud=a")
    for verb, now, options, counts in (
        ("diff", "b", [], "0 new causes, 0 known, 1 not compared"),
        ("diff", "b", ["--profile=wire", "--level=shape"], "1 new cause, 0 known, 1 not compared"),
        ("diff", "c", ["--profile=wire"], "2 new causes, 0 known, 1 not compared"),
        ("matrix", "c", ["--profile=wire"], "2 new causes, 0 known, 1 not compared"),
    ):
        imagedetail("import", "b", "--cloud=b")
        old = saved("old.json", verb, "a", "b", "--profile=wire")
        imagedetail("import", now, "--cloud=b")
        said = imagedetail(verb, "a", "b", *options, f"--since={old}").stdout
        assert f"\nsince       old.json: {counts}\n" in said, said


def test_what_changed_since_the_last_run(imagedetail, saved, tmp_path):
    """Causes are new, gone, accepted or not compared; a report keeps the first day."""
    three = ("matrix", "nova-2023.1", "nova-2024.2", "nova-2025.2")
    saved("old.json", *three[:3])
    shown = imagedetail(*three, "--since=old.json", "--report=r.html", "--report=r.json").stdout
    assert "\nsince       old.json: 3 new causes, 4 known\n" in shown
    assert "id       7d94cc2fbcb4, new in nova-2024.2 -> nova-2025.2, seen 2026-" in shown
    assert (tmp_path / "r.html").read_text().count('<span class="badge new">') >= 3

    # The first day stays; another pair of clouds, a rule, and a cause that is not there any more.
    document = json.loads((tmp_path / "r.json").read_text())
    document["findings"][0]["first_seen"] = "2025-01-01T00:00:00Z"
    limit = document["findings"][0]["id"]
    (tmp_path / "dated.json").write_text(json.dumps(document))
    shown = imagedetail(*three, "--since=dated.json", "--report=r.json").stdout
    assert f"            id       {limit}, first seen 2025-01-01, last seen 2026-11-23\n" in shown
    first = json.loads((tmp_path / "r.json").read_text())["findings"][0]
    assert first["first_seen"] == "2025-01-01T00:00:00Z"
    (tmp_path / "imagedetail-rules.yaml").write_text(
        f"- {{id: '{limit}', reason: known, expires: never}}\n"
    )
    gone = document["matrices"][0]["changes"][0] | {"path": "images[*].lost", "kind": "field_added"}
    document["matrices"][0]["changes"].append(gone | {"severity": "compatible"})
    (tmp_path / "edited.json").write_text(json.dumps(document))
    outputs = [f"--report=r{suffix}" for suffix in (".json", ".html", ".md")]
    shown = imagedetail(*three[:3], "--since=edited.json", *outputs).stdout
    counts = "0 new causes, 6 known, 1 accepted by a rule, 3 not compared, 1 gone\n"
    assert f"\nsince       edited.json: {counts}" in shown
    texts = [shown, *((tmp_path / name).read_text() for name in ("r.html", "r.md"))]
    for line in ("gone: compatible lost is", "accepted by a rule: breaking limit=0 answers 400"):
        assert all(line in text for text in texts), line
    since = json.loads((tmp_path / "r.json").read_text())["since"]["changes"]
    assert {each["status"] for each in since} == {"accepted by a rule", "gone", "not compared"}
    done = imagedetail("report", "r.json", "-o=r.md", "--since=old.json")
    assert done.stdout.splitlines()[1].startswith("old.json: ")
    for text, said in (
        ('{"schema": 1, "checks": []}', "it is a result of `check`, unlike the other file"),
        (json.dumps(document | {"findings": [{"id": "1"}]}), "KeyError: 'first_seen'"),
    ):
        (tmp_path / "x.json").write_text(text)
        done = imagedetail(*three, "--since=x.json")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"the result cannot be read: {said}" in done.stderr


def test_checks_since_the_last_run(imagedetail, saved, tmp_path):
    """Failures and known deviations count; those of other clouds were not compared."""
    saved("old.json", "check", "nova-2023.1", "nova-2026.2")
    only = ("check", "nova-2026.2", "--only=M13", "--since=old.json", "--report=r.md")
    since = imagedetail(*only).stdout.splitlines()[1]
    assert since.startswith("since old.json: 0 new causes, 1 known, ")
    assert since.endswith(" not compared")
    assert f"- {since}\n" in (tmp_path / "r.md").read_text()
    saved("new.json", *only[:4])
    gathered = imagedetail("report", "new.json", "--since=old.json", "-o=r.md").stdout
    assert gathered.splitlines()[1] == since
    saved("matrix.json", "matrix", "nova-2023.1", "nova-2024.2")
    done = imagedetail("check", "nova-2026.2", "--since=matrix.json")
    assert (done.returncode, "it is not a result of `check`" in done.stderr) == (2, True)
