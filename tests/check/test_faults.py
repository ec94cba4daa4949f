"""Each planted fault is found by its check, and a clean cloud has no fault."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

from pytest_imagedetail.check import report
from pytest_imagedetail.check.asking import Cloud
from pytest_imagedetail.check.checks import ALL, CHECKS
from pytest_imagedetail.check.verdicts import apply_rules, run
from pytest_imagedetail.rules import rules_of
from tests.check.faulty import (
    FAULTS,
    FOREIGN,
    MALFORMED,
    ORIGIN,
    SIZE,
    again,
    answering,
    changing,
    cloud_of,
    each_image,
    first_lost,
    first_with,
    ignoring,
    linking,
    more_rows,
    names_folded,
    nothing,
    of_brief,
    of_single,
    of_v2,
    on,
)
from tests.cloud import RELEASES

BY_ID = {each.id: each for each in ALL}
IMAGES = more_rows()
ACTIVE = [each for each in IMAGES if each.status == "active"]
VARIABLES = {"M19": "/v2/$OS_PROJECT_ID/images/detail", "M25": "$OS_IMAGE_URL/v2/images/"}


def judged(cloud, *ids):
    return run(cloud, [BY_ID[each] for each in ids])


def test_every_fault_is_found_by_its_check():
    """The check fails. Names without case are a known deviation, because MySQL does it."""
    assert {id_ for id_, _ in FAULTS} == BY_ID.keys()
    for (id_, name), fault in FAULTS.items():
        (found,) = judged(cloud_of(IMAGES, fault), id_)
        expected = "known-deviation" if name == "name ignores case" else "fail"
        assert (found.verdict, found.curl[:5]) == (expected, "curl "), (id_, name, found.reason)
        assert VARIABLES.get(id_, "$OS_") in found.curl, (id_, name, found.curl)


def test_a_cause_is_the_same_on_a_cloud_with_other_images():
    others = [
        replace(
            row,
            id=f"{number:08}{row.id[8:]}",
            min_disk=row.min_disk + 1,
            name=row.name and f"{row.name} (new)",
            properties=row.properties | {"another": str(number % 2)},
        )
        for number, row in enumerate(IMAGES[:-2])
    ]
    for (id_, name), fault in FAULTS.items():
        if id_ != "M23":  # its faults change the second listing
            one, other = (
                {each.id for each in judged(cloud_of(rows, fault), id_)[0].failing}
                for rows in (IMAGES, others)
            )
            assert one == other, (id_, name)


def test_an_ignored_status_is_one_cause():
    found = [judged(cloud_of(each, ignoring("status")), "M5")[0] for each in (IMAGES, ACTIVE)]
    assert [len(each.failing) for each in found] == [1, 1]
    assert len({each.failing[0].id for each in found}) == 1


def test_a_cause_hides_no_other():
    """A question that is broken in several ways has a cause for each."""
    for id_, fault, whats in (
        (
            "M1",
            changing(of_single, first_with(minRam=7, name="x")),
            ["GET /images/{id} shows another minRam", "GET /images/{id} shows another name"],
        ),
        (
            "M2",
            changing(of_brief, lambda shown, _: [*shown[1:], FOREIGN]),
            ["GET /images lacks an image", "GET /images has an image that it should not have"],
        ),
        (
            "M6",
            answering(lambda each: "status=q" in each.query or "=k" in each.query, 500),
            [f"GET /images/detail?status={each} was answered 500" for each in ("queued", "killed")],
        ),
        (
            "M14",
            linking(lambda href: href.replace("/detail", "").replace("limit=5", "limit=6")),
            [
                "GET /images/detail?limit= has a next link with another limit, or none",
                "GET /images/detail?limit= has a next link that does not lead to images/detail",
            ],
        ),
        (
            "M19",
            changing(
                of_v2, lambda shown, _: [each | {"minRam": 7, SIZE: "1"} for each in shown[1:]]
            ),
            ["lacks an image", f"shows another {SIZE}", "shows another minRam"],
        ),
    ):
        (found,) = judged(cloud_of(IMAGES, fault), id_)
        for what in whats:
            assert any(what in each.what for each in found.failing), (what, found.causes)


def test_ids_do_not_depend_on_the_number_of_images():
    ids = set()
    for number in (2, 5, 6, 7):
        cloud = cloud_of(ACTIVE[:number], linking(lambda href: href.replace("marker", "m")))
        (found,) = judged(cloud, "M14")
        ids.add(tuple(each.id for each in found.causes))
    assert len(ids) == 1


def test_an_outage_or_a_changing_listing_is_inconclusive():
    """Faults that do not depend on the listing still fail."""
    busy = answering(on("limit"), 503)
    (found,) = judged(cloud_of(IMAGES, busy), "M12")
    assert found.verdict == "inconclusive"
    assert found.reason.endswith(" was answered 503: try again later")
    last_lost = again(lambda shown, _: shown[:-1])
    verdicts = judged(cloud_of(IMAGES, last_lost), "M5", "M23", "M24")
    assert [each.verdict for each in verdicts] == ["inconclusive", "inconclusive", "pass"]
    assert verdicts[0].reason.endswith(": GET /images/detail lacks an image")
    assert verdicts[0].image.name == min(IMAGES, key=lambda each: each.created_at).name
    for key in (
        ("M22", "another project's URL is not refused"),
        ("S1", "a property has a slash in its name"),
    ):
        both = again(first_lost, then=FAULTS[key])
        assert judged(cloud_of(IMAGES, both), key[0])[0].verdict == "fail", key
    asked = []

    def shrinking(request, clean):  # during the last check
        asked.append("accept-encoding" in request.headers)
        return changing(lambda _: any(asked), first_lost)(request, clean)

    verdicts = judged(cloud_of(IMAGES, shrinking), "M23", "M26")
    assert {each.verdict for each in verdicts} == {"inconclusive"}


def test_known_deviations():
    """MySQL ignores case beside another filter, and Glance knows a property as its own filter."""
    newest = max(ACTIVE, key=lambda each: each.created_at)
    id_ = "0f0f0f0f-0099-4000-8000-000000000099"
    twin = replace(newest, id=id_, name=newest.name.upper())
    twins = cloud_of([*IMAGES, twin], changing(on("name"), names_folded))
    named = each_image(lambda _: {"metadata": {"size_max": "5"}})
    selects_nothing = changing(on("property-size_max"), nothing)

    def of_glance(request, clean):
        return selects_nothing(request, lambda each: named(each, clean))

    for cloud, id_ in ((twins, "M15"), (cloud_of(IMAGES, of_glance), "M18")):
        assert judged(cloud, id_)[0].verdict == "known-deviation", id_
    cloud = cloud_of(IMAGES, FAULTS["M7", "server does not accept a URL"])
    undeclared = Cloud(replace(cloud.target, release=None), cloud.send)
    assert judged(undeclared, "M7")[0].verdict == "fail"
    cloud = cloud_of(IMAGES, FAULTS["M14", "the next link leads to the brief listing"])
    for newest, verdict in ((None, "known-deviation"), ("2.90", "fail"), ("9.9", "fail")):
        target = replace(cloud.target, release=None, max_microversion=newest)
        assert judged(Cloud(target, cloud.send), "M14")[0].verdict == verdict, newest


def test_a_rule_replaces_no_known_deviation():
    (found,) = judged(cloud_of(IMAGES, FAULTS["M4", "name is inverted"]), "M4")
    ids = [each.id for each in found.causes]
    rules = ({"id": each, "reason": "a proxy", "expires": "never"} for each in ids)
    (shown,) = apply_rules([found], rules_of(*rules, today=date(2026, 1, 1)))
    assert (shown.verdict, len(shown.causes)) == ("known-deviation", 3)
    assert shown.deviations == found.deviations != ()


def test_what_the_images_cannot_show_is_vacuous():
    """Nobody can tell whether a filter that selects every image is ignored."""
    alike = [replace(each, min_ram=64, min_disk=1, properties={"abc": "1"}) for each in IMAGES]
    for shown, ignored, ids in (
        (alike, ("minRam", "minDisk", "property-abc"), ("M17", "M18")),
        (alike[:1], ("limit", "changes-since"), ("M11", "M12")),
    ):
        verdicts = judged(cloud_of(shown, ignoring(*ignored)), *ids)
        assert {each.verdict for each in verdicts} == {"vacuous"}, ids
    verdicts = run(cloud_of([]), CHECKS)
    assert {each.check.id for each in verdicts if each.verdict == "pass"} == {"M21", "M22"}
    assert {each.verdict for each in verdicts} <= {"pass", "vacuous", "known-deviation"}


def test_the_token_is_never_sent_to_the_host_of_a_link():
    """A link with an internal host name is not a fault."""

    def internal(image):
        return {"links": [{"rel": "self", "href": f"http://10.0.0.1/v2.1/images/{image['id']}"}]}

    cloud = cloud_of(IMAGES, each_image(internal))
    (found,) = judged(cloud, "M27")
    assert (found.verdict, "another host" in found.reason) == ("inconclusive", True)
    assert all(each.url.startswith(f"{ORIGIN}/") for each in cloud.received)


def test_malformed_responses_crash_no_check():
    """The result can be read back."""
    for name, fault in MALFORMED.items():
        verdicts = run(cloud_of(IMAGES, fault), ALL)
        assert any(each.verdict != "pass" for each in verdicts), name
        written = json.loads(json.dumps(report.to_dict(report.CheckReport(verdicts=verdicts))))
        assert len(report.read(written, Path(name)).verdicts) == len(ALL), name


def test_a_cloud_that_always_sends_pages_has_no_fault():
    """Some vendors limit the size of a page. Nothing passes if the budget ends before the last."""

    def paging(request, clean):
        if not request.path.endswith("/images/detail") or "limit=" in request.query:
            return clean(request)
        return clean(replace(request, query=f"{request.query}&limit=4".lstrip("&")))

    failed = [each for each in run(cloud_of(IMAGES, paging), CHECKS) if each.verdict == "fail"]
    assert failed == []
    cloud = cloud_of(IMAGES, paging)
    (found,) = judged(Cloud(cloud.target, cloud.send, budget=7), "M16")
    assert found.reason == "the budget of 7 requests is used up: raise --budget"


def test_a_clean_cloud_has_no_fault():
    """This holds for every measured release. With these images, no check is vacuous."""
    for release in RELEASES.keys() - {"essex"}:  # the simulated Glance is newer
        verdicts = run(cloud_of(IMAGES, release=release), CHECKS)
        others = [each for each in verdicts if each.verdict not in {"pass", "known-deviation"}]
        assert others == [], release
