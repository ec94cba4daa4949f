"""Every planted fault is caught by the check that is named for it, and a clean cloud has none."""

import json
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import pytest

from pytest_imagedetail.check import report
from pytest_imagedetail.check.asking import Cloud
from pytest_imagedetail.check.checks import ALL, CHECKS
from pytest_imagedetail.check.verdicts import run
from tests.check.faulty import (
    FAULTS,
    MALFORMED,
    ORIGIN,
    Again,
    answering,
    changing,
    cloud_of,
    each_image,
    ignoring,
    names_folded,
    on,
    seed,
)
from tests.cloud import RELEASES

PASS_EMPTY = {"M21", "M22"}
BY_ID = {each.id: each for each in ALL}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return seed(tmp_path_factory.mktemp("seed"))


def test_every_fault_is_caught_by_its_check(images):
    """Folding of names is known of MySQL, so it is a known deviation; all others fail."""
    assert {id_ for id_, _ in FAULTS} == BY_ID.keys()
    missed = []
    for (id_, name), fault in FAULTS.items():
        (found,) = run(cloud_of(images, fault), [BY_ID[id_]])
        known = name == "name selects without case"
        if found.verdict != ("known-deviation" if known else "fail"):
            missed.append(f"{id_}, {name}: {found.verdict}, {found.reason}")
        assert found.curl.startswith("curl ") or found.verdict == "inconclusive"
    assert missed == []


def test_what_says_nothing_about_a_cloud_is_no_fault(images):
    """An outage is inconclusive, and so is a listing that changes meanwhile; a leak still fails."""
    busy = answering(on("limit"), 503, {"serviceUnavailable": {}})
    (found,) = run(cloud_of(images, busy), [BY_ID["M12"]])
    assert (found.verdict, found.reason.partition(" was ")[2]) == (
        "inconclusive",
        "answered 503: try again later",
    )
    moving = Again(lambda images: images[1:])
    verdicts = run(cloud_of(images, moving), [BY_ID["M5"], BY_ID["M23"], BY_ID["M24"]])
    assert [each.verdict for each in verdicts] == ["inconclusive", "inconclusive", "pass"]
    assert verdicts[0].reason.endswith(f"{verdicts[0].image} disappeared")
    for key in (
        ("M22", "another project's URL is answered"),
        ("S1", "a property has a slash in its name"),
    ):
        both = Again(lambda images: images[1:], then=FAULTS[key])
        assert run(cloud_of(images, both), [BY_ID[key[0]]])[0].verdict == "fail"


def test_a_change_while_the_last_relation_is_asked_is_no_fault(images):
    """The listing is asked again when everything else was."""
    asked = []

    def shrinking(request, clean):
        asked.append("accept-encoding" in request.headers)
        fault = changing(lambda _: any(asked), lambda images, _: images[1:])
        return fault(request, clean)

    verdicts = run(cloud_of(images, shrinking), [BY_ID["M23"], BY_ID["M26"]])
    assert {each.verdict for each in verdicts} == {"inconclusive"}


def test_a_property_named_as_a_filter_of_glance_is_a_known_deviation(images):
    named = each_image(lambda _: {"metadata": {"size_max": "5"}})
    nothing = changing(on("property-size_max"), lambda *_: [])
    (found,) = run(
        cloud_of(images, lambda request, clean: nothing(request, lambda it: named(it, clean))),
        [BY_ID["M18"]],
    )
    assert found.verdict == "known-deviation"


def test_a_cloud_without_images_passes_nothing_that_they_must_show(tmp_path):
    """What does not need one passes: refusals."""
    (tmp_path / "seed.json").write_text("[]")
    verdicts = run(cloud_of(tmp_path / "seed.json"), CHECKS)
    assert {each.check.id for each in verdicts if each.verdict == "pass"} == PASS_EMPTY
    assert {each.verdict for each in verdicts} <= {"pass", "vacuous", "known-deviation"}


def test_a_name_in_another_case_is_known_beside_another_filter(images, tmp_path):
    rows = json.loads(images.read_text(encoding="utf-8"))
    newest = max(
        (each for each in rows if each["status"] == "active"), key=itemgetter("created_at")
    )
    twin = newest | {"id": "0f0f0f0f-0099-4000-8000-000000000099", "name": newest["name"].upper()}
    (tmp_path / "seed.json").write_text(json.dumps([*rows, twin]))
    cloud = cloud_of(tmp_path / "seed.json", changing(on("name"), names_folded))
    assert run(cloud, [BY_ID["M15"]])[0].verdict == "known-deviation"


def test_a_filter_that_every_image_passes_shows_nothing(images, tmp_path):
    """It may be ignored, or not."""
    alike = {"min_ram": 64, "min_disk": 1, "properties": {"abc": "1"}}
    rows = [each | alike for each in json.loads(images.read_text(encoding="utf-8"))]
    (tmp_path / "seed.json").write_text(json.dumps(rows))
    cloud = cloud_of(tmp_path / "seed.json", ignoring("minRam", "minDisk", "property-abc"))
    verdicts = run(cloud, [BY_ID["M17"], BY_ID["M18"]])
    (tmp_path / "seed.json").write_text(json.dumps(rows[:1]))
    cloud = cloud_of(tmp_path / "seed.json", ignoring("limit", "changes-since"))
    verdicts += run(cloud, [BY_ID["M11"], BY_ID["M12"]])
    assert {each.verdict for each in verdicts} == {"vacuous"}


def test_the_token_is_sent_to_no_host_that_a_link_names(images):
    """Links may have an internal name; that is no fault."""
    internal = each_image(lambda image: {"links": elsewhere(image)})
    cloud = cloud_of(images, internal)
    (found,) = run(cloud, [BY_ID["M27"]])
    assert (found.verdict, "another host" in found.reason) == ("inconclusive", True)
    assert all(each.url.startswith(ORIGIN) for each in cloud.received)


def elsewhere(image):
    return [{"rel": "self", "href": f"http://10.0.0.1/v2.1/images/{image['id']}"}]


def test_no_answer_makes_a_check_crash(images):
    """The types of fields are M24's affair; the others go on, and the result can be read."""
    for name, fault in MALFORMED.items():
        verdicts = run(cloud_of(images, fault), ALL)
        assert any(each.verdict != "pass" for each in verdicts), name
        written = json.loads(json.dumps(report.to_dict(verdicts)))
        assert len(report.verdicts_of(written, Path(name))) == len(ALL), name


def test_a_cloud_that_always_sends_pages_has_no_fault(images):
    """Some vendors have a largest page; what a listing lacks is on the next one.

    Nothing passes if the budget ends before all pages were asked again.
    """

    def paging(request, clean):
        if not request.path.endswith("/images/detail") or "limit=" in request.query:
            return clean(request)
        return clean(replace(request, query=f"{request.query}&limit=4".lstrip("&")))

    failed = [each for each in run(cloud_of(images, paging), CHECKS) if each.verdict == "fail"]
    assert failed == []
    cloud = cloud_of(images, paging)
    (found,) = run(Cloud(cloud.target, cloud.send, budget=7), [BY_ID["M16"]])
    assert found.reason == "the budget of 7 requests is used up: raise --budget"


def test_a_clean_cloud_has_no_fault(images):
    """On every measured release; with these images no check is vacuous."""
    for release in RELEASES.keys() - {"essex"}:  # its Glance is another one's here
        verdicts = run(cloud_of(images, release=release), CHECKS)
        failed = [
            f"{release} {each.check.id}: {each.reason}"
            for each in verdicts
            if each.verdict == "fail"
        ]
        assert failed == []
        assert {each.verdict for each in verdicts} <= {"pass", "known-deviation"}
