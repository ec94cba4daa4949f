"""Our copy of Nova's response schema gives the same errors as Nova."""

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pytest_imagedetail.body import xml
from pytest_imagedetail.cassette import load
from pytest_imagedetail.check.forecast import forecast, schema_errors

from . import RELEASES
from .cloud import environment_of
from .library import LIBRARY
from .mutations import mutated
from .venvs import installed

pytestmark = pytest.mark.realcloud

GENERATED = 10_000
SCRIPT = Path(__file__).with_name("nova_validator.py")
ASSERTIONS = {"additionalProperties", "const", "enum", "format", "required", "type"}
ASSERTIONS |= {"maxItems", "minItems", "minimum"}


@pytest.fixture(scope="module")
def recorded():
    """Return the bodies of all listings in the library."""
    return [
        json.loads(each.response.body)
        for path in sorted(LIBRARY.rglob("*.yaml"))
        for each in load(path).interactions
        if each.response.status_code == 200
        and urlsplit(each.url).path.endswith("/images/detail")
        and not xml.is_xml(each.response.body)
    ]


@pytest.fixture(scope="module")
def generated(recorded):
    """Return mutations of the recorded bodies."""
    return list(mutated(recorded, GENERATED, seed=20))


def test_the_same_verdict_and_text(series, recorded, generated, tmp_path):
    """Nova's validator agrees about every document."""
    if series < 32:
        pytest.skip("Nova validates images/detail since 32")
    documents = recorded + generated
    texts = _of_nova(series, documents, tmp_path)
    found = [next(iter(forecast(each, where="")), None) for each in documents]
    ours = [each.error if each and each.schema == "nova" else None for each in found]
    different = [
        found for found in zip(documents, texts, ours, strict=True) if found[1] != found[2]
    ]
    refused = sum(text is not None for text in texts)
    sys.stdout.write(
        f"Nova {series}: {len(recorded)} recorded and {len(generated)} generated documents, "
        f"{refused} refused with {len(set(texts)) - 1} texts, {len(different)} disagreements\n"
    )
    assert different == []


def _of_nova(series, documents, folder):
    done = subprocess.run(
        [installed(RELEASES[series]) / "bin" / "python", SCRIPT],
        input="".join(json.dumps(each) + "\n" for each in documents),
        env=environment_of(folder),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_documents_break_every_keyword(generated):
    """Each keyword of the schema is violated at every place."""
    file = resources.files("pytest_imagedetail.contract") / "schemas" / "nova-images-detail.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    broken = {
        tuple(error.absolute_schema_path)
        for document in generated
        for error in schema_errors("nova")(document)
    }
    assert set(_assertions(schema, schema["$defs"], ())) - broken == set()


def _assertions(schema, named, path):
    """Yield the paths of all keywords that a document can violate."""
    if schema is True:
        return
    if "$ref" in schema:
        schema = named[schema["$ref"].rpartition("/")[2]]
    yield from ((*path, keyword) for keyword in schema.keys() & ASSERTIONS)
    for name, each in schema.get("properties", {}).items():
        yield from _assertions(each, named, (*path, "properties", name))
    for place, each in enumerate(schema.get("prefixItems", ())):
        yield from _assertions(each, named, (*path, "prefixItems", place))
    if "items" in schema:
        yield from _assertions(schema["items"], named, (*path, "items"))
