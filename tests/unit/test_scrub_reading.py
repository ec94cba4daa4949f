"""Read recordings of other tools into the same interactions. Damage is an error of one class."""

import base64
import gzip
import json
import os
import zlib

import pytest
import yaml

from pytest_imagedetail.errors import DamagedCassetteError
from pytest_imagedetail.scrub.reading import read

URL = "http://nova.example.com:8774/v2.1/images/detail"
BODY = b'{"images": []}'
PACKED = gzip.compress(BODY, mtime=0)
DEFLATED = zlib.compress(BODY, wbits=-zlib.MAX_WBITS)
ASKED = {"method": "get", "uri": URL, "body": None, "headers": {"Accept": ["*/*"]}}
RUBY_DATE = "Tue, 01 Nov 2022 04:58:44 GMT"


def in_base64(data):
    return base64.b64encode(data).decode()


def answered(body, **headers):
    names = {name.replace("_", "-"): [value] for name, value in headers.items()}
    return {"status": {"code": 200, "message": "OK"}, "headers": names, "body": body}


def vcrpy(response):
    return {"version": 1, "interactions": [{"request": ASKED, "response": response}]}


def ruby(body, *, tool="VCR 6.2.0", **headers):
    request = ASKED | {"method": ":get"}
    each = {"request": request, "response": answered(body, **headers), "recorded_at": RUBY_DATE}
    return {"http_interactions": [each], "recorded_with": tool}


def har(content, *, url=URL, status=200):
    request = {"method": "GET", "url": url, "headers": [{"name": ":authority", "value": "x"}]}
    response = {"status": status, "statusText": "OK", "headers": [], "content": content}
    date = "2024-05-06T07:08:09.123+02:00"
    entry = {"startedDateTime": date, "request": request, "response": response}
    return {"log": {"version": "1.2", "entries": [entry]}}


def written(folder, content, name="old.json"):
    path = folder / name
    content = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_each_tool_and_encoding_gives_the_same_body(tmp_path):
    """Compression and base64 are undone, and their headers are removed."""
    text = BODY.decode()
    old_httpx = {"status_code": 200, "content": text, "headers": {}, "http_version": "HTTP/1.1"}
    packed, raw = {"encoding": "utf-8", "base64_string": in_base64(PACKED)}, in_base64(DEFLATED)
    binary = yaml.safe_dump(ruby({"string": PACKED}, Content_Encoding="gzip"))
    for tool, document in (
        ("vcrpy", vcrpy(answered({"string": text}, Content_Encoding="gzip"))),
        ("vcrpy", vcrpy(answered({"base64_string": raw}, Content_Encoding="deflate"))),
        ("vcrpy", vcrpy(old_httpx)),
        ("Ruby VCR", binary.replace("!!binary", "!binary")),
        ("betamax", ruby(packed, tool="betamax/0.9.0", Content_Encoding="gzip")),
        ("HAR", har({"text": in_base64(BODY), "encoding": "BASE64"})),
    ):
        source = read(written(tmp_path, document, "old.yaml"))
        (only,) = source.interactions
        assert (source.tool, only.method, only.url) == (tool, "GET", URL), document
        assert (only.response.status_code, only.response.body) == (200, BODY), document
        removed = {"content-encoding", "transfer-encoding", "content-length", ":authority"}
        names = {name.lower() for name in (*only.request_headers, *only.response.headers)}
        assert not names & removed, document


def test_the_date_is_the_oldest_of_the_file(tmp_path):
    """In UTC. None if one is missing."""
    assert read(written(tmp_path, ruby({"string": ""}))).recorded_at == "2022-11-01T04:58:44Z"
    document = har({"text": ""})
    (entry,) = document["log"]["entries"]
    for date, oldest in (
        ("2024-05-06T05:08:08", "2024-05-06T05:08:08Z"),  # without a zone it is UTC
        (None, None),
    ):
        document["log"]["entries"] = [entry, entry | {"startedDateTime": date}]
        assert read(written(tmp_path, document)).recorded_at == oldest


def test_bodies_of_har(tmp_path):
    """In the charset of the content type. A form may be a list. A blocked request has none."""
    plain, latin = "text/plain", "text/plain; charset=iso-8859-1"
    entry = har({"text": "ä", "mimeType": plain})["log"]["entries"][0]
    by_header = entry | {"response": entry["response"] | {
        "headers": [{"name": "content-type", "value": latin}]}}  # fmt: skip
    form = {"params": [{"name": "password", "value": "hunter-22"}]}
    posted = entry | {"request": entry["request"] | {"postData": form}}
    for document, status, body in (
        (har({"text": "ä", "mimeType": latin}), 200, "ä".encode("latin-1")),
        ({"log": {"entries": [by_header]}}, 200, "ä".encode("latin-1")),
        (har({"text": "ä", "mimeType": f"{plain}; charset=unknown"}), 200, "ä".encode()),
        (har({"size": 7}, status=0), 0, b""),
        ({"log": {"entries": [posted]}}, 200, "ä".encode()),
    ):
        path = written(tmp_path, b"\xef\xbb\xbf" + json.dumps(document).encode())  # with a BOM
        (only,) = read(path).interactions
        assert (only.response.status_code, only.response.body) == (status, body), document
    assert only.request_body == b"password=hunter-22"


def test_damage_is_one_error_with_its_place(tmp_path):
    """File, line or interaction, and field. No value is shown and no code is run."""
    mark = tmp_path / "made"
    secret = "s3cret-of-hers"
    bad = vcrpy(answered({"string": ""}))
    bad["interactions"][0]["request"] = ASKED | {"uri": [secret]}
    one = ", interaction 1"
    cut = vcrpy(answered({"base64_string": in_base64(PACKED[:-9])}, Content_Encoding="gzip"))
    for content, problem, where in (
        ("", "not a known recording: it has no `interactions`, ", ""),
        ("interactions:\n- request: {\n", "not a readable YAML file", ", line 3"),
        (f'{{"interactions": ["{secret}" {secret}', "not a readable JSON file", ", line 1"),
        ("interactions: []\n", "the recording has no list of interactions", ""),
        (b"interactions: \xff\n", "not a UTF-8 file: byte 14 is 0xff", ""),
        (f"a: 1\nb: !!python/object/apply:os.mkdir [{mark}]\n", "constructor", ", line 2"),
        ('{"a":' * 200_000, "not a readable JSON file: it is nested too deeply", ""),
        (f"interactions:\n- request: {secret}\n", "its `request` is missing", one),
        (bad, "its `request.uri` is missing or of another type", one),
        (vcrpy(answered({}, Age=[secret])), "a header, parameter or reason is", one),
        (har({"size": 7}), "`response.content` has no body", one),
        (har({"text": "H4sI", "encoding": "gzip"}), "only encoding", one),
        (har({"text": ""}, url="https://[::1/x"), "is not valid", one),
        (vcrpy({"status": {"code": 200}, "headers": "x"}), "is not valid", one),
        (vcrpy({"status": {"code": float("inf")}, "headers": {}}), "is not valid", one),
        (vcrpy(answered({"string": 5})), "a body is neither text nor bytes", one),
        (vcrpy(answered({"json": {}})), "a body has neither `string` nor `base64_string`", one),
        (har({"text": ""}, url="//"), "its URL is not one of HTTP", one),
        (har({"text": ""}, status=7), "its status does not have three digits", one),
        (vcrpy(answered({"base64_string": "?"})), "not valid base64", one),
        (cut, "not in gzip: record it again with `Accept-Encoding: gzip`", one),
    ):
        path = written(tmp_path, content, "old.yaml")
        with pytest.raises(DamagedCassetteError) as caught:
            read(path)
        error = caught.value
        assert problem in error.problem, content
        assert error.where.startswith(f"{path}{where}"), content
        assert "the file was not changed" in error.remedy
        assert secret not in f"{error}{error.__cause__}"
    assert not mark.exists()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name, problem in (("none", "No such"), ("pipe", "it is a pipe"), ("zero", "it is a")):
        with pytest.raises(DamagedCassetteError, match=f"cannot be read: {problem}"):
            read(tmp_path / f"{name}.yaml")
