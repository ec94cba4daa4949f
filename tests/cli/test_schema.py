"""The published JSON Schema describes what the command prints."""

import json

import jsonschema
import pytest
import yaml

pytest.importorskip("openstack", reason="credentials need the extra `record`")
from unit.test_report import comparisons, matrices, nasty, rich

from pytest_imagedetail import report
from pytest_imagedetail.model import KINDS, SEVERITIES, Failure
from pytest_imagedetail.report import loading
from pytest_imagedetail.settings import LEVELS, PROFILES
from tests.docs.pages import ROOT

SCHEMA = json.loads((ROOT / "pytest_imagedetail/report/schema.json").read_bytes())
DEFINED = SCHEMA["$defs"]
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
LIMIT, ACTIVE = "--query=limit=0", "--query=status=ACTIVE"
VERBS = {
    "comparison": (
        ("diff", "nova-2019.1", "nova-2026.2", LIMIT, "--explain"),
        ("diff", "openstack-sample", "nova-2026.2", "--explain"),
        ("diff", "fujitsu-k5", "nova-2026.2", "--profile=wire"),
        ("diff", "fujitsu-k5", "nova-2026.2", "--level=shape"),
        ("diff", "nova-2019.1", "nova-2026.2", "--query=limit=abc", "--expect=400"),
    ),
    "matrices": (("matrix", "nova-*"),),
    "verify": (("verify",),),
    "fingerprint": (("fingerprint", "nova-2026.2"), ("fingerprint", "fujitsu-k5")),
    "lint": (("lint",),),
    "ls": (("ls", "*"),),
    "clouds": (("clouds",),),
    "rules": (("rules",), ("rules", "--list")),
    "check_list": (("check", "--list"),),
    "check_plan": (("check", "nova-2026.2", "--dry-run"),),
    "check": (
        ("check", "nova-2026.2", "openstack-sample"),
        ("check", "nova-2026.2", "--only=S1", "--rules=rules.yaml"),
        ("check", "staging"),
    ),
    "show": (("show", "nova-2026.2"), ("show", "nova-2026.2", LIMIT)),
    "scrub": (("scrub", "vcr.yaml", "broken.yaml", "cassettes", "--cloud=s", "-o", "out"),),
    "doctor": (("doctor",), ("doctor", "nobody")),
}
"""Commands by the definition of what they print."""

RULES = (
    "- {id: S1-5ddf37945f01, reason: unset later, expires: 2020-01-01}\n",
    "- {id: S1-0123456789ab, reason: unset, expires: never}\n",
)


def objects(schema, place="#"):
    if isinstance(schema, dict):
        if "properties" in schema or schema.get("type") == "object":
            yield place, schema
        for key, value in schema.items():
            yield from objects(value, f"{place}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from objects(value, f"{place}/{number}")


def check(document, name):
    for error in VALIDATOR.evolve(schema={**DEFINED[name], "$defs": DEFINED}).iter_errors(document):
        pytest.fail(f"{name}: {error.json_path}: {error.message}")
    VALIDATOR.validate(document)


@pytest.fixture
def project(imagedetail, site):
    """A project with a recording, an import and damaged files."""
    site.installs("2026.2")
    assert imagedetail("record", "--os-cloud=staging", "--release=2026.2", ACTIVE).returncode == 0
    (site.folder / "body.json").write_text('{"images": [{"id": "one", "name": "a"}]}')
    assert imagedetail("import", "body.json", "--cloud=staging").returncode == 0
    (site.folder / "cassettes/staging/limit=1.yaml").write_text("a: b")
    stock = yaml.safe_load((ROOT / "cassettes/nova-2026.2/all.yaml").read_bytes())
    del stock["imagedetail"]
    (site.folder / "vcr.yaml").write_text(yaml.safe_dump(stock))
    (site.folder / "broken.yaml").write_text("a: [")
    (site.folder / "rules.yaml").write_text("".join(RULES))
    return imagedetail


def test_what_each_verb_prints(project):
    for name, commands in VERBS.items():
        for arguments in commands:
            check(json.loads(project(*arguments, "--json").stdout), name)


def test_reports(tmp_path):
    """With everything that a comparison and a matrix can hold."""
    failure = Failure(baseline="a", candidate="b", problem="lost")
    results = [rich(), nasty(), *comparisons(), *matrices()]
    report.write(report.report_of([rich()]), tmp_path / "old.json")
    shown = report.report_of(results, [failure], earlier=loading.earlier(tmp_path / "old.json"))
    report.write(shown, tmp_path / "r.json")
    document = json.loads((tmp_path / "r.json").read_bytes())
    check(document, "report")


def test_every_object_is_closed():
    """A new key must be added to the schema; users of `facts` and `result` close it."""
    ours = {place: each for place, each in objects(SCHEMA) if "properties" in each}
    assert len(ours) > 20
    closed = {"additionalProperties", "unevaluatedProperties"}
    opened = {place for place, each in ours.items() if False not in map(each.get, closed)}
    assert opened == {"#/$defs/facts", "#/$defs/result"}


def test_the_verb(imagedetail):
    """It prints the file; every kind of document in it is tested here."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(imagedetail("schema").stdout) == SCHEMA
    documents = {each["$ref"].rpartition("/")[2] for each in SCHEMA["oneOf"]}
    assert documents == {*VERBS, "report", "check"}
    properties = {**DEFINED["comparison"]["properties"], **DEFINED["result"]["properties"]}
    assert [DEFINED["kind"]["enum"], DEFINED["severity"]["enum"]] == [[*KINDS], [*SEVERITIES]]
    assert properties["level"]["enum"] == [*LEVELS]
    assert properties["profile"]["enum"] == [*PROFILES]
