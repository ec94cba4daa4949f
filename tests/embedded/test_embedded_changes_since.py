"""The filter changes-since: bound, deleted images, and the dates it reads."""

import pytest

from tests.embedded.releases import GLANCE_V2

GLANCE_V1 = ["essex", "folsom", "grizzly", "havana", "juno", "k5"]
MOMENT = "2024-05-01T06:00:00Z"


@pytest.mark.parametrize("release", GLANCE_V1)
def test_strict_bound_and_deleted_images_before_newton(client_of, release):
    """Changed exactly then does not count; a deleted image comes back as DELETED."""
    client = client_of(release)
    assert client.list(changes_since=MOMENT).names == ["gone"]
    later = client.list(changes_since="2024-05-01T05:59:59Z")
    assert [(image["name"], image["status"]) for image in later.images] == [
        ("gone", "DELETED"),
        ("withdrawn", "UNKNOWN"),
    ]


@pytest.mark.parametrize("release", GLANCE_V1)
def test_failed_uploads_show_with_changes_since_before_newton(client_of, release):
    """The condition that hides deleted images hides killed ones too, and falls with it."""
    images = client_of(release).list(changes_since="2024-04-03T10:00:00Z").images
    assert ("failed-upload", "ERROR") in [(image["name"], image["status"]) for image in images]


@pytest.mark.parametrize("release", GLANCE_V2)
def test_inclusive_bound_and_no_deleted_images_since_newton(client_of, release):
    """Changed exactly then counts; deleted and killed images never come back."""
    client = client_of(release)
    assert client.list(changes_since=MOMENT).names == ["withdrawn"]
    assert client.list(changes_since="2024-05-01T06:00:01Z").names == []
    assert set(client.list(changes_since="1970-01-01").names) == set(client.list().names)


@pytest.mark.parametrize("release", GLANCE_V1 + GLANCE_V2)
@pytest.mark.parametrize(
    "moment",
    [
        "2024-05-01T05:30:00Z",
        "2024-05-01T05:30:00",
        "2024-05-01 05:30:00",
        "2024-05-01T05:30:00.123456Z",
        "2024-05-01T07:30:00+02:00",
        "2024-05-01T00:30:00-05:00",
        "20240501T053000Z",
        "2024-5-1T05",
        "2024-05",
        "2024-05-01",
    ],
)
def test_spellings_of_one_moment(client_of, release, moment):
    """Zones, fractions and short forms are read; without a zone it is UTC."""
    names = client_of(release).list(changes_since=moment).names
    assert [name for name in names if name != "gone"] == ["withdrawn"]


@pytest.mark.parametrize("release", GLANCE_V1 + GLANCE_V2)
@pytest.mark.parametrize(
    "query",
    [
        "changes-since=",
        "changes-since=yesterday",
        "changes-since=1714543200",
        "changes-since=2024-13-01T00:00:00Z",
        "changes-since=202405",
        "changes-since=2024-05-01T06:00:00+02:00",
    ],
)
def test_what_is_no_date_is_a_400(client_of, release, query):
    """Among them an offset whose plus sign was not quoted, for it arrives as a space."""
    answer = client_of(release).raw(query)
    assert answer.status == 400
    assert list(answer.json) == ["badRequest"]


def test_refusal_keeps_glances_html_entities(client_of):
    """Glance answers in HTML and nobody unescapes it on the way into JSON."""
    assert client_of("2026.2").raw("changes-since=x").json == {
        "badRequest": {
            "code": 400,
            "message": (
                "HTTP 400 Bad Request: Bad &quot;updated_at&quot; query filter format. "
                "Use ISO 8601 DateTime notation."
            ),
        }
    }


@pytest.mark.parametrize("release", GLANCE_V2)
def test_times_of_glance_can_be_compared_in_both_directions(client_of, release):
    """Glance's own operators reach it through `property-`, unknown ones are refused."""
    client = client_of(release)
    oldest = client.raw("property-updated_at=lt:2022-07-01")
    assert oldest.names == [None]
    assert client.raw("property-created_at=eq:2022-06-30").body == oldest.body
    answer = client.raw("property-updated_at=zz:2022-07-01")
    assert answer.message == "HTTP 400 Bad Request: Unable to filter on a unknown operator."
