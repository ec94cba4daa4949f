"""The checks S1 to S3: listings that Nova already refuses, and missing requirements."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from pytest_imagedetail.check import asking, text
from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.forecast import FORECASTS
from pytest_imagedetail.check.verdicts import run
from pytest_imagedetail.errors import ResponseError
from pytest_imagedetail.model import Response

FAULT = {"computeFault": {"code": 500, "message": "Unexpected API Error."}}
GOOD, BAD = (
    {"id": f"{n}" * 8, "name": f"n{n}", "mappings": text} for n, text in enumerate(("[]", "vda"))
)
OWNED = BAD | {"owner": "admin", "visibility": "public"}
XML = b'<images xmlns="http://docs.openstack.org/compute/api/v1.1"><image id="1"/></images>'


def cloud_of(answers):
    """Return a cloud with a status and a document for each path."""

    def send(asked):
        path = "/" + asked.url.split("/", 3)[3]
        status, document = answers.get(path, (404, {}))
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return replace(asked, response=Response(status_code=status, body=body))

    glance, endpoint = "https://glance.example", "https://nova.example/v2.1"
    target = asking.Target(name="site", endpoint=endpoint, project="p", glance=glance)
    return asking.Cloud(target, send)


def test_a_listing_that_fails_is_explained_by_glance():
    """S3 names the image that Nova cannot read, on any page of Glance; no other check passes."""
    pages = {
        "/v2.1/images/detail": (500, FAULT),
        "/v2/images?limit=1000": (200, {"images": [GOOD], "next": "/v2/images?marker=1"}),
        "/v2/images?marker=1": (200, {"images": [OWNED]}),
    }
    found = {each.check.id: each for each in run(cloud_of(pages), ALL)}
    assert found["S3"].verdict == "fail"
    assert found["S3"].counted == "2 images of Glance"
    (finding,) = found["S3"].findings
    assert finding.command == "openstack image unset --property mappings 11111111"
    shown = "(n1), owner redacted-owner, visibility public, images[1].mappings 'mappings'"
    assert shown in "".join(text.detail(found["S3"]))
    assert found["M1"].reason == "the listing of all images was answered 500"
    others = {each.verdict for id_, each in found.items() if id_ != "S3"}
    assert others == {"inconclusive", "vacuous"}
    good = {"images": [GOOD]}
    circle = good | {"next": "/v2/images?limit=1000"}
    for glance in (*((200, each) for each in (circle, good, {"images": []}, [])), (401, {})):
        with pytest.raises(ResponseError):
            run(cloud_of(pages | {"/v2/images?limit=1000": glance}), ALL)


def test_the_images_of_a_refused_listing_are_named():
    """S1 requests each image of the brief listing, which Nova does not validate."""
    text = "Invalid input for field/attribute metadata. Value: {'a/b': '1'}. 'a/b' does not match"
    refusal = (400, {"badRequest": {"code": 400, "message": text}})
    answers = {
        "/v2.1/images/detail": refusal,
        "/v2.1/images": (200, {"images": [GOOD, BAD]}),
        f"/v2.1/images/{GOOD['id']}": (200, {"image": GOOD}),
        f"/v2.1/images/{BAD['id']}": refusal,
    }
    found = {each.check.id: each for each in run(cloud_of(answers), ALL)}
    (finding,) = found["S1"].findings
    assert (found["S1"].verdict, finding.image.id, finding.error) == ("fail", BAD["id"], text)
    assert f"openstack image unset --property NAME {BAD['id']}" in finding.advice
    assert found["S2"].verdict == "vacuous"
    # If every image is fine, the listing fails for another reason.
    answers[f"/v2.1/images/{BAD['id']}"] = (200, {"image": BAD})
    with pytest.raises(ResponseError):
        run(cloud_of(answers), ALL)


def test_without_images_or_services_nothing_passes():
    empty = {"/v2.1/images/detail": (200, {"images": []})}
    cloud = cloud_of(empty | {"/v2/images?limit=1000": (200, {"images": []})})
    assert [each.verdict for each in run(cloud, FORECASTS)] == ["vacuous"] * 3
    cloud = cloud_of({"/v2.1/images/detail": (200, XML)})
    assert [each.verdict for each in run(cloud, FORECASTS[:2])] == ["vacuous"] * 2
    found = run(cloud_of(empty | {"/v2.1/images": (501, {})}), ALL)
    assert found[1].verdict == "inconclusive"
    assert "was answered 501" in found[1].reason
    cloud = cloud_of(empty)
    cloud = asking.Cloud(replace(cloud.target, glance=None), cloud.send)
    assert run(cloud, FORECASTS[2:])[0].verdict == "inconclusive"


WITHOUT = """
import sys
sys.modules["jsonschema"] = None
from pytest_imagedetail.cli import main
sys.exit(main(["check", "nova-2026.2", *sys.argv[1:]]))
"""


@pytest.mark.parametrize("option", ["--forecast-only", "--only=M2"])
def test_without_the_extra(tmp_path, option):
    """Other checks run as usual; the forecast says what to install."""
    command = [sys.executable, "-c", WITHOUT, option]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    needs = "the forecast needs jsonschema, which is not installed; install the extra: pip install"
    assert (needs in done.stdout) is (option == "--forecast-only")
