"""Values that redaction replaced by one word on both sides look equal, so they are listed."""

from pytest_imagedetail.compare import compare
from pytest_imagedetail.compare.matrix import compare_neighbors
from pytest_imagedetail.report import html, markdown, report_of, terminal
from pytest_imagedetail.settings import PROFILES
from unit import image_of, listing_of

ID = image_of(1)["id"]
LINE = "4 values were redacted and not compared: "


def described(number=1, **metadata):
    return image_of(number, metadata=metadata)


def one_of_each(cloud="a"):
    """Build a listing with three redacted values in one image and one in another."""
    url = "https://host-3f2.invalid/x?sig=redacted&v=1"
    first = described(
        db_password="<redacted>", at=url, block=[{"owner": "redacted-owner"}], os_version="15.1.2.1"
    )
    return listing_of(first, described(2, addr="192.0.2.1"), cloud=cloud)


PATHS = (
    f"images[{ID}].metadata.db_password",
    f"images[{ID}].metadata.at",
    f"images[{ID}].metadata.block[0].owner",
    f"images[{image_of(2)['id']}].metadata.addr",
)


def test_every_verdict_lists_them():
    """Under each profile, as data and in each report. Three are named."""
    one, other = one_of_each(), one_of_each("b")
    for profile in PROFILES:
        comparison = compare(one, other, profile=profile)
        assert comparison.same, profile
        assert comparison.not_compared == PATHS, profile
    line = f"{LINE}{', '.join(PATHS[:3])} and 1 more"
    assert f"redacted    {line}" in terminal.render(report_of([comparison])).splitlines()
    assert line in html.render(report_of([comparison]))
    assert LINE in markdown.render(report_of([comparison]))
    matrix = compare_neighbors({"a": {one.query: one}, "b": {other.query: other}})
    assert matrix.to_dict()["not_compared"] == {"count": 4, "paths": list(PATHS)}
    assert f"redacted    {line}" in terminal.render(report_of([matrix])).splitlines()


def test_a_fixed_word_on_one_side_is_compared():
    one, other = (
        listing_of(described(x=each, password="<redacted>")) for each in ("<redacted>", "none")
    )
    comparison = compare(one, other)
    assert [each.kind for each in comparison.differences] == ["value_changed"]
    assert comparison.not_compared == (f"images[{ID}].metadata.password",)


def test_two_projects():
    """Both own projects have one placeholder, so the report says that they are two."""
    ours, theirs, unknown = (
        listing_of(image_of(), project=project) for project in ("1" * 32, "2" * 32, None)
    )
    line = "projects    the recordings are of two projects"
    for one, other, two in ((ours, theirs, True), (ours, ours, False), (ours, unknown, False)):
        comparison = compare(one, other)
        assert comparison.same
        assert (line in terminal.render(report_of([comparison])).splitlines()) is two
    sides = comparison.to_dict()
    assert (sides["baseline"]["project"], "project" in sides["candidate"]) == ("1" * 32, False)
