"""Foreign recordings: every tool's shape becomes the same interactions, damage becomes an error."""

import base64
import gzip
import json
import zlib

import pytest

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.scrub import read

URL = "http://nova.example.com:8774/v2.1/images/detail"
BODY = b'{"images": []}'
PACKED = gzip.compress(BODY, mtime=0)
RAW_DEFLATE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED = RAW_DEFLATE.compress(BODY) + RAW_DEFLATE.flush()
GZIP = {"Content-Encoding": ["gzip"], "Content-Type": ["application/json"]}


def in_base64(data):
    """As JSON files hold bytes."""
    return base64.b64encode(data).decode()


def vcrpy(*, body, headers=None, status=None):
    """A document of vcrpy with one interaction."""
    return {
        "version": 1,
        "interactions": [
            {
                "request": {"method": "GET", "uri": URL, "body": None, "headers": {}},
                "response": {
                    "status": status or {"code": 200, "message": "OK"},
                    "headers": headers or {},
                    "body": body,
                },
            }
        ],
    }


def har(*, content, **more):
    """A HAR document with one entry."""
    request = {"method": "GET", "url": URL, "headers": [{"name": ":authority", "value": "x"}]}
    response = {"status": 200, "statusText": "", "headers": [], "content": content}
    entry = {"request": request, "response": response, "_initiator": {"type": "script"}, **more}
    return {"log": {"version": "1.2", "entries": [entry]}}


def ruby(*, body, headers="{}", recorded_with="VCR 6.2.0"):
    """The YAML that Ruby's VCR writes."""
    return f"""---
http_interactions:
- request:
    method: get
    uri: {URL}
    body:
      encoding: US-ASCII
      string: ''
    headers:
      Accept:
      - "*/*"
  response:
    status:
      code: 200
      message: OK
    headers: {headers}
    body:
{body}
  recorded_at: Tue, 01 Nov 2022 04:58:44 GMT
recorded_with: {recorded_with}
"""


def written(tmp_path, content, name="old.json"):
    """A file of a document, a text or bytes."""
    path = tmp_path / name
    if isinstance(content, dict | list):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("document", "tool"),
    [
        (vcrpy(body={"string": BODY.decode()}), "vcrpy"),
        (vcrpy(body={"base64_string": in_base64(PACKED)}, headers=GZIP), "vcrpy"),
        (vcrpy(body={"string": BODY.decode()}, headers=GZIP), "vcrpy"),
        (
            vcrpy(
                body={"base64_string": in_base64(DEFLATED)},
                headers={"content-encoding": "deflate"},
            ),
            "vcrpy",
        ),
        (
            vcrpy(
                body={"string": "E\r\n" + BODY.decode() + "\r\n0\r\n\r\n"},
                headers={"Transfer-Encoding": ["chunked"]},
            ),
            "vcrpy",
        ),
        (
            vcrpy(body={"string": BODY.decode()}, headers={"Transfer-Encoding": ["chunked"]}),
            "vcrpy",
        ),
        (vcrpy(body={"string": BODY.decode()}, status={"code": 200}), "vcrpy"),
        (har(content={"text": BODY.decode(), "size": 14}), "HAR"),
        (har(content={"text": in_base64(BODY), "encoding": "base64"}), "HAR"),
        (
            ruby(body=f"      encoding: UTF-8\n      string: '{BODY.decode()}'"),
            "Ruby VCR",
        ),
        (
            ruby(
                body="      encoding: ASCII-8BIT\n      string: !binary |-\n        "
                + in_base64(PACKED),
                headers="{Content-Encoding: [gzip]}",
            ),
            "Ruby VCR",
        ),
        (
            ruby(
                body="      encoding: utf-8\n      base64_string: " + in_base64(PACKED),
                headers="{Content-Encoding: gzip}",
                recorded_with="betamax/0.9.0",
            ),
            "betamax",
        ),
    ],
    ids=[
        *("vcrpy", "vcrpy-gzip", "vcrpy-undone", "vcrpy-deflate", "vcrpy-chunked"),
        *("vcrpy-unchunked", "vcrpy-no-message", "har", "har-base64"),
        *("ruby", "ruby-binary", "betamax-base64"),
    ],
)
def test_every_way_to_keep_a_body_gives_the_body(tmp_path, document, tool):
    """Compression, chunks and base64 are undone, whoever kept them, and their headers are gone."""
    source = read(written(tmp_path, document, "old.yaml"))
    (only,) = source.interactions
    assert (source.tool, only.method, only.url) == (tool, "GET", URL)
    assert (only.response.status_code, only.response.body) == (200, BODY)
    gone = {"content-encoding", "transfer-encoding", "content-length", ":authority"}
    names = {name.lower() for name in (*only.request_headers, *only.response.headers)}
    assert not names & gone


def test_the_old_stub_for_httpx_is_read(tmp_path):
    """Before vcrpy 6 an answer of httpx had status_code and content instead."""
    document = vcrpy(body=None)
    document["interactions"][0]["response"] = {
        "content": BODY.decode(),
        "headers": {},
        "http_version": "HTTP/1.1",
        "status_code": 200,
    }
    assert read(written(tmp_path, document)).interactions[0].response.body == BODY


def test_plain_values_of_yaml_stay_as_they_are_written(tmp_path):
    """A header's value is a text: no date, no octal number, no flag comes of it."""
    values = {"Age": "010", "X-Day": "2024-01-02", "X-On": "yes", "X-Number": "1e3"}
    headers = "{" + ", ".join(f"{name}: [{value}]" for name, value in values.items()) + "}"
    text = ruby(body="      encoding: UTF-8\n      string: ''", headers=headers)
    found = read(written(tmp_path, text, "old.yml")).interactions[0].response.headers
    assert dict(found) == values


def test_plain_texts_of_other_languages_are_texts(tmp_path):
    """Ruby's symbols and the texts of Python 2 run nothing."""
    text = ruby(body="      encoding: UTF-8\n      string: !!python/unicode 'é'")
    text = text.replace("method: get", "method: !ruby/symbol get")
    (only,) = read(written(tmp_path, text, "old.yml")).interactions
    assert (only.method, only.response.body) == ("GET", "é".encode())


def test_the_date_is_the_oldest_that_a_file_says(tmp_path):
    """In UTC, in whatever form the tool writes it; none if the file does not say."""
    text = ruby(body="      encoding: UTF-8\n      string: ''")
    assert read(written(tmp_path, text, "old.yml")).recorded_at == "2022-11-01T04:58:44Z"
    entry = har(content={"text": ""}, startedDateTime="2024-05-06T07:08:09.123+02:00")
    assert read(written(tmp_path, entry)).recorded_at == "2024-05-06T05:08:09Z"
    assert read(written(tmp_path, vcrpy(body=""))).recorded_at is None


def test_a_har_may_begin_with_a_mark_and_hold_what_was_not_answered(tmp_path):
    """Some exporters write a byte order mark; a blocked request has the status 0."""
    document = har(content={"text": "ä", "mimeType": "text/plain; charset=iso-8859-1"})
    blocked = json.loads(json.dumps(document["log"]["entries"][0]))
    blocked["response"]["status"] = 0
    document["log"]["entries"].append(blocked)
    path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(document).encode())
    first, second = read(path).interactions
    assert first.response.body == "ä".encode("latin-1")
    assert second.response.status_code == 0


@pytest.mark.parametrize(
    "change",
    [{"status": 0, "content": {"size": 7}}, {"status": 0, "content": {"size": 7, "text": 5}}],
)
def test_an_entry_of_a_har_that_was_given_up_needs_no_body(tmp_path, change):
    """A browser notes how much of an answer had come; there is none to be kept."""
    document = har(content={"text": ""})
    document["log"]["entries"][0]["response"] |= change
    (only,) = read(written(tmp_path, document)).interactions
    assert (only.response.status_code, only.response.body) == (0, b"")


@pytest.mark.parametrize("url", ["data:text/plain,x", "blob:http://a/b", "wss://a/", "about:blank"])
def test_an_entry_of_a_har_that_asked_nobody_by_http_has_no_answer(tmp_path, url):
    """Browsers list what they load from themselves, too."""
    document = har(content={"text": "x"})
    document["log"]["entries"][0]["request"]["url"] = url
    (only,) = read(written(tmp_path, document)).interactions
    assert only.response.status_code == 0


@pytest.mark.parametrize("encoding", ["base64", "BASE64", "Base64"])
def test_base64_in_any_case_is_base64(tmp_path, encoding):
    """Exporters spell it as they like."""
    document = har(content={"text": in_base64(BODY), "encoding": encoding})
    (only,) = read(written(tmp_path, document)).interactions
    assert only.response.body == BODY


def test_cookies_and_parameters_of_a_har_are_seen_where_headers_lack_them(tmp_path):
    """A browser may leave them in lists of their own: they tell what is secret."""
    document = har(content={"text": ""})
    request = document["log"]["entries"][0]["request"]
    request["cookies"] = [{"name": "session", "value": "c00kie-of-hers"}]
    request["postData"] = {"params": [{"name": "password", "value": "hunter-22"}]}
    (only,) = read(written(tmp_path, document)).interactions
    assert only.request_headers["Cookie"] == "session=c00kie-of-hers"
    assert only.request_body == b"password=hunter-22"


OBJECT = "!!python/object/apply:os.mkdir [PLACE]"
RUBY_OBJECT = "!ruby/object:Gem::Requirement {requirements: []}"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("name", "content", "problem", "where"),
    [
        ("old.yaml", b"", "the file is empty", ""),
        ("old.yaml", b"interactions:\n- request: {\n", "not a readable YAML file", ", line 3"),
        ("old.json", b'{"interactions": [\n', "not a readable JSON file", ", line 2, column 1"),
        ("old.yaml", b"- request\n", "it is no mapping of names", ""),
        ("old.json", b"[]", "it is no mapping of names", ""),
        ("old.yaml", b"interactions: []\n", "no interactions", ""),
        ("old.har", b'{"log": {"entries": {}}}', "its `log.entries` is no list", ""),
        ("old.yaml", b"something: else\n", "no recording that is known here", ""),
        ("old.yaml", b"interactions: \xff\n", "not a UTF-8 file: byte 14 is 0xff", ""),
        ("old.yaml", f"version: 1\ninteractions: {OBJECT}\n".encode(), "constructor", ", line 2"),
        ("old.yaml", f"a: 1\nb: {RUBY_OBJECT}\n".encode(), "constructor", ", line 2"),
        ("old.yaml", BOMB.encode(), "aliases that multiply", ", line"),
        ("old.json", b'{"a":' * 200_000, "nested too deeply", ""),
        ("old.yaml", b"interactions:\n- 1\n", "not a mapping", ", line 2, interaction 1"),
        (
            "old.yaml",
            b"interactions:\n- request: {method: GET}\n  response: {}\n",
            "its `uri` is absent",
            ", line 2, interaction 1",
        ),
        (
            "old.json",
            json.dumps(har(content={"size": 7})).encode(),
            "the body of its answer was not exported",
            ", interaction 1",
        ),
        *(
            (
                "old.json",
                json.dumps(har(content={"text": "H4sI", "encoding": each})).encode(),
                "a body is in an encoding that HAR does not have; base64 is its only one",
                ", interaction 1",
            )
            for each in ("gzip", "utf-8", 5, ["base64"])
        ),
        (
            "old.json",
            json.dumps(vcrpy(body={"base64_string": "?"})).encode(),
            "should be base64 is none",
            ", interaction 1",
        ),
        (
            "old.json",
            json.dumps(
                vcrpy(body={"base64_string": in_base64(PACKED[:-9])}, headers=GZIP)
            ).encode(),
            "compressed (gzip) and cannot be unpacked",
            ", interaction 1",
        ),
    ],
)
def test_damage_is_one_error_with_its_place(tmp_path, name, content, problem, where):
    """The error names file, place and what to do, whatever is wrong; nothing in it is run."""
    mark = tmp_path / "made"
    path = written(tmp_path, content.replace(b"PLACE", str(mark).encode()), name)
    with pytest.raises(DamagedCassetteError) as caught:
        read(path)
    assert problem in caught.value.problem
    assert caught.value.where.startswith(f"{path}{where}")
    assert "the file was left as it is" in caught.value.remedy
    assert not mark.exists()


def test_a_file_that_is_too_large_or_missing_is_not_read(tmp_path, monkeypatch):
    """200 MB end as an error before they fill the memory; so does a name that is none."""
    path = tmp_path / "old.yaml"
    with path.open("wb") as file:
        file.truncate(200 * 2**20)
    with pytest.raises(DamagedCassetteError, match="more than 128 MiB"):
        read(path)
    with pytest.raises(DamagedCassetteError, match="cannot be read: No such file"):
        read(tmp_path / "none.yaml")


def test_no_error_shows_a_value(tmp_path):
    """A password beside the damage is in no message and in no chained error."""
    secret = "s3cret-of-hers"
    for content in (
        f'{{"interactions": [{{"request": "{secret}"}}]}}',
        f'{{"interactions": ["{secret}" {secret}',
        f"interactions:\n- request: {secret}\n  response: {{}}\n",
        f"interactions:\n- request: [{secret}\n",
    ):
        with pytest.raises(DamagedCassetteError) as caught:
            read(written(tmp_path, content, "old.yaml"))
        error: BaseException | None = caught.value
        while error is not None:
            assert secret not in str(error)
            error = error.__cause__


def test_a_cassette_of_ours_reads_texts_and_numbers_as_before(tmp_path):
    """The reader for other tools changes nothing for our own files."""
    path = written(tmp_path, "n: 010\nt: yes\n", "own.yaml")
    own = yamltext.read(path, error=DamagedCassetteError, remedy="-")
    foreign = yamltext.read_foreign(path, error=DamagedCassetteError, remedy="-")
    assert (own, foreign) == ({"n": 8, "t": True}, {"n": "010", "t": "yes"})
