"""`check --live` and `record --suite check`, with a simulated cloud."""

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from openstack.config import loader

from tests.check.faulty import more_rows, of_glance
from tests.cloud.scripted import ScriptedCloud, change, say, show
from tests.cloud.wsgi import as_json

EVIDENCE = ("reason", "image", "causes", "findings")


@pytest.fixture
def cloud(tmp_path, monkeypatch):
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    with ScriptedCloud(rows=more_rows()) as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        yield cloud


def checks_of(result):
    return json.loads(result.stdout)["checks"]


def test_a_recording_gives_the_verdicts_of_the_live_cloud(imagedetail, cloud, tmp_path):
    """The evidence is the same. No secret is requested, shown or written."""
    secrets = {"db_password": "changeme", "url": "http://me:pw@example.org"}
    properties = {"größe": "1", "owner_id": cloud.project_id, **secrets}
    row = cloud.compute.rows[3]
    row.properties.update(properties)
    cloud.compute.rows[3] = replace(row, name=f"of {cloud.project_id}")
    live = imagedetail("check", "staging", "--live", "--json")
    assert "changeme" not in " ".join(cloud.asked)
    recorded = imagedetail("record", "staging", "--suite", "check")
    assert recorded.returncode == 0, recorded.stderr
    path = tmp_path / "cassettes" / "staging" / "tests" / "check.yaml"
    assert re.match(r"new  cassettes/staging/tests/check.yaml  \d+ requests\n", recorded.stdout)
    again = imagedetail("check", "staging", "--json")
    found, replayed = (
        [
            (each["id"], each["verdict"], *map(each["evidence"].get, EVIDENCE))
            for each in checks_of(result)
            if each["id"] not in {"M25", "S3"}  # these need Glance
        ]
        for result in (live, again)
    )
    assert replayed == found
    assert {each[0] for each in found if each[1] not in {"pass", "known-deviation"}} == {"S1"}
    shown = live.stdout + again.stdout + path.read_text(encoding="utf-8")
    assert r"'gr\u00f6\u00dfe': '1'" in shown
    account = (cloud.account.token, cloud.account.password, cloud.project_id, cloud.origin)
    for secret in (*account, "changeme", "me:pw", "pw%40"):
        assert secret not in shown
    assert imagedetail("lint").returncode == 0


class OneHost(ScriptedCloud):
    """Nova and Glance behind one host and port, as devstack has them."""

    def serve(self, environ, start_response):
        if environ["PATH_INFO"].endswith("/auth/tokens"):
            return change(self._move_glance)(self, environ, start_response)
        return super().serve(environ, start_response)

    def _move_glance(self, document):
        (glance,) = (each for each in document["token"]["catalog"] if each["type"] == "image")
        for endpoint in glance["endpoints"]:
            endpoint["url"] = f"{self.origin}/image/v2/"

    def respond(self, request):
        if not request.path.startswith("/image/"):
            return super().respond(request)
        rows, path = self.compute.rows, request.path.removeprefix("/image")
        listed = {"images": [{"id": each.id, "name": each.name} for each in rows]}
        if path == "/v2/images":
            return as_json(200, listed)
        return of_glance(rows, replace(request, path=path))


def test_glance_behind_the_same_host_as_nova(imagedetail, tmp_path, monkeypatch):
    """Its path in the catalog tells them apart, live and recorded."""
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    with OneHost() as cloud:
        (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml("staging"))
        live = imagedetail("check", "staging", "--live", "--json", "--only=M25", "--only=S3")
        assert imagedetail("record", "staging", "--suite", "check").returncode == 0
    recorded = imagedetail("check", "staging", "--json", "--only=M25", "--only=S3")
    for result in (live, recorded):
        assert [each["verdict"] for each in checks_of(result)] == ["pass"] * 2, result.stdout


def test_only_rewrite_replaces_a_recording(imagedetail, cloud, tmp_path):
    """A newer listing does not mix with it."""
    record = ("record", "staging", "--suite", "check")
    path = tmp_path / "cassettes" / "staging" / "tests" / "check.yaml"
    imagedetail(*record)
    before = path.read_bytes()
    assert imagedetail(*record).stdout.startswith("unchanged  ")
    del cloud.compute.rows[0]
    result = imagedetail(*record)
    assert (result.returncode, "changed" in result.stdout) == (1, True)
    assert path.read_bytes() == before
    assert imagedetail("record", "staging", "--rewrite").returncode == 0
    only = ("check", "staging", "--only", "M24")
    assert imagedetail(*only).returncode == 0  # ignores the newer listing
    assert imagedetail(*record, "--rewrite").returncode == 0
    assert path.read_bytes() != before


def test_a_cloud_that_cannot_be_asked_is_exit_code_2(imagedetail, cloud, tmp_path):
    """It has another release than declared, or is unreachable."""
    for release, error in (
        ("2019.1", "is declared as release 2019.1"),
        ("2026.2", "it cannot be reached"),
    ):
        declared = f'clouds: {{staging: {{release: "{release}"}}}}'
        (tmp_path / "imagedetail.yaml").write_text(declared)
        result = imagedetail("check", "staging", "--live")
        assert result.returncode == 2, release
        head = "INCONCLUSIVE: none of 30 checks fails; 30 inconclusive\n"
        assert result.stdout.startswith(head), release
        assert error in result.stderr
        cloud.stop()


def test_dry_run_requests_only_the_listing(imagedetail, cloud):
    """It follows the pages of the listing, and prints the other requests."""
    result = imagedetail("check", "--os-cloud", "staging", "--dry-run")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 60
    assert cloud.asked == ["/v2.1/images/detail"]
    assert cloud.origin not in result.stdout
    first, marker = show("a", "b", next_="2"), "70a599e0-31e7-49b7-b260-000000000002"
    cloud.plan(first, show("c"))
    imagedetail("check", "--os-cloud", "staging", "--dry-run")
    assert cloud.asked == ["/v2.1/images/detail", f"/v2.1/images/detail?marker={marker}"]


def test_retry_after_is_obeyed(imagedetail, cloud):
    """The later response counts. Only the listing is requested more than once."""
    cloud.plan(say(413, b"", ("Retry-After", "0")))
    result = imagedetail("check", "--os-cloud", "staging", "--json", "--only", "M4", "--only", "M5")
    assert {each["verdict"] for each in checks_of(result)} == {"known-deviation"}
    times = Counter(cloud.asked)
    assert times.pop("/v2.1/images/detail") == 3  # refused once, and requested again at the end
    assert set(times.values()) == {1}


def test_recorded_responses_to_one_url_are_told_apart_by_headers(imagedetail, cloud):
    """Checks request the listing as XML, as JSON and compressed."""
    answer = cloud.answer

    def refuse_xml(environ, start_response):
        if "xml" in environ.get("HTTP_ACCEPT", ""):
            return say(406)(cloud, environ, start_response)
        return answer(environ, start_response)

    cloud.answer = refuse_xml
    assert imagedetail("record", "staging", "--suite", "check").returncode == 0
    cloud.stop()
    assert imagedetail("check", "staging", "--only", "M26").stdout.startswith("PASS: ")
    result = imagedetail("check", "staging", "--only", "M20")
    assert result.returncode == 1
    assert "was answered 406" in result.stdout
