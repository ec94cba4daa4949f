"""`imagedetail accept` and `diff --rules`. docs/upgrade-gate.md shows both."""

import html
import json
import os
import re
import subprocess

import pytest

SWAPPED = (
    "imagedetail: warning: nova-2026.2 is a newer release than nova-essex; the older one comes "
    "first\n"
)
CLOUDS = ("nova-2026.2", "nova-essex")
WHY = ("--reason", "links moved", "--expires", "2999-02-01")


@pytest.fixture
def run(cassettes, imagedetail):
    def run(*arguments):
        done = imagedetail(*arguments)
        return done.returncode, done.stdout, done.stderr

    return run


def test_from_a_difference_to_a_rule(run, cassettes, monkeypatch):
    """The rule accepts what was shown, between these two clouds only, once, and in any folder."""
    (cassettes.parent / "imagedetail.yaml").write_text("clouds: {}")
    monkeypatch.chdir(cassettes)
    code, out, err = run("accept", *CLOUDS, "--path", "images[*].links.*", *WHY)
    assert (code, err) == (0, SWAPPED)
    assert re.fullmatch(
        r"../imagedetail-rules.yaml, line 1: accepts 3 differences\n"
        r"(  compatible  link_changed   images\[\*\]\.links\.\w+\n?){3}",
        out,
    )
    for sides, expected in ((CLOUDS, {"link_changed"}), (CLOUDS[::-1], set())):
        document = json.loads(run("diff", *sides, "--json")[1])
        assert {each["kind"] for each in document["expected"]} == expected
        found = {each["kind"] for each in document["differences"]}
        assert ("link_changed" in found) is not bool(expected)
    code, out, err = run("accept", *CLOUDS, "--path", "images[*].links.**", *WHY)
    assert (code, out) == (4, "")
    assert err == (
        "imagedetail: a rule already accepts --path 'images[*].links.**' between nova-2026.2 and "
        "nova-essex; none was written\n"
        "  where: ../imagedetail-rules.yaml, line 1\n"
        "  next:  change that rule in its file\n"
    )


def test_the_command_that_explain_prints_can_be_run(run, tmp_path):
    """As printed, for any sides and options; afterwards all differences are accepted."""
    folder = (tmp_path / "cassettes").rename(tmp_path / "our cassettes")
    image = {"id": "a1", "name": "n", "metadata": {"*": "1", "it's": "1", "k": "v"}}
    (tmp_path / "it's old.json").write_text(json.dumps({"images": [image]}))
    image = image | {"metadata": {"*": "2", "it's": "2", "k": None}}
    (tmp_path / "new.json").write_text(json.dumps({"images": [image]}))
    for sides in (
        [f"our cassettes/{cloud}/all.yaml" for cloud in CLOUDS],
        [*CLOUDS, "--cassette-dir", folder.name, "--query", "status=ACTIVE"],
        ["it's old.json", "./new.json"],
        ["nova-2023.1", "nova-2024.2", "--query", "name=Z\udcfcrich"],  # a byte that is not UTF-8
    ):
        (tmp_path / "team.yaml").write_text("# none yet\n")
        typed = [*sides, "--profile", "same-cloud", "--rules", "team.yaml"]
        code, out, _ = run("diff", *typed, "--explain", "--fail-on", "change")
        commands = re.findall("accept   imagedetail (.*)", out)
        assert (code, bool(commands)) == (1, True), sides
        for command in commands:
            filled = command.replace("WHY", "known").replace("DAY", "never")
            printed = subprocess.check_output(["bash", "-c", f"printf '%s\\0' {filled}"])
            words = map(os.fsdecode, printed.split(b"\0")[:-1])
            assert run(*words)[::2] in {(0, ""), (0, SWAPPED)}, command
        code, out, _ = run("diff", *typed, "--fail-on", "change")
        assert (code, out.splitlines()[-1][:22]) == (0, "no difference but for "), sides


def test_one_image_or_one_cause_can_be_accepted(run, cassettes):
    """The same difference of other images stays; a cause is named by its id."""
    images = json.loads(run("show", CLOUDS[0], "--json")[1])["images"]
    id_ = next(each["id"] for each in images if each["status"] != "ACTIVE")
    path = f"images[{id_}].OS-EXT-IMG-SIZE:size"
    code, out, _ = run("accept", *CLOUDS, "--path", path, *WHY)
    assert (code, out.splitlines()[0].endswith(": accepts 1 difference")) == (0, True)
    _, out, _ = run("diff", *CLOUDS)
    assert f"expected    field_removed {path}" in out
    assert "field_removed   images[*].OS-EXT-IMG-SIZE:size  13 images" in out
    _, out, _ = run("diff", *CLOUDS, "--query=status=ACTIVE")
    says = "accepts nothing here; correct or delete it, unless another query or cloud needs it\n"
    assert f"the rule for {path} {says}" in out
    (cassettes.parent / "imagedetail-rules.yaml").unlink()
    lost = re.search("field_removed   .*?id +([0-9a-f]{12})", run("diff", *CLOUDS)[1], re.DOTALL)[1]
    team = ("--rules", "team.yaml")  # a new file
    assert "accepts 9 differences" in run("accept", *CLOUDS, "--id", lost, *WHY, *team)[1]
    assert "9 more accepted by rules" in run("diff", *CLOUDS, *team)[1]


def test_what_would_not_be_a_rule(run, cassettes):
    everywhere = ("--path", "images[*].**")
    for arguments, message in (
        (("--path", "images[*].lonks", *WHY), "the rule would accept nothing between"),
        ((*everywhere, "--reason", "r", "--expires", "soon"), "expires must be a day"),
        (("--path=images[*].links.*", "--kind=field_added", *WHY), "link_changed images[*].links"),
        ((*everywhere, "--reason", "r", "--expires", "2020-01-31"), "would have expired on 2020"),
        (("--id", "0" * 12, *WHY), "for another query, name that: --query"),
        (("--id", "0" * 12, "--kind=field_added", *WHY), "the rule has an id, which says path and"),
        (("--id", "lost", *WHY), "id must be 12 hexadecimal digits"),
    ):
        code, out, err = run("accept", *CLOUDS, *arguments)
        assert (code, out) == (4, ""), arguments
        assert message in err, arguments
        assert "\n  next:  " in err, arguments
    (cassettes.parent / "imagedetail.yaml").write_text("clouds: {nova-2026.2: {release: kilo}}")
    assert run("accept", *CLOUDS, *everywhere, *WHY)[:2] == (2, "")  # not of that release
    assert not (cassettes.parent / "imagedetail-rules.yaml").exists()


def test_what_only_a_matrix_finds(run):
    """Headers, and the texts of two equal errors, without --expect."""
    clouds = ("nova-2023.1", "nova-2024.2")
    for query, path in (
        ("--microversion=latest", "headers.openstack-api-version"),
        ("--query=limit=-1", "badRequest.message"),
    ):
        assert run("accept", *clouds, query, "--path", path, *WHY)[::2] == (0, ""), path
        (found,) = json.loads(run("matrix", *clouds, "--json")[1])["matrices"]
        assert path in {each["path"] for each in found["expected"]}


def test_a_changed_status_is_accepted_for_one_query(run, tmp_path):
    """Also for all images: an answer to another query that failed meanwhile stays a failure."""
    (tmp_path / "old.json").write_text('{"images": []}')
    (tmp_path / "new.json").write_text('{"itemNotFound": {"code": 404, "message": "gone"}}')
    for query in ([], ["--query=limit=0"]):
        assert run("import", "old.json", "--cloud=old", *query)[0] == 0
        assert run("import", "new.json", "--cloud=new", "--status=404", *query)[0] == 0
    assert run("accept", "old", "new", "--path", "status_code", *WHY)[0] == 0
    (found,) = json.loads(run("matrix", "old", "new", "--json")[1])["matrices"]
    assert [each["queries"] for each in found["expected"]] == [["all"]]
    assert [each["queries"] for each in found["changes"]] == [["limit=0"]]


def test_the_page_says_how_to_accept(run, tmp_path):
    """With lines for the file of rules; they accept all differences."""
    matrix = ("matrix", "nova-2023.1", "nova-2024.2")
    assert run(*matrix, "--report=m.html")[0] == 1
    page = html.unescape((tmp_path / "m.html").read_text())
    lines = re.findall(r"<dt>accept</dt><dd><pre>in imagedetail-rules.yaml: (.*?)</pre></dd>", page)
    filled = "\n".join(lines).replace("WHY", "known").replace("DAY", "never")
    (tmp_path / "imagedetail-rules.yaml").write_text(f"{filled}\n")
    code, out, err = run(*matrix, "--fail-on=change")
    assert (code, err, len(lines)) == (0, "", 7)
    assert out.splitlines()[-1] == "no difference but for 9 accepted by rules (1 breaking)"
    (tmp_path / "imagedetail-rules.yaml").write_text(f"{filled.splitlines()[0]}\n")
    assert "query: " in filled.splitlines()[0]
    assert "unused" not in run(*matrix, "--query=limit=1")[1]  # the rule is about limit=0
