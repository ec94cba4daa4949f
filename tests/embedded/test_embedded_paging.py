"""limit, marker and the next link."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from pytest_imagedetail.embedded import RELEASES
from tests.embedded.releases import SCHEMA

STOCK = [release for release in RELEASES if release != "k5"]
PARAM = ["essex", "folsom", "grizzly", "havana", "juno"]
INPUT = ["2019.1", "2023.1"]
FOREIGN = "3eb2d8df-0011-487b-8e82-000000000011"


def next_href(answer):
    links = answer.json.get("images_links", [])
    assert [link["rel"] for link in links] in ([], ["next"])
    return links[0]["href"] if links else None


def walk(client, limit):
    """Page by page with markers made by hand, until an empty one."""
    pages, marker = [], ""
    while True:
        images = client.list(limit=limit, marker=marker).images
        if not images:
            return pages
        pages.append(images)
        marker = images[-1]["id"]


@pytest.mark.parametrize("release", STOCK)
@pytest.mark.parametrize("limit", [1, 2, 3, 12, 13, 14])
def test_pages_put_together_are_the_listing(client_of, release, limit):
    """Same images, same order, no duplicates, whatever the page size."""
    client = client_of(release)
    pages = walk(client, limit)
    assert [image for page in pages for image in page] == client.list().images
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("release", STOCK)
def test_next_link_only_on_a_full_page(client_of, release):
    """As many images as the limit: a link, even if nothing follows; fewer: none."""
    client = client_of(release)
    assert next_href(client.list(limit=13)) is not None
    assert next_href(client.list(limit=14)) is None
    assert next_href(client.list()) is None


@pytest.mark.parametrize("release", STOCK)
def test_next_link_leads_to_the_right_view(client_of, release):
    """Through Juno it leads to the brief listing, which is a known defect; then to detail."""
    client = client_of(release)
    url = urlsplit(next_href(client.list(limit=2)))
    view = "/images" if release in PARAM else "/images/detail"
    assert url.path == f"/v2/{client.project_id}{view}"
    followed = client.get(url.path, url.query)
    assert [image["id"] for image in followed.images] == [
        image["id"] for image in client.list().images[2:4]
    ]
    assert ("metadata" in followed.images[0]) is (release not in PARAM)


@pytest.mark.parametrize("release", INPUT + SCHEMA)
def test_next_link_has_its_own_order_of_parameters(client_of, release):
    """Sorted by name and the marker last, whatever the order of the request."""
    answer = client_of(release).raw("status=ACTIVE&name=dup&limit=1")
    query = urlsplit(next_href(answer)).query
    assert query == f"limit=1&name=dup&status=ACTIVE&marker={answer.images[-1]['id']}"


@pytest.mark.parametrize("release", STOCK)
def test_next_link_is_encoded_only_in_later_releases(client_of, release):
    """Through Juno a name with spaces or an ampersand breaks the link."""
    name = 'Zürich "ハード" & <test>'
    answer = client_of(release).list(name=name, limit=1)
    query = urlsplit(next_href(answer)).query
    assert (dict(parse_qsl(query)).get("name") == name) is (release not in PARAM)


@pytest.mark.parametrize("release", STOCK)
def test_exactly_1000_images_without_limit(client_of, release):
    """max_limit cuts nothing; from Juno a listing of exactly 1000 has a needless next link."""
    client = client_of(release, images=987)
    answer = client.list()
    assert len(answer.images) == 1000
    assert (next_href(answer) is not None) is (release not in PARAM[:-1])
    assert next_href(client_of(release, images=988).list()) is None


def test_limit_above_1000_loses_the_next_link(client_of):
    """A client that follows links misses what comes after 2000 images."""
    client = client_of("2026.2", images=2100)
    answer = client.list(limit=2000)
    assert len(answer.images) == 2000
    assert next_href(answer) is None
    assert next_href(client.list(limit=1000)) is not None


@pytest.mark.parametrize("release", PARAM + INPUT)
def test_limit_zero_is_no_limit_before_2024_2(client_of, release):
    """The whole list, and no next link even where 1000 images without a limit have one."""
    client = client_of(release)
    assert client.list(limit=0).body == client.list().body
    thousand = client_of(release, images=987).list(limit=0)
    assert len(thousand.images) == 1000
    assert next_href(thousand) is None


@pytest.mark.parametrize(
    ("releases", "value", "message"),
    [
        (PARAM, "-1", "limit param must be positive"),
        (PARAM, "abc", "limit param must be an integer"),
        (PARAM, "", "limit param must be an integer"),
        (INPUT, "-1", "Invalid input received: limit must be >= 0"),
        (INPUT, "abc", "Invalid input received: limit must be an integer"),
        (
            SCHEMA,
            "0",
            "Invalid input for query parameters limit. Value: 0. 0 is less than the minimum of 1",
        ),
        (
            SCHEMA,
            "-1",
            "Invalid input for query parameters limit. Value: -1. '-1' does not match '^[0-9]*$'",
        ),
        (
            SCHEMA,
            "abc",
            "Invalid input for query parameters limit. Value: abc. 'abc' does not match '^[0-9]*$'",
        ),
        (SCHEMA, "9" * 5000, "Invalid input received: limit must be an integer"),
        (SCHEMA, "", "Invalid input for query parameters limit. Value: . '' should be non-empty"),
    ],
)
def test_bad_limit_in_the_words_of_its_time(client_of, releases, value, message):
    """Three generations of wording for the same 400."""
    for release in releases:
        answer = client_of(release).list(limit=value)
        assert (answer.status, answer.message) == (400, message)


@pytest.mark.parametrize("release", STOCK)
def test_unknown_marker(client_of, release):
    """A 400 with Glance's words; an empty marker is no marker."""
    client = client_of(release)
    answer = client.list(marker="<nope>")
    assert answer.status == 400
    if release in PARAM:
        assert answer.message == (
            "400 Bad Request: Invalid marker. Image could not be found. (HTTP 400)"
        )
    else:
        assert answer.message == "HTTP 400 Bad Request: No image found with ID &lt;nope&gt;"
    assert client.list(marker="").body == client.list().body


@pytest.mark.parametrize("release", STOCK)
def test_marker_that_belongs_to_a_stranger(client_of, release):
    """Glance v2 says 403 and thereby that it exists; Glance v1 says 400 as for any other."""
    answer = client_of(release).list(marker=FOREIGN)
    if release in PARAM:
        assert answer.status == 400
    else:
        assert (answer.status, list(answer.json)) == (403, ["forbidden"])
        assert answer.message.endswith(f"image {FOREIGN} not visible")


@pytest.mark.parametrize("release", STOCK)
def test_marker_need_not_match_the_filter(client_of, release):
    """The page begins behind the marker, whether or not the marker itself is listed."""
    client = client_of(release)
    newest = client.list().images[0]["id"]
    assert client.list(marker=newest, name="dup").names == ["dup", "dup"]
