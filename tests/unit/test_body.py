"""Bodies and files as text: JSON, YAML and compression. For XML, see test_xml_answers."""

import gzip
import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail.body import compression
from pytest_imagedetail.body.json import parse, pretty
from pytest_imagedetail.body.yaml import Files
from pytest_imagedetail.errors import BodyError, DamagedCassetteError, SettingsError

# --- JSON

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')

strings = st.one_of(
    st.text(max_size=8).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(max_size=8).map(json.dumps),
    st.sampled_from([r'"\/v2\/x"', r'"\ud800"', r'"A\u00e9"', '"[1, {2}]: ,"', r'"a \" : b\\"']),
)
numbers = st.sampled_from(["1.017415075e+09", "-0", "1E5", "0.10", "1" * 5000, "-12.50e-3"])
scalars = st.one_of(strings, numbers, st.sampled_from(["true", "false", "null"]))
spaces = st.text(alphabet=" \t\r\n", max_size=3)


def containers(inner):
    """Draw objects, with repeated keys, and lists, with white space anywhere."""
    item = st.tuples(spaces, inner, spaces).map("".join)
    pair = st.tuples(spaces, strings, spaces, st.just(":"), item).map("".join)
    return st.one_of(
        st.lists(item, max_size=4).map(lambda items: "[" + ",".join(items) + "]"),
        st.lists(pair, max_size=4).map(lambda pairs: "{" + ",".join(pairs) + "}"),
    )


documents = st.recursive(scalars, containers, max_leaves=20)


@given(documents)
def test_json_keeps_every_token(text):
    """Laying out changes white space only, and doing it again changes nothing."""
    laid_out = pretty(text)
    assert TOKEN.findall(laid_out) == TOKEN.findall(text)
    assert pretty(laid_out) == laid_out


def test_json_errors():
    for text, problem, place in (
        ('{"a": "x\ny"}', "not JSON: invalid control character", ", line 1, column 9"),
        ("{}\n{}", "not JSON: extra data", ", line 2, column 1"),
        ("[NaN]", "not JSON: NaN is not a JSON value (RFC 8259, section 6)", ""),
        ("[-1e999]", "not JSON: -1e999 is too large a number for any client", ""),
        ('{"size": ' + "1" * 5000 + "}", "not JSON: Exceeds the limit", ""),
        (" \r\n\t", "empty, so it is not a listing", ""),
    ):
        with pytest.raises(BodyError) as caught:
            parse(text, where="body.json")
        assert caught.value.problem.startswith(f"the body is {problem}")
        assert not caught.value.problem.endswith((" at", " starting"))
        assert caught.value.where == f"body.json{place}"


# --- YAML


def refused(path, error=DamagedCassetteError):
    with pytest.raises(error) as caught:
        Files(error, "fix it").read(path)
    assert type(caught.value) is error
    return str(caught.value)


def test_yaml_errors_are_of_the_callers_class(tmp_path):
    """Neither PyYAML's errors nor KeyErrors of its constructors reach a user."""
    path = tmp_path / "a.yaml"
    for text in (
        *("!!bool maybe", '!!int ""', "!!float ''", "2024-99-99", "!!binary é", "!!omap 3"),
        *("{[]: 1}", "a: 1\n---\nb: 2", "*nowhere", "&a [*a]", '"\\ud800"', "9" * 5000),
        *("a: 1\n<<: 3", f"a: !!python/object/apply:os.system ['touch {path}.ran']"),
    ):
        path.write_text(text, encoding="utf-8")
        message = refused(path)
        assert message.startswith("not a readable YAML file: ")
        assert f"  where: {path}" in message
        assert message.endswith("  next:  fix it")
    assert list(tmp_path.iterdir()) == [path]


def test_yaml_errors_have_a_place(tmp_path):
    """A repeated key is an error, because YAML would keep its last value only."""
    path = tmp_path / "a.yaml"
    twice = "the key `{}` is repeated"
    for data, problem, place in (
        (b"a: 1\nb: [1\n", "did not find expected ',' or ']'", ", line 3, column 1"),
        (b"b: 1\na: 2027-02-30\n", "a value does not fit its type: day is", ", line 2, column 4"),
        (b"\xc3\xa9: 1\nb: \x01\n", "control characters are not allowed", ", line 2"),
        (b"a: 1\n<<<<<<< HEAD\n", "it holds a merge conflict; resolve it", ", line 2"),
        (b"a: 1\nb: 2\na: 3\n", twice.format("a"), ", line 3, column 1"),
        (b"- x: {b: 1, c: [b, {b: 1}], b: 2}\n", twice.format("b"), ", line 1, column 29"),
        (b"[" + b"1," * 1_000_001 + b"]", "more than 1000000 values", ", line 1, column "),
    ):
        path.write_bytes(data)
        message = refused(path, SettingsError)
        assert message.startswith(f"not a readable YAML file: {problem}")
        assert f"  where: {path}{place}" in message
    path.write_bytes(b"b: 1\na: \xff\n")
    where = f"  where: {path}, line 2\n  next:  fix it"
    assert refused(path) == f"not a UTF-8 file: byte 8 is 0xff\n{where}"
    path.write_bytes(b"[" * 100_000)  # of which some versions of PyYAML say more
    too_deep = "nested too deeply", "exceeded maximum nesting depth"
    assert refused(path).startswith(tuple(f"not a readable YAML file: {each}" for each in too_deep))
    path.write_bytes(b"[" * 100 + b"]" * 100)
    assert Files(SettingsError, "").read(path)
    where = f"  where: {tmp_path}\n  next:  fix it"
    assert refused(tmp_path) == f"the file cannot be read: Is a directory\n{where}"


def test_yaml_aliases(tmp_path):
    """An alias is resolved, unless the document would grow without limit."""
    path = tmp_path / "a.yaml"
    path.write_text("a: &a {x: 1}\nb: &b\n  <<: *a\n  x: 2\nc:\n  <<: *b\n  <<: *a\n  x: 3\n")
    expected = {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}}
    assert Files(SettingsError, "").read(path) == expected
    for first, row in (("[" + "x" * 50 + "]", "[{}]"), ("{k: v}", "{{<<: [{}]}}")):
        lines = [f"a0: &a0 {first}"]
        for level in range(1, 12):
            aliases = ", ".join([f"*a{level - 1}"] * 10)
            lines.append(f"a{level}: &a{level} {row.format(aliases)}")
        path.write_text("\n".join(lines))
        assert refused(path).startswith("not a readable YAML file: more than 1000000 values, al")
    path.write_text("path: *minRam")  # a glob without quotes
    assert refused(path).startswith("not a readable YAML file: found undefined alias 'minRam'")


# --- compression

TEXT = b"the same words again and again " * 40


def test_content_encodings_are_undone(monkeypatch):
    """In any spelling, repeatedly, and not again if the client has done it."""
    decoders = {"rot13": lambda data: data[1:]}
    zipped = gzip.compress(TEXT)
    for encodings, body, decoded in (
        ("gzip", zipped, TEXT),
        ("deflate , X-Gzip", gzip.compress(zlib.compress(TEXT)), TEXT),
        ("deflate", zlib.compress(TEXT)[2:-4], TEXT),
        *((each, TEXT, TEXT) for each in ("identity", "", "gzip", "br")),
        ("rot13", b"\xff" + TEXT, TEXT),
        ("br", b"\xff\xfe", None),
        *(("gzip", each, None) for each in (zipped[:-9], b"\x1f\x8b\x08junk")),
    ):
        assert compression.decode(body, encodings, decoders) == decoded, encodings
    monkeypatch.setattr(compression, "_MAX_SIZE", 1000)
    assert compression.decompress(zlib.compress(b"x", wbits=9)) == b"x"  # its header is another
    assert compression.decompress(gzip.compress(b"x" * 1000)) == b"x" * 1000
    assert compression.decompress(gzip.compress(b"x" * 1001)) is None  # one byte too large
