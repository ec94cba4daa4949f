"""`imagedetail accept` and `diff --rules`: from red to known."""

import html
import json
import re
import shlex

import pytest

CLOUDS = ("nova-2026.2", "nova-essex")
WHY = ("--reason", "links moved", "--expires", "2999-02-01")


@pytest.fixture
def run(cassettes, imagedetail):
    """Run a verb in the folder of two recorded clouds: exit code, stdout, stderr."""

    def run(*arguments):
        done = imagedetail(*arguments)
        return done.returncode, done.stdout, done.stderr

    return run


def test_from_a_difference_to_a_rule(run, cassettes):
    """What is written accepts what was shown, between these two clouds and no others."""
    code, out, err = run("accept", *CLOUDS, "--path", "images[*].links.*", *WHY)
    assert (code, err) == (0, "")
    assert re.fullmatch(
        r"imagedetail-rules.yaml, line 1: accepts 3 differences\n"
        r"(  compatible  link_changed   images\[\*\]\.links\.\w+\n?){3}",
        out,
    )
    path = cassettes.parent / "imagedetail-rules.yaml"
    assert path.read_text() == (
        "- path: images[*].links.*\n"
        "  between:\n"
        "  - nova-2026.2\n"
        "  - nova-essex\n"
        "  reason: links moved\n"
        "  expires: 2999-02-01\n"
    )
    code, out, _ = run("diff", *CLOUDS, "--json")
    document = json.loads(out)
    assert {each["kind"] for each in document["expected"]} == {"link_changed"}
    assert "link_changed" not in {each["kind"] for each in document["differences"]}
    code, out, _ = run("diff", *reversed(CLOUDS), "--json")
    assert json.loads(out)["expected"] == []


def test_all_accepted_is_compatible(run):
    """The exit code follows the rules; the report still shows every difference."""
    assert run("diff", *CLOUDS)[0] == 1
    assert run("accept", *CLOUDS, "--path", "images[*].**", *WHY)[0] == 0
    code, out, _ = run("diff", *CLOUDS, "--fail-on", "change")
    assert code == 0
    assert out.splitlines()[-1].startswith("no difference but for ")
    assert "expected    field_removed images[*].OS-EXT-IMG-SIZE:size" in out


def test_an_expired_rule_fails(run, cassettes):
    """Even where nothing else would."""
    (cassettes.parent / "team.yaml").write_text(
        "- {path: 'images[*].**', reason: r, expires: 2020-02-01}\n"
    )
    code, out, _ = run("diff", *CLOUDS, "--fail-on", "none", "--rules", "team.yaml")
    assert code == 1
    assert "expired     team.yaml, line 1: the rule for images[*].** expired on 2020-02-01" in out


@pytest.mark.parametrize("kind", ["paths", "clouds", "bodies"])
def test_the_command_that_explain_prints_can_be_run(run, tmp_path, kind):
    """As it stands, whatever the sides are and whatever was typed; all is accepted in the end."""
    folder = (tmp_path / "cassettes").rename(tmp_path / "our cassettes")
    sides = {
        "paths": [f"our cassettes/{cloud}/all.yaml" for cloud in CLOUDS],
        "clouds": [*CLOUDS, "--cassette-dir", folder.name, "--query", "status=ACTIVE"],
        "bodies": ["it's old.json", "./new.json"],
    }[kind]
    image = {"id": "a1", "name": "n", "metadata": {"*": "1", "it's": "1", "k": "v"}}
    (tmp_path / "it's old.json").write_text(json.dumps({"images": [image]}))
    image = image | {"metadata": {"*": "2", "it's": "2", "k": None}}
    (tmp_path / "new.json").write_text(json.dumps({"images": [image]}))
    (tmp_path / "team.yaml").write_text("# none yet\n")
    typed = [*sides, "--profile", "same-cloud", "--rules", "team.yaml"]
    code, out, _ = run("diff", *typed, "--explain", "--fail-on", "change")
    assert code == 1
    start = "accept   imagedetail "
    commands = [line.split(start)[1] for line in out.splitlines() if start in line]
    assert len(commands) >= 2
    for command in commands:
        words = shlex.split(command.replace("WHY", "known").replace("DAY", "never"))
        assert run(*words)[::2] == (0, "")
    code, out, _ = run("diff", *typed, "--fail-on", "change")
    assert code == 0
    assert out.splitlines()[-1].startswith("no difference but for ")


def test_a_rule_that_accepts_it_already_is_named(run):
    """With file, line and reason; a second one would be unused for ever."""
    assert run("accept", *CLOUDS, "--path", "images[*].links.*", *WHY)[0] == 0
    for path in ("images[*].links.self", "images[*].links.**"):
        code, out, err = run("accept", *CLOUDS, "--path", path, *WHY)
        assert (code, out) == (4, "")
        assert err == (
            f"imagedetail: what --path '{path}' says of nova-2026.2 and nova-essex is accepted by "
            "a rule already; none was written\n"
            "  where: imagedetail-rules.yaml, line 1\n"
            "  next:  change that rule in its file\n"
        )


def test_one_image_of_many_can_be_accepted(run, cassettes):
    """As in the file: the others that share the difference stay differences."""
    _, out, _ = run("show", CLOUDS[0], "--json")
    id_ = json.loads(out)["images"][0]["id"]
    path = f"images[{id_}].OS-EXT-IMG-SIZE:size"
    code, out, _ = run("accept", *CLOUDS, "--path", path, *WHY)
    assert code == 0
    assert out.splitlines()[0] == "imagedetail-rules.yaml, line 1: accepts 1 difference"
    _, out, _ = run("diff", *CLOUDS)
    assert f"expected    field_removed {path}" in out
    assert "field_removed   images[*].OS-EXT-IMG-SIZE:size  12 images" in out


def test_what_would_not_be_a_rule(run, cassettes):
    """A usage error with the remedy, and no file."""
    everywhere = ("--path", "images[*].**")
    for arguments, message in (
        (("--path", "images[*].lonks", *WHY), "the rule would accept nothing between"),
        (("--path", "links", *WHY), "images[*].links"),
        ((*everywhere, "--reason", " ", "--expires", "never"), "reason must be a text"),
        ((*everywhere, "--reason", "r", "--expires", "soon"), "expires must be a day"),
        ((*everywhere, "--kind", "field", *WHY), "unknown kind 'field'"),
        (
            ("--path=images[*].links.*", "--kind=field_added", *WHY),
            "link_changed images[*].links.self",
        ),
        ((*everywhere, "--reason", "r", "--expires", "2020-01-31"), "would have expired on 2020"),
    ):
        code, out, err = run("accept", *CLOUDS, *arguments)
        assert (code, out) == (4, ""), arguments
        assert message in err
        assert "\n  next:  " in err
    assert not (cassettes.parent / "imagedetail-rules.yaml").exists()


def test_by_the_id_of_a_cause(run, cassettes):
    """The rule names the id, for these clouds; an unknown id and a second rule are errors."""
    _, out, _ = run("diff", *CLOUDS, "--json")
    lost = next(e for e in json.loads(out)["differences"] if e["kind"] == "field_removed")
    by_id = ("accept", *CLOUDS, "--id", lost["id"])
    code, out, _ = run(*by_id, *WHY)
    assert (code, "accepts 9 differences" in out) == (0, True)
    written = (cassettes.parent / "imagedetail-rules.yaml").read_text()
    assert written.startswith(f"- id: {lost['id']}\n  between:\n  - nova-2026.2\n")
    assert "9 more accepted by rules" in run("diff", *CLOUDS)[1]
    for arguments, message in (
        (by_id, "is accepted by a rule already; none was written"),
        (
            ("accept", *CLOUDS, "--id", "0" * 12),
            "000 names no difference of this",
        ),
        ((*by_id, "--kind=field_added"), "the rule has an id, which says path and kind"),
        (("accept", *CLOUDS, "--id", "lost"), "id must be 12 hexadecimal digits"),
    ):
        code, _, err = run(*arguments, *WHY)
        assert code == 4
        assert message in err


def test_the_page_says_how_to_accept(run, tmp_path):
    """By a command that can be run, or by a line for the file of rules; then nothing is left."""
    matrix = ("matrix", "nova-2023.1", "nova-2024.2")
    assert run(*matrix, "--report=m.html")[0] == 1
    page = html.unescape((tmp_path / "m.html").read_text())
    lines = re.findall(r"<dt>accept</dt><dd>(.*?)</dd>", page)
    assert len(lines) == 7
    for line in lines:
        filled = line.replace("WHY", "known").replace("DAY", "never")
        if filled.startswith("imagedetail accept "):
            assert run(*shlex.split(filled)[1:])[0] == 0, line
        else:
            rule = filled.removeprefix("in imagedetail-rules.yaml: ")
            with (tmp_path / "imagedetail-rules.yaml").open("a") as file:
                file.write(f"{rule}\n")
    code, out, _ = run(*matrix, "--fail-on=change")
    assert (code, out.splitlines()[-1]) == (
        0,
        "no difference but for 9 accepted by rules (1 breaking)",
    )


def test_the_rule_goes_where_every_command_looks(run, cassettes, monkeypatch):
    """Also from a folder below the root."""
    (cassettes.parent / "imagedetail.yaml").write_text("clouds: {}")
    (cassettes.parent / "sub").mkdir()
    monkeypatch.chdir(cassettes.parent / "sub")
    assert run("accept", *CLOUDS, "--path", "images[*].**", *WHY)[0] == 0
    assert (cassettes.parent / "imagedetail-rules.yaml").is_file()
    assert run("diff", *CLOUDS, "--fail-on", "change")[0] == 0
