"""The checks S1 to S3: listings that Nova already refuses, and missing requirements."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_imagedetail.check import asking, text
from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.verdicts import run
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Response

FAULT = {"computeFault": {"code": 500, "message": "Unexpected API Error."}}
REASON = "Invalid input for field/attribute metadata. Value: {'a/b': '1'}. 'a/b' does not match"
REFUSAL = (400, {"badRequest": {"code": 400, "message": REASON}})
GOOD, BAD = (
    {"id": f"{n}" * 8, "name": f"n{n}", "mappings": text} for n, text in enumerate(("[]", "vda"))
)
XML = b'<images xmlns="http://docs.openstack.org/compute/api/v1.1"><image id="1"/></images>'
DETAIL, BRIEF, GLANCE = "/v2.1/images/detail", "/v2.1/images", "/v2/images?limit=1000"


def judged(answers, *, glance="https://glance.example"):
    """Check a cloud with a status and a document for each path."""

    def send(asked):
        path = "/" + asked.url.split("/", 3)[3]
        status, document = answers.get(path, (404, {}))
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return replace(asked, response=Response(status_code=status, body=body))

    endpoint = "https://nova.example/v2.1"
    target = asking.Target(name="site", endpoint=endpoint, project="p", glance=glance)
    return {each.check.id: each for each in run(asking.Cloud(target, send), ALL)}


def test_a_listing_that_fails_is_explained_by_glance():
    """S3 names the image that Nova cannot read, on any page of Glance; no other check passes."""
    owned = BAD | {"owner": "admin", "visibility": "public"}
    pages = {
        DETAIL: (500, FAULT),
        GLANCE: (200, {"images": [GOOD], "next": "/v2/images?marker=1"}),
        "/v2/images?marker=1": (200, {"images": [owned]}),
    }
    found = judged(pages)
    third = found.pop("S3")
    assert (third.verdict, third.counted) == ("fail", "2 images of Glance")
    (finding,) = third.findings
    assert finding.command == "openstack image unset --property mappings 11111111"
    shown = "(n1), owner redacted-owner, visibility public, images[1].mappings 'mappings'"
    assert shown in "".join(text.detail(third))
    assert found["M1"].reason == "the listing of all images was answered 500"
    assert {each.verdict for each in found.values()} == {"inconclusive", "vacuous"}
    good = {"images": [GOOD]}
    circle = good | {"next": GLANCE}
    for answer in (*((200, each) for each in (circle, good, {"images": []}, [])), (401, {})):
        with pytest.raises(ResponseError):
            judged(pages | {GLANCE: answer})


def test_the_images_of_a_refused_listing_are_named():
    """S1 requests each image of the brief listing, which Nova does not validate."""
    good, bad = (f"/v2.1/images/{each['id']}" for each in (GOOD, BAD))
    answers = {
        DETAIL: REFUSAL,
        BRIEF: (200, {"images": [GOOD, BAD]}),
        good: (200, {"image": GOOD}),
    }
    found = judged(answers | {bad: REFUSAL})
    (finding,) = found["S1"].findings
    assert (found["S1"].verdict, finding.image["id"], finding.error) == ("fail", BAD["id"], REASON)
    assert f"openstack image unset --property NAME {BAD['id']}" in finding.advice
    assert found["S2"].verdict == "vacuous"
    # If every image is fine, the listing fails for another reason.
    with pytest.raises(ResponseError):
        judged(answers | {bad: (200, {"image": BAD})})


def test_without_images_or_services_nothing_passes():
    empty = {DETAIL: (200, {"images": []})}
    for answers, glance, expected in (
        (empty | {GLANCE: (200, {"images": []})}, "https://glance.example", ["vacuous"] * 3),
        ({DETAIL: (200, XML)}, None, ["vacuous", "vacuous", "inconclusive"]),
    ):
        found = judged(answers, glance=glance)
        assert [found[each].verdict for each in ("S1", "S2", "S3")] == expected
    assert found["S3"].reason == "the service catalog has no image service"
    second = judged(empty | {BRIEF: (501, {})})["M2"]
    assert (second.verdict, "was answered 501" in second.reason) == ("inconclusive", True)


WITHOUT = """
import sys
sys.modules["jsonschema"] = None
from pytest_imagedetail.cli import main
sys.exit(main(["check", "nova-2026.2", *sys.argv[1:]]))
"""


def test_without_the_extra(tmp_path):
    command = [sys.executable, "-c", WITHOUT, "--only=S1", "--only=M2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    needs = "the forecast needs jsonschema, which is not installed; install what Nova uses: pip "
    assert needs in done.stdout
    assert "pass             M2" in done.stdout
