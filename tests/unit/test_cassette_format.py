"""The text of a cassette is exact and deterministic, and a changed one is refused.

tests/unit/test_lint.py shows each kind of damage and its line.
"""

import json
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.body.json import pretty
from pytest_imagedetail.cassette import dumps, load
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.model import Headers
from unit import recording_of

SCHEMA_1 = Path(__file__).parents[1].joinpath("scrub-data/schema-1.yaml").read_text("utf-8")
BODY = b'{"images":[{"id":"1","size":1.017415075e+09,"name":"a\\/b \\u00e9 \xc3\xa9"}]}'
REMEDY = (
    "  next:  bring the file back from version control; it was left as it is\n"
    "  next:  or delete it, then record it again: pytest --imagedetail-record-mode=once, or "
    "imagedetail record"
)
CHANGED = "the cassette was changed after it was written: its SHA-256 does not fit"
ODD = "\x85\u2028\u2029\ufeff\x00\x07\x1b\x7f\r\n\t '\"#:-|>%{}[],é日\U0001f600"


def written(path, *bodies, headers=(), **facts):
    facts = {"cloud": "k5", "plugin": "1.0", "headers": headers} | facts
    path.write_bytes(dumps(recording_of(*(bodies or (BODY,)), **facts)).encode("utf-8"))
    return path


def refusal(path):
    with pytest.raises(DamagedCassetteError) as caught:
        load(path)
    assert type(caught.value) is DamagedCassetteError
    message = str(caught.value)
    assert str(path) in message
    assert message.endswith(REMEDY)
    return caught.value.problem


texts = st.one_of(st.text(max_size=20), st.text(alphabet=ODD, max_size=10))
values = st.recursive(
    st.one_of(texts, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=15,
)
json_bodies = st.tuples(values, st.booleans(), st.sampled_from([None, 1])).map(
    lambda parts: json.dumps(parts[0], ensure_ascii=parts[1], indent=parts[2])
)
SLOW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


names = st.sampled_from(["Vary", "vary", "Allow", "X-A", "content-length", "Content-Type"])


@SLOW
@given(json_bodies, st.lists(st.tuples(names, texts), max_size=6))
@example(r'{"a": "\ud800", "b": "\/", "a": 1E5}', [])
@example('"\\ud83d" ', [])
@example('["' + "\x85\u2028\u2029\ufeff" + '"]', [])
@example('["x ", " y", "z\t"]', [])
def test_a_json_body_and_headers_load_as_sent(tmp_path, text, fields):
    """Each token as it was spelled. Repeated headers come back apart and in order."""
    kept = Headers([field for field in fields if field[0].lower() != "content-length"])
    sent = {"headers": fields, "sent": kept.fields}
    path = written(tmp_path / "a.yaml", text.encode("utf-8"), b"\xff", **sent)
    page, _ = load(path).interactions
    assert page.response.body.decode("utf-8") == pretty(text)
    for name in ("vary", "allow", "x-a", "content-type"):
        assert page.response.headers.all(name) == kept.all(name)
        assert page.request_headers.all(name) == kept.all(name)
    assert page.response.headers.all("Content-Length") == (str(len(page.response.body)),)
    assert dumps(load(path)).encode("utf-8") == path.read_bytes()  # nothing changes


@SLOW
@given(st.one_of(texts.map(str.encode), st.binary(max_size=60)))
@example(b" leading and trailing \r\n\r\n")
@example(b"\xef\xbb\xbf{}")
@example(b"NaN")
@example(b"[" * 5000)
@example(b'{"size": ' + b"1" * 5000 + b"}")
def test_any_other_body_loads_exactly_as_sent(tmp_path, body):
    """HTML, no body, line breaks of any kind, any bytes."""
    (page,) = load(written(tmp_path / "a.yaml", body)).interactions
    assert page.response.headers["Content-Length"] == str(len(page.response.body))
    try:
        sent = json.dumps(json.loads(body))  # as a text: NaN is not equal to itself
    except (ValueError, RecursionError):
        assert page.response.body == body
    else:
        assert json.dumps(json.loads(page.response.body)) == sent


def test_a_changed_cassette_is_refused(tmp_path):
    """Neither the answer nor its cloud and query can be edited unnoticed."""
    path = written(tmp_path / "a.yaml", BODY, b"\xff", headers=[("Vary", "a")])
    text = path.read_text(encoding="utf-8")
    for old, new in (
        ('"id": "1"', '"id": "2"'),
        ("code: 200", "code: 203"),
        ("- a\n", "- a\n      - b\n"),
        ("      string: |-", "      note: x\n      string: |-"),
        ("/w==", "/g=="),
        ("plugin: '1.0'", "plugin: 1.0"),
        ("pages: 2", "release: '2026.2'\n  pages: 2"),
        ("- request:", "- note: x\n  request:"),
    ):
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert refusal(path) == CHANGED, new
    text = written(tmp_path / "b.yaml", BODY).read_text(encoding="utf-8")
    for edited in (text[:-1] + " ", text.replace("|-\n        {", "|-\n{")):
        path.write_text(edited, encoding="utf-8")
        assert refusal(path), edited  # stock vcrpy would read another body, or none


def test_a_reformatted_cassette_is_whole(tmp_path):
    """White space, comments, quotes and the order of keys may change."""
    bodies, headers = (BODY, b"<p>\r\n x</p>\n", b"\xff" * 99), [("Vary", "b"), ("Allow", "é")]
    path = written(tmp_path / "a.yaml", *bodies, headers=headers, release="2026.2")
    recording, text = load(path), path.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for other in (
        text.replace("\n", "\r\n"),
        text.replace("- request:", "# b\n- request:").replace("|-", "|-  # a"),
        "---\n" + text + "...\n",
        text.replace("\n", "\n\n", 12),
        yaml.safe_dump(document),
        yaml.safe_dump(document, sort_keys=False, width=40, indent=4),
        yaml.safe_dump(document, sort_keys=False, default_style='"'),
    ):
        path.write_bytes(other.encode("utf-8"))
        assert load(path) == recording, other


junk = st.sampled_from([None, True, 7, 1.5, "a", [], {"a": [1]}, date.max, b"\xff"])
places = st.lists(st.integers(0, 20), min_size=1, max_size=7)


@SLOW
@given(places, junk)
def test_junk_in_any_place_is_never_another_error(tmp_path, places, value):
    """Any value in any place is refused, or leaves what the cloud said untouched."""
    untouched = load(written(tmp_path / "good.yaml")).interactions

    def change(document):
        for place in places:
            keys = list(document) if isinstance(document, dict) else list(range(len(document)))
            key = keys[place % len(keys)]
            inner = document[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            document, outer = inner, document
        else:
            document = outer
        document[key] = value

    path = tmp_path / "a.yaml"
    document = yaml.safe_load((tmp_path / "good.yaml").read_text(encoding="utf-8"))
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    with suppress(DamagedCassetteError):
        assert load(path).interactions == untouched


def test_schema_1_is_read(tmp_path):
    """It is checked by its own rule and written as schema 2."""
    path = tmp_path / "a.yaml"
    path.write_bytes(SCHEMA_1.encode())
    (page,) = load(path).interactions
    assert page.response.body == b'{\n  "images": [],\n  "token": "<redacted>"\n}'
    assert "  schema: 2\n" in dumps(load(path))
    for old, new in (("images", "Images"), ("cloud: k5", "cloud: k6"), ("schema: 1", "schema: 2")):
        path.write_bytes(SCHEMA_1.replace(old, new).encode())
        assert refusal(path) == CHANGED
