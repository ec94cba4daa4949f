"""All options, names and keys are documented."""

import re
import subprocess
import sys
from datetime import date

import pytest
import yaml

from pytest_imagedetail import errors, plugin, rules
from pytest_imagedetail.cli import parser
from pytest_imagedetail.compare.comparison import Comparison
from pytest_imagedetail.compare.matrix import Matrix, Span, Step
from pytest_imagedetail.harness import Cloud, Harness
from pytest_imagedetail.lint import RULES
from pytest_imagedetail.listing import Listing
from pytest_imagedetail.model import KINDS, Difference
from pytest_imagedetail.normalize import RULES as NORMALIZATION
from pytest_imagedetail.plugin import OPTIONS
from pytest_imagedetail.plugin.options import MARKER_TYPES
from pytest_imagedetail.redact import table
from pytest_imagedetail.redact.rewriting import REQUEST_HEADERS, RESPONSE_HEADERS
from pytest_imagedetail.server import Servers
from pytest_imagedetail.traffic import Traffic
from tests.docs.pages import ROOT, assert_shows, blocks


def page(name):
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def section(text, title):
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def pytest_says(*arguments):
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def help_of(capsys, *verb):
    with pytest.raises(SystemExit):
        parser().parse_args([*verb, "--help"])
    return capsys.readouterr().out


def test_readme():
    """It has at most 120 lines, and the first 40 show an example with its failure."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120
    assert any(line.startswith("E       or: imagedetail ") for line in lines[:40])


def test_options():
    """docs/options.md has all options, ini keys and arguments of the marker."""
    text, printed = page("options.md"), pytest_says("--help")
    options = set(re.findall(r"--imagedetail-[a-z-]+", printed))
    assert options == {f"--imagedetail-{name}" for name in OPTIONS}
    assert set(re.findall(r"--imagedetail-[a-z-]+", text)) == options
    keys = set(re.findall(r"^  (imagedetail_[a-z_]+)", printed, re.MULTILINE))
    assert keys
    assert keys <= set(re.findall(r"imagedetail_[a-z_]+", text))

    marker = section(text, "Marker")
    shown = re.search(r"`@pytest\.mark\.(imagedetail\([^`]*\))`", marker)[1]
    registered = re.search(
        r"^@pytest\.mark\.(imagedetail\(.*\)):", pytest_says("--markers"), re.MULTILINE
    )
    assert " ".join(shown.split()).replace('"', "'") == registered[1]
    rows = re.findall(r"^\| [^|]+\|", marker, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == set(MARKER_TYPES)


def test_junit_properties(pytester):
    pytester.makepyfile(
        "def test_it(imagedetail):\n    imagedetail.compare('nova-2023.1', 'nova-2024.2')\n"
    )
    pytester.runpytest_subprocess("--junitxml=run.xml").assert_outcomes(passed=1)
    written = re.findall(r'name="(imagedetail_\w+)"', (pytester.path / "run.xml").read_text())
    documented = re.findall(r"`(imagedetail_\w+)`", section(page("options.md"), "JUnit XML"))
    assert set(documented) == set(written)


def test_normalization_rules():
    rows = [line for line in page("reference/normalization.md").splitlines() if line[:3] == "| R"]
    assert rows == [
        f"| {rule.id} | {rule.name} | `{rule.profile}` | {rule.does} | {rule.counts or 'nothing'} "
        f"| {rule.reason} | {rule.source} |"
        for rule in NORMALIZATION
    ]


def test_lint_rules():
    rows = re.findall(r"^\| `([a-z]+)` \| (\w+) \| .+? \| (.+) \|$", page("lint.md"), re.MULTILINE)
    assert rows == [(name, *rule) for name, rule in RULES.items()]


def test_rules_and_kinds():
    text = page("rules.md")
    for block in blocks(text):
        if block.language == "yaml":
            for entry in yaml.safe_load(block.text):
                assert rules.parse(entry, today=date.min).ref.reason == entry["reason"]
    assert {kind for kind in KINDS if f"`{kind}`" not in text} == set()
    golden = (ROOT / "tests/golden/severity.txt").read_text(encoding="utf-8")
    for severity, kind in re.findall(r"^(\w+) (\w+) ", golden, re.MULTILINE):
        assert severity in KINDS[kind].severities, kind


def test_options_of_verbs(capsys):
    for verb in ("scrub", "lint", "serve"):
        options = re.findall(r"--[a-z][a-z-]+", help_of(capsys, verb))
        missing = {each for each in options if each not in page(f"{verb}.md")}
        assert missing <= {"--help", "--cassette-dir"}, verb


def test_provenance():
    keys = {
        key
        for path in (ROOT / "cassettes").rglob("*.yaml")
        for key in yaml.load(path.read_bytes(), yaml.CSafeLoader)["imagedetail"]
    }
    text = page("cassettes.md")
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_redaction():
    tables = {
        "secrets": f"\n\n{listed(table.SECRETS)}\n",
        "naming": listed(table.NAMING),
        "holding": listed(table.HOLDING),
        "naming values": listed(table.NAMING_VALUES),
        "pointers": listed(table.POINTERS),
        "values": listed(table.VALUES),
        "below": listed(table.BELOW_TOKENS),
        "harmless": listed(table.HARMLESS - {""}),
        "queries": listed(table.IN_QUERIES),
        "public": listed(table.PUBLIC),
        "owners": listed(table.OWNERS),
        "always": listed(table.ALWAYS_OWNERS),
        "shapes": "\n".join(["\n", *(f"- {each}" for each in table.SHAPES)]),
        "request headers": listed(REQUEST_HEADERS),
        "response headers": listed(RESPONSE_HEADERS),
    }
    text = page("redaction.md")

    def filled(match):
        return f"<!-- names: {match[1]} -->{tables[match[1]]}<!-- end -->"

    new = re.sub(r"<!-- names: ([\w ]+) -->.*?<!-- end -->", filled, text, flags=re.DOTALL)
    assert_shows(ROOT / "docs" / "redaction.md", text, new)
    assert set(re.findall(r"names: ([\w ]+) -->", text)) == set(tables)


def listed(words):
    return ", ".join(f"`{each}`" for each in sorted(words))


def test_public_names():
    """docs/reference/fixtures.md has each fixture, public attribute and error."""
    text = page("reference/fixtures.md")
    for kind in (Cloud, Listing, Comparison, Difference, Matrix, Step, Span, Traffic, Servers):
        title = "Matrix" if kind in {Step, Span} else kind.__name__
        found = set(re.findall(r"`[^`]*?\.(\w+)", section(text, title)))
        names = {each for each in dir(kind) if not each.startswith("_")}
        assert names <= found, (kind, names - found)
    fixtures = set(re.findall(r"^\| `(imagedetail\w*)`", text, re.MULTILINE))
    assert fixtures == {each for each in vars(plugin) if each.startswith("imagedetail")}
    for name in re.findall(r"`\.(\w+)", section(text, "Harness")):
        assert hasattr(Harness, name)
    raised = {name for name in vars(errors) if name.endswith("Error")}
    assert set(re.findall(r"`(\w+Error)`", section(text, "Errors"))) == raised


def test_verbs(capsys):
    text = page("reference/command.md")
    verbs = re.findall(r"^    ([a-z]+)\b", help_of(capsys), re.MULTILINE)
    assert set(re.findall(r"^\| `([a-z]+)", text, re.MULTILINE)) == set(verbs)
    options = []
    for verb in verbs:
        options += {*re.findall(r"^  (--[a-z][a-z-]+)", help_of(capsys, verb), re.MULTILINE)}
    shared = {each for each in options if options.count(each) > 2} - {"--help"}
    assert {each for each in shared if f"`{each}" not in text} == set()
