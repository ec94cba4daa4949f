"""What the documentation shows is what happens, and everything a user can type is documented."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date
from inspect import signature
from pathlib import Path

import pytest
import yaml
from unit import image_of, listing_of

from pytest_imagedetail import rules
from pytest_imagedetail.cli import parser
from pytest_imagedetail.compare import compare
from pytest_imagedetail.harness import Cloud, Harness
from pytest_imagedetail.lint import RULES as RULES_OF_LINT
from pytest_imagedetail.model import _WIRE_NAMES, KINDS
from pytest_imagedetail.normalize import RULES, rule_table
from pytest_imagedetail.plugin import OPTIONS
from pytest_imagedetail.plugin.options import OF_MARKER
from pytest_imagedetail.plugin.run import RunResult
from pytest_imagedetail.settings import PROFILES, Choices, resolve

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced code blocks of a Markdown text that are marked with this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def example(pytester):
    """A copy of the downstream example, as the current folder."""
    shutil.copytree(ROOT / "examples" / "downstream", pytester.path, dirs_exist_ok=True)
    return pytester


def test_the_first_screen_is_what_happens(example):
    """The README's test gives the README's failure, line by line; `...` stands for two lines."""
    example.path.joinpath("test_images.py").write_text(blocks(README, "python")[0])
    result = example.runpytest_subprocess()
    result.assert_outcomes(passed=2, failed=1)
    shown = blocks(README)[0].splitlines()
    start = result.outlines.index(shown[0])
    for line in shown:
        if line == "E        ...":
            start += 3
            continue
        assert result.outlines[start].rstrip() == line.rstrip()
        start += 1


def test_the_first_screen_is_a_screen():
    """Test and failure stand within the first 40 lines, the whole README within 120."""
    lines = README.splitlines()
    assert lines.index("E       or: imagedetail diff public-2026 private-2012") < 40
    assert len(lines) <= 120


def test_the_example_passes(example):
    """A complete downstream project replays and compares, with no network and no account."""
    example.runpytest_subprocess().assert_outcomes(passed=3)


def test_the_readmes_clouds_file_is_right(tmp_path):
    """The shown imagedetail.yaml is accepted as it stands."""
    (tmp_path / "imagedetail.yaml").write_text(blocks(README, "yaml")[0])
    settings = resolve(Choices(), root=tmp_path)
    assert list(settings.declared) == ["public-2026", "private-2012"]
    assert settings.baseline == "private-2012"


def test_every_shown_command_is_understood():
    """Each `imagedetail` line of the README parses, without being run."""
    lines = [line for block in blocks(README) for line in block.splitlines()]
    commands = [line.split("#")[0].split()[1:] for line in lines if line.startswith("imagedetail ")]
    assert len(commands) >= 6
    for arguments in commands:
        parser().parse_args(arguments)


def test_every_shown_test_is_understood():
    """It compiles, and what it calls and marks has the arguments that are shown."""
    filters = {"properties", "params", "microversion", *_WIRE_NAMES}
    known = {
        "list": {*signature(Cloud.list).parameters} | filters,
        "compare": {*signature(Harness.compare).parameters} | filters,
        "matrix": {*signature(Harness.matrix).parameters} | filters,
        "imagedetail": set(OF_MARKER),  # pytest.mark.imagedetail
    }
    met = set()
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for code in blocks(page.read_text(encoding="utf-8"), "python"):
            for node in ast.walk(ast.parse(code)):
                name = node.func.attr if _is_method(node) else None
                if name in known:
                    met.add(name)
                    assert {each.arg for each in node.keywords} <= known[name], (page.name, code)
    assert met == set(known)


def _is_method(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def test_the_marker_is_documented_as_it_is_registered(pytester):
    """Each argument with its default, and a line for each."""
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    section = text.partition("## Marker\n")[2].partition("\n## ")[0]
    shown = re.search(r"`@pytest\.mark\.(imagedetail\([^`]*\))`", section)[1]
    result = pytester.run(sys.executable, "-m", "pytest", "--markers")
    registered = re.search(
        r"^@pytest\.mark\.(imagedetail\(.*\)):", result.stdout.str(), re.MULTILINE
    )
    assert " ".join(shown.split()).replace('"', "'") == registered[1]
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| [^|]+\|", section, re.MULTILINE))))
    assert rows == set(OF_MARKER)


def test_every_option_and_ini_key_is_documented(pytester):
    """docs/options.md has each option and key that pytest knows of us, and no other."""
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    result = pytester.run(sys.executable, "-m", "pytest", "--help")
    known = set(re.findall(r"--imagedetail-[a-z-]+", result.stdout.str()))
    assert known == {f"--imagedetail-{name}" for name in OPTIONS}
    assert set(re.findall(r"--imagedetail-[a-z-]+", text)) == known
    keys = set(re.findall(r"^  (imagedetail_[a-z_]+)", result.stdout.str(), re.MULTILINE))
    assert keys
    assert keys <= set(re.findall(r"imagedetail_[a-z_]+", text))


def test_every_junit_property_is_documented():
    """docs/options.md has each one that a comparing test gets, and the README leads there."""
    text = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    section = text.partition("## JUnit XML\n")[2].partition("\n## ")[0]
    comparison = compare(listing_of(image_of()), listing_of(image_of()))
    written = {name for name, _ in RunResult(results=[comparison]).properties()}
    assert set(re.findall(r"`(imagedetail_\w+)`", section)) == written
    assert "[options](docs/options.md) (JUnit properties)" in README


def test_the_readme_says_where_listings_come_from():
    """A comparison of two clouds by `==` can be typed as it stands there."""
    assert '`imagedetail["old"].list() == imagedetail["new"].list()`' in README


def test_every_normalization_rule_is_documented():
    """docs/reference/normalization.md has the rules as they are, and each profile."""
    text = (ROOT / "docs" / "reference" / "normalization.md").read_text(encoding="utf-8")
    begin, end = "<!-- rules: begin -->\n", "<!-- rules: end -->"
    assert text.partition(begin)[2].partition(end)[0] == rule_table()
    assert all(f"| {rule.id} | {rule.name} |" in text for rule in RULES)
    assert all(f"`{profile}`" in text for profile in PROFILES)


def test_every_rule_of_lint_is_documented():
    """docs/lint.md has each rule with its severity, its meaning and what to do."""
    text = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.match(r"\| `[a-z]+` \|", line)]
    assert rows == [
        f"| `{rule.id}` | {rule.severity} | {rule.meaning} | {rule.remedy} |"
        for rule in RULES_OF_LINT.values()
    ]
    for command in blocks(text)[0].splitlines():
        parser().parse_args(command.split("#")[0].split()[1:])


def test_the_shown_matrix_is_what_is_printed(pytester, monkeypatch):
    """Both blocks of docs/matrix.md stand in the output of its first command; its test passes."""
    text = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
    commands, *shown = blocks(text)
    monkeypatch.setenv("NO_COLOR", "1")
    command = shlex.split(commands.splitlines()[0], comments=True)[1:]
    printed = pytester.run(sys.executable, "-m", "pytest_imagedetail", *command)
    for block in shown:
        assert block.rstrip("\n") in "\n".join(printed.outlines)
    pytester.makepyfile(blocks(text, "python")[0])
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_provenance_of_a_cassette_is_documented():
    """docs/cassettes.md names every key that our own cassettes have."""
    text = (ROOT / "docs" / "cassettes.md").read_text(encoding="utf-8")
    for path in (ROOT / "cassettes").rglob("*.yaml"):
        for key in yaml.safe_load(path.read_text(encoding="utf-8"))["imagedetail"]:
            assert f"`{key}`" in text


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")))
def test_every_link_of_a_page_leads_somewhere(page):
    """Relative links name files that are there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_shown_rules_are_right():
    """The file of docs/rules.md is accepted as it stands, and each kind is named there."""
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    entries = yaml.safe_load(blocks(text, "yaml")[0])
    assert [rules.parse(entry).reason for entry in entries] == [each["reason"] for each in entries]
    assert {kind for kind in KINDS if f"`{kind}`" not in text} == set()


def with_metadata(**metadata):
    return image_of(metadata=metadata)


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (0, with_metadata(auto_disk_config="True"), with_metadata(auto_disk_config="true")),
        (1, with_metadata(kernel_id=None), with_metadata()),
        (
            2,
            image_of(links=[{"rel": "bookmark", "href": "https://nova.a.invalid//images/1/"}]),
            image_of(links=[{"rel": "bookmark", "href": "https://nova.a.invalid/images/1"}]),
        ),
        (3, image_of(status="SAVING", progress=0), image_of(status="SAVING", progress=50)),
    ],
)
def test_the_rules_in_place_of_switches_accept_what_they_say(number, old, new):
    """Nothing else accepts it, and it stays told."""
    text = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    rule = rules.parse(yaml.safe_load(blocks(text, "yaml")[1])[number])
    sides = listing_of(old), listing_of(new, cloud="b")
    assert not compare(*sides, fail_on="change").compatible
    accepted = rules.Rules(rules=(rule,), today=date(2026, 11, 24))
    comparison = compare(*sides, fail_on="change", rules=accepted)
    assert comparison.compatible
    assert comparison.expected
    assert not comparison.same


def test_every_option_of_scrub_is_documented(capsys):
    """docs/scrub.md shows each option, and each command it shows is understood."""
    text = (ROOT / "docs" / "scrub.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        parser().parse_args(["scrub", "--help"])
    known = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {
        "--help",
        "--cassette-dir",
    }
    assert known == set(re.findall(r"--[a-z][a-z-]+", text))
    lines = [line for line in text.splitlines() if line.startswith("imagedetail scrub")]
    for line in lines:
        parser().parse_args(line.split("#")[0].split()[1:])
    assert len(lines) >= 6


def test_the_shown_session_with_served_clouds(tmp_path):
    """The commands of docs/serve.md work beside its server; `diff` finds what it says."""
    pytest.importorskip("openstack", reason="recording needs the extra `record`")
    text = (ROOT / "docs" / "serve.md").read_text(encoding="utf-8")
    serve, printed, session = blocks(text)

    def run(line):
        command = [sys.executable, "-m", "pytest_imagedetail", *shlex.split(line)[1:]]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    with run(serve) as server:
        for line in printed.splitlines():
            pattern = re.escape(line).replace("PORT", "[0-9]+")
            assert re.fullmatch(pattern, server.stdout.readline().rstrip("\n"))
        codes = []
        for line in session.splitlines():
            with run(line) as process:
                process.communicate(timeout=120)
            codes.append(process.returncode)
        server.terminate()
    assert (codes, server.returncode) == ([0, 0, 0, 1], 0)
    options = re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE)
    assert set(options) == {"--port", "--clouds-yaml", "--cassette-dir"}
