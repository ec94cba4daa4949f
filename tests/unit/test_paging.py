"""Pages that lead on, and where that ends; who answers does not matter here."""

import json

import pytest

from pytest_imagedetail.errors import BodyError, RecordingError
from pytest_imagedetail.model import Query, Response
from pytest_imagedetail.record import paging
from unit import image_of


def page(number, next_=None, limit=None, status=200):
    document = {"images": [image_of(number)]}
    if next_ is not None:
        asked = f"marker={next_}" + (f"&limit={limit}" if limit else "")
        document["images_links"] = [{"rel": "next", "href": f"http://x/images?{asked}"}]
    return Response(status_code=status, body=json.dumps(document).encode())


def walk(pages, query="", where="cloud a"):
    """The queries that were asked until there was no next page."""
    asked = []

    def ask(query):
        asked.append(query.wire)
        return pages[len(asked) - 1]

    paging.walk(ask, Query.parse(query), where=where)
    return asked


def test_pages_are_followed_to_the_last():
    """Our filters, the cloud's marker and limit."""
    pages = [page(1, next_="m1", limit=1), page(2, next_="m2"), page(3)]
    assert walk(pages, "status=ACTIVE") == [
        "status=ACTIVE",
        "limit=1&marker=m1&status=ACTIVE",
        "marker=m2&status=ACTIVE",
    ]


@pytest.mark.parametrize("markers", [["m1", "m1"], ["m1", "m2", "m1"]], ids=["itself", "a circle"])
def test_a_circle_is_an_error(markers):
    """It says which page; the marker is the cloud's and not redacted, so it is not shown."""
    with pytest.raises(RecordingError) as caught:
        walk([page(1, next_=marker) for marker in markers])
    assert str(caught.value) == (
        f"the pages do not end: page {len(markers)} leads back to one that was there\n"
        "  where: cloud a\n"
        "  next:  the cloud's paging is broken; record one page with limit=1000"
    )


def test_pages_without_end(monkeypatch):
    """New markers for ever are a broken cloud, too."""
    monkeypatch.setattr(paging, "_MOST_PAGES", 3)
    with pytest.raises(RecordingError, match=r"^the pages do not end: page 3 still leads on"):
        walk([page(1, next_=f"m{number}") for number in range(4)])


def test_an_error_leads_nowhere():
    """Whatever links its body has."""
    assert walk([page(1, next_="m1", status=500)]) == [""]


def test_a_page_that_cannot_be_read_is_an_error():
    """Whether it leads on is not known."""
    with pytest.raises(BodyError):
        walk([Response(status_code=200, body=b'{"images_links": ')])
