"""Text, names and folders of cassettes. The text is exact, and a changed one is refused.

tests/unit/test_lint.py shows each kind of damage and its line.
"""

import json
import re
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from pytest_imagedetail.body.json import pretty
from pytest_imagedetail.cassette import (
    Store,
    check_cloud_name,
    dumps,
    file_name,
    load,
    traffic_name,
)
from pytest_imagedetail.errors import DamagedCassetteError, LeakError, UsageError
from pytest_imagedetail.model import Headers, Query
from pytest_imagedetail.redact import Known
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


def recording(*bodies, **facts):
    return recording_of(*(bodies or (BODY,)), **{"cloud": "k5", "plugin": "1.0"} | facts)


def written(path, *bodies, headers=(), **facts):
    path.write_bytes(dumps(recording(*bodies, headers=headers, **facts)).encode("utf-8"))
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
        ("      string: |-", "      note: x\n      string: |-"),
        ("/w==", "/g=="),
    ):
        assert old in text, old
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert refusal(path) == CHANGED, new
    text = written(tmp_path / "b.yaml", BODY).read_text(encoding="utf-8")
    for edited in (text[:-1] + " ", text.replace("|-\n        {", "|-\n{")):
        path.write_text(edited, encoding="utf-8")
        assert refusal(path), edited  # stock vcrpy would read another body, or none
    for old, new in (("images", "Images"), ("cloud: k5", "cloud: k6"), ("schema: 1", "schema: 2")):
        path.write_text(SCHEMA_1.replace(old, new), encoding="utf-8")
        assert refusal(path) == CHANGED, new


def test_a_reformatted_cassette_is_whole(tmp_path):
    """White space, comments, quotes and the order of keys may change."""
    bodies, headers = (BODY, b"<p>\r\n x</p>\n", b"\xff" * 99), [("Vary", "b"), ("Allow", "é")]
    path = written(tmp_path / "a.yaml", *bodies, headers=headers, release="2026.2")
    recording, text = load(path), path.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for other in (
        text.replace("\n", "\r\n"),
        text.replace("- request:", "# b\n- request:").replace("|-", "|-  # a"),
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


words = st.one_of(
    st.sampled_from(["name", "status", "active", "ACTIVE", "a=b", "a+b", "", "."]),
    st.text(max_size=6),
    st.text(alphabet='aA.-_+=<>:"/\\|?* \x00é', max_size=6),
    st.text(min_size=60, max_size=120),
)
microversions = st.sampled_from([None, None, "2.1", "2.35", "latest", "LATEST"])
queries = st.builds(Query, st.lists(st.tuples(words, words), max_size=3).map(tuple), microversions)


@given(queries, queries)
@example(Query((("a", "b+c=d"),)), Query((("a", "b"), ("c", "d"))))
@example(Query((("limit", "1"), ("limit", "2"))), Query((("limit", "2"), ("limit", "1"))))
@example(Query.of(marker=""), Query())
@example(Query.of(name="A"), Query.of(name="a-7c9ca8ce"))  # the latter has the hash of the former
def test_two_queries_never_share_a_file(one, other):
    """Not even where the file system ignores case. Each name is valid everywhere."""
    assume(one != other)
    name = file_name(one)
    assert name.casefold() != file_name(other).casefold()
    assert re.fullmatch(r"[a-z0-9._+=@-]+\.yaml", name)
    assert len(name) <= 100


def test_cloud_names():
    """A name is a folder and part of a host name."""
    for name in ("k5", "nova-2026.2", "A_b", "x" * 63):
        assert check_cloud_name(name) == name
    for name in (
        *("", "..", "a/b", "a\\b", "/etc", "a..b", "a.", "-a", "a b", "a\n", "é", "C:", "x" * 64),
    ):
        with pytest.raises(UsageError) as caught:
            check_cloud_name(name)
        assert caught.value.problem == f"{name!r} cannot be the name of a cloud"


nodes = st.one_of(
    st.builds(
        "{}::{}".format,
        st.sampled_from(["test_x.py", "a/test_x.py", "a/test_x.txt", "a.b/test_x.py", "test_x"]),
        st.one_of(words, st.builds("test_x[{}]".format, words), st.builds("T::{}".format, words)),
    ),
    words.filter(lambda word: word and "::" not in word),
)


@given(nodes, nodes)
@example("t.py::x[A]", "t.py::x[a]")
@example("test_x/testa.py::test_b", "test_x.py::testa::test_b")
@example("a/t.txt::x", "a/t.txt..py::x")
@example("t.py::" + "x" * 200, "t.py::" + "x" * 201)
@example("t.py::x[\u00e9]", "t.py::x[e\u0301]")  # one text in two normalization forms
@example("t.py::x[K]", "t.py::x[\u212a]")  # the kelvin sign, whose lower case is k
@example("t.py::x[../../etc/passwd]", "t.py::x[a.]")
@example("t.py::x[\ud800]", "t.py::x")
def test_two_tests_never_share_a_file(one, other):
    """Not by case, length, characters or folders. Each path is valid and below `tests`."""
    assume(one != other)
    name = traffic_name(one)
    assert str(name).casefold() != str(traffic_name(other)).casefold()
    first, *parts = name.parts
    assert first == "tests"
    for part in parts:
        assert re.fullmatch(r"[a-z0-9._+=@-]+", part)
        assert part not in {".", ".."}
        assert len(part) <= 100


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(nodes, st.text(min_size=1))
@example("t.py::x", "inv")
@example("inv.d/t.py::x", "inv")
def test_a_shared_folder_meets_no_other_file(node, shared):
    """Neither a file of another test nor the read-only file of its name."""
    assume("::" not in shared and "::" in node)
    top, folder, *rest = traffic_name(node, shared=shared).parts
    own = traffic_name(node).parts
    assert own == (top, *rest)
    assert folder.endswith(".d")
    assert not own[1].endswith(".d")
    assert traffic_name(shared).name != folder
    assert traffic_name(node, shared=f"{shared}2").parts[1].casefold() != folder.casefold()


def test_what_lies_under_another_name_is_not_written_over(tmp_path):
    """It may be the only copy of another cloud's recording."""
    kept = Store(directory=tmp_path)
    kept.write(recording(cloud="other"), known=Known())
    (tmp_path / "other").rename(tmp_path / "k5")
    before = kept.path("k5", Query()).read_bytes()
    with pytest.raises(DamagedCassetteError, match="cloud 'other', query 'all', but its file has"):
        kept.write(recording(b"{}"), known=Known())
    assert kept.path("k5", Query()).read_bytes() == before
    kept.write(recording(test="t.py::a"), known=Known())
    kept.traffic_path("k5", "t.py::a").rename(kept.traffic_path("k5", "t.py::b"))
    with pytest.raises(DamagedCassetteError, match=r"cloud 'k5', test t\.py::a, but its file has"):
        kept.load_traffic("k5", "t.py::b")


def test_a_leak_is_refused_and_the_old_file_untouched(tmp_path):
    """However YAML writes it, and when merging. The message does not show it."""
    kept, known = Store(directory=tmp_path), Known(secrets=frozenset({"hunter2's pass"}))
    kept.write(recording(), known=Known())
    before = kept.path("k5", Query()).read_bytes()
    for body in (
        b"\xff" * 50 + b"hunter2's pass" + b"\xff" * 50,
        b"\x07\"hunter2's pass\\",
        b"# hunter2's pass",  # in YAML the apostrophe is doubled
        b'{"images": [], "a": "hunter2\'s pass"}',
    ):
        with pytest.raises(LeakError) as caught:
            kept.write(recording(body), known=known)
        assert kept.path("k5", Query()).read_bytes() == before
    assert caught.value.problem.startswith(
        "refused to write: a secret or an id of this session was left"
    )
    assert "hunter2" not in str(caught.value)
    kept.write(recording(body), known=Known())
    with pytest.raises(LeakError):
        kept.write(recording(), known=known, merge=lambda old: old)


def test_a_cloud_is_no_way_out_of_the_folder(tmp_path):
    kept = Store(directory=tmp_path / "in")
    kept.write(recording(), known=Known())
    Store(directory=tmp_path).write(recording(), known=Known())
    for cloud in ("..", "../k5", "/etc"):
        with pytest.raises(UsageError):
            kept.write(recording(cloud=cloud), known=Known())
        with pytest.raises(UsageError):
            kept.load(cloud, Query())
