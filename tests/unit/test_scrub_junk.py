"""Recordings of other tools with junk in every place: read, refused in words, never a stumble."""

import copy
import json

import pytest
import yaml

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.scrub import check, exposed_in, path_of, read, scrubbed

URL = "http://nova.example/v2.1/images/detail?limit=1"
VCRPY = {
    "version": 1,
    "interactions": [
        {
            "request": {"method": "GET", "uri": URL, "body": None, "headers": {"Accept": ["a"]}},
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Vary": ["a"], "Content-Encoding": ["gzip"]},
                "body": {"string": "{}", "encoding": "utf-8"},
            },
            "recorded_at": "2020-01-01T00:00:00",
        }
    ],
}
OLD_VCRPY = copy.deepcopy(VCRPY)
OLD_VCRPY["interactions"][0]["response"] = {
    "status_code": 200, "content": "{}", "headers": {"Vary": "a"}, "http_version": "HTTP/1.1",
}  # fmt: skip
RUBY = {
    "http_interactions": [
        {
            "request": {
                "method": "post",
                "uri": URL,
                "body": {"encoding": "UTF-8", "string": "a=b"},
                "headers": {"Accept": ["a"]},
            },
            "response": {
                "status": {"code": 200, "message": "OK"},
                "headers": {"Vary": ["a"]},
                "body": {"encoding": "UTF-8", "string": "{}"},
            },
            "recorded_at": "Fri, 01 Jan 2016 00:00:00 GMT",
        }
    ],
    "recorded_with": "VCR 3.0.0",
}
BETAMAX = copy.deepcopy(RUBY) | {"recorded_with": "betamax/0.8.1"}
BETAMAX["http_interactions"][0]["response"]["body"] = {"encoding": "", "base64_string": "e30="}
HAR = {
    "log": {
        "version": "1.2",
        "entries": [
            {
                "startedDateTime": "2020-01-01T00:00:00Z",
                "request": {
                    "method": "POST",
                    "url": URL,
                    "headers": [{"name": "Accept", "value": "a"}],
                    "cookies": [{"name": "a", "value": "b"}],
                    "postData": {
                        "mimeType": "text/plain",
                        "text": "",
                        "params": [{"name": "a", "value": "b"}],
                    },
                },
                "response": {
                    "status": 200,
                    "statusText": "OK",
                    "headers": [{"name": "Vary", "value": "a"}],
                    "cookies": [],
                    "content": {
                        "size": 4, "mimeType": "text/plain", "text": "e30=", "encoding": "base64",
                    },
                },
            }
        ],
    }
}  # fmt: skip
DOCUMENTS = {"vcrpy": VCRPY, "old": OLD_VCRPY, "ruby": RUBY, "betamax": BETAMAX, "har": HAR}
JUNK = (
    None, True, False, 0, -1, 5, 2**70, 1.5, float("inf"), "", "\ud800", "\0", "é€", "a b",
    "http://[::1/x", "//", "http://h:99999/", "http://h:x/", "http://%zz@/", "2\uff11", "-", [], {},
    [[]], [None], [5], [{}], ["\ud800"], {"a": 1}, {"": ""}, {"name": []},
    [{"name": "a", "value": {}}],
    [{"name": None, "value": None}], "Mon, 99 Xxx 9999 99:99:99 +9999", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "\x1f\x8b\x08", "chunked", "5\r\nab",
)  # fmt: skip


def places(node, way=()):
    """The way to every part of a document."""
    yield way
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(value, (*way, key))


def replaced(document, way, junk):
    """A copy with junk in one place."""
    if not way:
        return junk
    new = copy.deepcopy(document)
    holder = new
    for key in way[:-1]:
        holder = holder[key]
    holder[way[-1]] = junk
    return new


@pytest.mark.parametrize("kind", ["json", "yaml"])
@pytest.mark.parametrize("name", DOCUMENTS)
def test_junk_in_any_place_is_never_another_error(tmp_path, name, kind):
    """A file is read, or refused with its name; so one bad file never stops the others."""
    path, store = tmp_path / f"cassette.{kind}", Store(directory=tmp_path / "cassettes")
    stumbles = []
    for way in list(places(DOCUMENTS[name])):
        for junk in JUNK:
            document = replaced(DOCUMENTS[name], way, junk)
            try:
                text = json.dumps(document) if kind == "json" else yaml.safe_dump(document)
                path.write_text(text, encoding="utf-8")
            except UnicodeEncodeError:
                continue  # no YAML can hold it
            try:
                source = read(path)
                if source.tool == "imagedetail":
                    continue
                done = scrubbed(source, cloud="staging", exposed=exposed_in([source]))
                if done.heard is not None:
                    check(done.heard, path_of(done, cloud="staging", store=store))
            except ImageDetailError:
                continue
            except Exception as error:  # noqa: BLE001  whatever it is, it is what is looked for
                stumbles.append((way, junk, repr(error)[:100]))
    assert stumbles == []


def test_junk_in_no_place_is_read(tmp_path):
    """What the junk is put into is sound."""
    for name, document in DOCUMENTS.items():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document))
        assert read(path).interactions[0].url == URL
