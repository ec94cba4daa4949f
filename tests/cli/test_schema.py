"""The published JSON Schema describes what the command really prints, key by key."""

import json
import shutil

import jsonschema
import pytest
import yaml

pytest.importorskip("openstack", reason="credentials need the extra `record`")
from unit.test_junit import comparisons, matrices
from unit.test_report import nasty, rich

from pytest_imagedetail import report
from pytest_imagedetail.model import KINDS, SEVERITIES, Failure
from pytest_imagedetail.report import loading
from pytest_imagedetail.settings import LEVELS, PROFILES
from tests.cloud import SimulatedCloud
from tests.docs.pages import ROOT

SCHEMA = json.loads((ROOT / "pytest_imagedetail/report/schema.json").read_bytes())
DEFINED = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
LIMIT = "--query=limit=0"
VERBS = {
    "comparison": (
        ("diff", "nova-2019.1", "nova-2026.2"),
        ("diff", "nova-2019.1", "nova-2026.2", LIMIT, "--explain"),
        ("diff", "openstack-sample", "nova-2026.2", "--explain"),
        ("diff", "fujitsu-k5", "nova-2026.2", "--profile=wire"),
        ("diff", "fujitsu-k5", "nova-2026.2", "--level=shape"),
        ("diff", "nova-2019.1", "nova-2026.2", "--query=limit=abc", "--expect=400"),
    ),
    "matrices": (
        ("matrix", "nova-*"),
        ("matrix", "nova-2019.1", "fujitsu-k5", "nova-2026.2", "--fail-on=change"),
    ),
    "verify": (("verify",),),
    "fingerprint": (("fingerprint", "nova-2026.2"), ("fingerprint", "fujitsu-k5")),
    "lint": (("lint",), ("lint", str(ROOT / "cassettes/nova-2026.2"))),
    "ls": (("ls",), ("ls", "*"), ("ls", "staging")),
    "clouds": (("clouds",),),
    "rules": (("rules",),),
    "check_list": (("check", "--list"),),
    "check_plan": (("check", "nova-2026.2", "--dry-run"),),
    "check": (("check", "nova-2026.2"), ("check", "nova-20*", "--only=S1")),
    "show": (("show", "nova-2026.2"), ("show", "nova-2026.2", LIMIT)),
    "scrub": (("scrub", "vcr.yaml", "broken.yaml", "cassettes", "--cloud=s", "-o", "out"),),
    "doctor": (("doctor",), ("doctor", "nobody")),
}
"""Commands by the definition of what they print."""


def objects(schema, place="#"):
    """Every subschema that is about an object, with its place."""
    if isinstance(schema, dict):
        if "properties" in schema or schema.get("type") == "object":
            yield place, schema
        for key, value in schema.items():
            yield from objects(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from objects(value, f"{place}/{number}")


def check(document, name):
    """A document is of one kind, the named one."""
    for error in VALIDATOR.evolve(schema={**DEFINED[name], "$defs": DEFINED}).iter_errors(document):
        pytest.fail(f"{name}: {error.json_path}: {error.message}")
    VALIDATOR.validate(document)


@pytest.fixture
def project(tmp_path, imagedetail, monkeypatch):
    """A project that has a recording, which cannot be asked again, an import and damaged files."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with SimulatedCloud(release="2026.2") as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        record = ("record", "--os-cloud=staging", "--release=2026.2", "--query=status=ACTIVE")
        assert imagedetail(*record).returncode == 0
        (tmp_path / "body.json").write_text('{"images": [{"id": "one", "name": "a"}]}')
        assert imagedetail("import", "body.json", "--cloud=staging").returncode == 0
        (tmp_path / "cassettes/staging/limit=1.yaml").write_text("a: b")
        stock = yaml.safe_load((ROOT / "cassettes/nova-2026.2/all.yaml").read_bytes())
        del stock["imagedetail"]
        (tmp_path / "vcr.yaml").write_text(yaml.safe_dump(stock))
        (tmp_path / "broken.yaml").write_text("a: [")
        yield imagedetail


def test_what_each_verb_prints(project):
    """With results and errors; every document is of one kind."""
    for name, commands in VERBS.items():
        for arguments in commands:
            result = project(*arguments, "--json")
            assert result.stdout, (arguments, result.stderr)
            check(json.loads(result.stdout), name)


def test_a_verdict_that_does_not_count(imagedetail, tmp_path):
    """What is of another release than declared is compared, and the problem is named."""
    shutil.copytree(ROOT / "cassettes/nova-2026.2", tmp_path / "cassettes/nova-2026.2")
    (tmp_path / "imagedetail.yaml").write_text('clouds: {nova-2026.2: {release: "2019.1"}}')
    document = json.loads(imagedetail("diff", "nova-2019.1", "nova-2026.2", "--json").stdout)
    assert "problem" in document
    check(document, "comparison")


def test_reports(tmp_path):
    """With everything that a comparison and a matrix can hold."""
    failure = Failure(baseline="a", candidate="b", problem="lost")
    results = [rich(), nasty(), *comparisons(), *matrices()]
    report.write(report.report_of([rich()]), tmp_path / "old.json")
    shown = report.report_of(results, [failure], earlier=loading.earlier(tmp_path / "old.json"))
    report.write(shown, tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_bytes())
    check(document, "report")
    comparison, matrix = document["comparisons"][0], document["matrices"][1]
    for each in (document, comparison, comparison["differences"][0], matrix["changes"][0]):
        each["new"] = 1
        assert not VALIDATOR.is_valid(document)
        del each["new"]


def test_every_object_is_closed():
    """A new key of ours has to be added to the schema; `facts` is closed by those that use it."""
    ours = {place: each for place, each in objects(SCHEMA) if "properties" in each}
    assert len(ours) > 20
    closed = {"additionalProperties", "unevaluatedProperties"}
    opened = {place for place, each in ours.items() if False not in map(each.get, closed)}
    assert opened == {"#/$defs/facts"}


def test_words():
    """The enumerations are the program's."""
    assert DEFINED["kind"]["enum"] == list(KINDS)
    assert DEFINED["severity"]["enum"] == list(SEVERITIES)
    properties = DEFINED["comparison"]["properties"]
    assert properties["level"]["enum"] == list(LEVELS)
    assert properties["profile"]["enum"] == list(PROFILES)


def test_the_verb(imagedetail):
    """It prints the file, which is a schema; every definition of a document is tested here."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(imagedetail("schema").stdout) == SCHEMA
    documents = {each["$ref"].rpartition("/")[2] for each in SCHEMA["oneOf"]}
    assert documents == {*VERBS, "report", "check"}
