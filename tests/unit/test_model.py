"""Queries, headers, paths and errors."""

import inspect
import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_imagedetail import errors
from pytest_imagedetail.errors import ImageDetailError, ResponseError, UsageError
from pytest_imagedetail.model import ANY_KEY, MISSING, Difference, Headers, ImageRef, Query, path_of
from unit import interaction_of


def test_filters_have_their_wire_names():
    evening = datetime(2024, 1, 2, 12, 4, 5, tzinfo=timezone(timedelta(hours=9)))
    for filters, wire in (
        ({"changes_since": "2024-01-01T00:00:00Z"}, "changes-since=2024-01-01T00%3A00%3A00Z"),
        ({"changes_since": evening}, "changes-since=2024-01-02T03%3A04%3A05Z"),
        ({"status": "ACTIVE"}, "status=ACTIVE"),
        ({"min_disk": 1}, "minDisk=1"),
        ({"properties": {"os_distro": "cirros"}}, "property-os_distro=cirros"),
        ({"params": {"changes_since": "x"}}, "changes_since=x"),
        ({"name": None}, ""),
        ({"name": ""}, "name="),
    ):
        assert Query.of(**filters).wire == wire


def test_a_filter_that_is_not_valid_is_refused():
    """Nova would ignore it and send all images. Clouds differ on times without a zone."""
    with pytest.raises(UsageError) as caught:
        Query.of(minram=3)
    assert str(caught.value) == (
        "unknown filter 'minram'\n"
        "  where: the query of a listing\n"
        "  next:  did you mean min_ram? known filters: changes_since, server, name, status, type, "
        "min_disk, min_ram, limit, marker, properties\n"
        "  next:  anything else goes as given in params={'minram': ...}"
    )
    with pytest.raises(UsageError, match="changes_since is a datetime without a time zone"):
        Query.of(changes_since=datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).replace(tzinfo=None))


def test_a_query_keeps_what_nova_heeds():
    """Blank values and the order of one name's values, but not the order of names."""
    query = Query.parse("name=&limit=2&limit=1")
    assert query.params == (("limit", "2"), ("limit", "1"), ("name", ""))
    assert query.wire == "limit=2&limit=1&name="
    assert Query.parse("name=x&limit=1") == Query.parse("limit=1&name=x")
    assert Query.parse("limit=1&limit=2") != Query.parse("limit=2&limit=1")
    for text, whole in (("", True), ("name=limit", True), ("limit=1", False), ("marker=a", False)):
        assert Query.parse(text).is_whole is whole
    query = Query.parse("name=x&marker=1").replaced(marker="2", limit="9")
    assert query == Query.parse("limit=9&marker=2&name=x")
    assert str(query) == "limit=9&marker=2&name=x"
    assert str(Query()) == "all"
    assert str(Query((("name", "\x1b"),), "2.35")) == "name=%1B @2.35"
    for text, params in (
        ("name=R&D", (("name", "R&D"),)),
        ("limit=&foo=x", (("foo", "x"), ("limit", ""))),
        ("name=50%", (("name", "50%"),)),
        ("name=Z%FCrich", (("name", "Z\udcfcrich"),)),
    ):
        assert Query.from_text(text) == Query(params)
    for text in ("", "limit", "=1", "@2.35"):
        with pytest.raises(UsageError, match="a query is NAME=VALUE, not"):
            Query.from_text(text)
    assert Query((("name", "a b"),), "2.35").options == (
        "--query='name=a b'",
        "--microversion=2.35",
    )


@given(st.lists(st.tuples(st.text(min_size=1), st.text())), st.binary())
def test_any_query_survives_parse_and_wire(pairs, data):
    query = Query(
        tuple(tuple(each.encode("utf-8", "replace").decode() for each in pair) for pair in pairs)
    )
    assert Query.parse(query.wire) == query
    for version in (None, "2.35"):
        query = replace(query, microversion=version)
        assert Query.from_text(str(query)) == query
    wire = "name=" + "".join(f"%{byte:02X}" for byte in data)
    assert Query.parse(Query.parse(wire).wire) == Query.parse(wire)
    assert Query.parse(wire).params[0][1].encode("utf-8", "surrogateescape") == data


def test_small_values():
    """MISSING is a singleton, headers ignore case, and no repr shows a secret."""
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
    assert repr(MISSING) == "absent"
    headers = Headers([("Vary", "A"), ("vary", "B"), ("X-Auth-Token", "s3cret")])
    assert (headers["VARY"], headers.all("vary")) == ("A, B", ("A", "B"))
    assert (len(headers), headers.get("allow")) == (2, None)
    assert "A" in repr(headers)
    assert "s3cret" not in repr(headers)
    sent = {"sent": [("X-Auth-Token", "planted")], "request_body": b"planted"}
    traffic = interaction_of("http://planted/v2", b"planted", **sent)
    assert "planted" not in repr(traffic)  # it is not redacted yet
    for method, status, bodiless in (("HEAD", 200, True), ("GET", 304, True), ("GET", 200, False)):
        assert interaction_of("", status=status, method=method).is_bodiless is bodiless


def test_paths():
    """A key that could be misread or that moves the cursor is quoted."""
    for parts, image, path in (
        (("images", "name"), None, "images[*].name"),
        (("images", "name"), ImageRef(id="a1"), "images[a1].name"),
        (("images", "metadata", "a.b", 0), None, "images[*].metadata['a.b'][0]"),
        (("images", "metadata", "*"), None, "images[*].metadata['*']"),
        (("images", "metadata", ANY_KEY), None, "images[*].metadata.*"),
        (("images", "\x1bc"), ImageRef(id="\x1bc"), "images['\\x1bc']['\\x1bc']"),
        (("a b",), None, "['a b']"),
    ):
        assert path_of(parts, image) == path
    image = ImageRef(id="a1")
    one = Difference(kind="value_changed", severity="data", path="images[a1].name", image=image)
    assert one.any_image == "images[*].name"
    assert (str(image), str(ImageRef(id="b", name="x"))) == ("a1 (no name)", "b (x)")


def test_errors():
    """Problem, place and remedies in one block. pytest-xdist pickles errors."""
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    for each in [each for each in classes if each.__module__ == errors.__name__]:
        more = {"status_code": 401} if each is ResponseError else {}
        error = each("it broke", where="a.yaml, line 3", remedy="fix it\nor buy another", **more)
        assert isinstance(error, ImageDetailError)
        assert str(error) == (
            "it broke\n  where: a.yaml, line 3\n  next:  fix it\n  next:  or buy another"
        )
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is each
        assert (str(again), vars(again), again.args) == (str(error), vars(error), error.args)
    assert str(ImageDetailError("it broke", remedy="fix it")) == "it broke\n  next:  fix it"
