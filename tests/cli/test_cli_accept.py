"""`imagedetail accept` and `diff --rules`: from red to known."""

import json
import re

import pytest

from pytest_imagedetail.cli import main

CLOUDS = ("nova-2026.2", "nova-essex")
WHY = ("--reason", "links moved", "--expires", "2999-02-01")


@pytest.fixture
def run(cassettes, monkeypatch, capsys):
    """Run a verb in the folder of two recorded clouds: exit code, stdout, stderr."""
    monkeypatch.chdir(cassettes.parent)

    def call(*arguments):
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--path", "images[*].lonks", *WHY), "so the rule would accept nothing; none was written"),
        (("--path", "images[*].links.*", "--kind", "field_added", *WHY), "would accept nothing"),
        (("--path", "links", *WHY), "images[*].links"),
        (
            ("--path", "images[*].**", "--reason", " ", "--expires", "never"),
            "reason must be a text",
        ),
        (("--path", "images[*].**", "--reason", "r", "--expires", "soon"), "expires must be a day"),
        (("--path", "images[*].**", "--kind", "field", *WHY), "unknown kind 'field'"),
    ],
)
def test_what_would_be_no_rule(run, cassettes, arguments, message):
    """A usage error with the remedy, and no file."""
    code, out, err = run("accept", *CLOUDS, *arguments)
    assert (code, out) == (4, "")
    assert message in err
    assert "\n  next:  " in err
    assert not (cassettes.parent / "imagedetail-rules.yaml").exists()


def test_a_rules_file_that_is_named_must_be_there(run):
    """Without it, a difference that it accepts would be shown as one that nobody knows."""
    code, _, err = run("diff", *CLOUDS, "--rules", "absent.yaml")
    assert code == 4
    assert "the file cannot be read: No such file or directory\n  where: absent.yaml" in err
