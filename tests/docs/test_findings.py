"""The responses and versions in docs/findings.md are those of the shipped recordings."""

import json
import re

import pytest

from pytest_imagedetail.cassette import load
from tests.docs.pages import ROOT, blocks
from tests.realcloud.library import LIBRARY
from tests.realcloud.releases import RELEASES

PAGE = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
CLOUDS = sorted(release.cloud for release in RELEASES.values())
CLAIM = re.compile(r"(\S+) to (\S+): (\d+)(?:, (no|\d+) images?| (.+))")


@pytest.fixture(scope="module")
def recorded():
    """Return the first response to each listing, by release and URL without the host."""
    return {
        cloud: {
            first.url.partition(".invalid")[2]: first.response
            for first in (
                load(path).interactions[0]
                for path in LIBRARY.glob(f"{cloud}/*.yaml")
                if "@" not in path.name
            )
        }
        for cloud in CLOUDS
    }


def claims():
    """Yield every response on the page: request, clouds, status, number of images, and error."""
    for block in blocks(PAGE):
        request, *lines = block.text.splitlines()
        if request.startswith("GET /v2.1/images/detail?"):
            for line in lines:
                first, last, status, number, error = CLAIM.fullmatch(line).groups()
                clouds = [name for name in CLOUDS if f"nova-{first}" <= name <= f"nova-{last}"]
                assert {f"nova-{first}", f"nova-{last}"} <= set(clouds), line
                count = int(number.replace("no", "0")) if number else None
                yield request.removeprefix("GET "), clouds, int(status), count, error


def test_responses(recorded):
    """Each response is the recorded one, and every release has one for each request."""
    said = {}
    for path, clouds, status, count, error in claims():
        for cloud in clouds:
            response = recorded[cloud][path]
            document = json.loads(response.body)
            assert response.status_code == status, (cloud, path)
            if error:
                assert document == json.loads(error), (cloud, path)
            else:
                assert len(document["images"]) == count, (cloud, path)
        said.setdefault(path, []).extend(clouds)
    assert len(said) == 6
    assert all(clouds == CLOUDS for clouds in said.values()), said


def test_images_that_a_filter_should_have_selected(recorded):
    """The images that the page misses in responses are in the whole listing."""
    for cloud in CLOUDS:
        images = json.loads(recorded[cloud]["/v2.1/images/detail"].body)["images"]
        assert [each["metadata"].get("os_distro") for each in images].count("cirros") == 1
        unnamed = [each["id"] for each in images if each["name"] is None]
        assert unnamed == ["5eed0017-0000-4000-8000-000000000017"]
        assert unnamed[0] in PAGE


def test_versions():
    for release in RELEASES.values():
        assert re.search(rf"\b{re.escape(release.nova)}\b", PAGE), release.nova
    for row in re.findall(r"^\| (\d\S+) \| (\S+) \| (\S+) \| (\S+) \|", PAGE, re.MULTILINE):
        release = RELEASES[int(row[0].partition(".")[0])]
        assert row == (release.nova, release.glance, release.keystone, release.name)
