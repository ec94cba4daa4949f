"""Every record mode on a simulated cloud: what is asked, what is kept, what is refused."""

import dataclasses
import json

import pytest

from pytest_imagedetail.cassette import Store
from pytest_imagedetail.errors import (
    CassetteNotFoundError,
    ComparisonError,
    RecordingError,
    ResponseError,
    UsageError,
    VerificationError,
)
from pytest_imagedetail.harness import Harness
from pytest_imagedetail.record.sessions import CloudSessions
from pytest_imagedetail.settings import CloudDeclaration, Settings
from tests.cloud import DEFAULT_SEED, SimulatedCloud, authenticate
from unit import image_of, listing_of

NAME = "nova"


class Site:
    """A folder of cassettes and a cloud to connect to; counts the connections."""

    def __init__(self, folder):
        self.folder = folder
        self.cloud = None
        self.connected = []
        self.spoil = {}

    def connect(self, os_cloud):
        self.connected.append(os_cloud)
        return dataclasses.replace(authenticate(self.cloud), **self.spoil)

    def harness(self, mode, **facts):
        declared = {NAME: CloudDeclaration(name=NAME, os_cloud="staging", release="2026.2")}
        settings = Settings(cassette_dir=self.folder, record_mode=mode, declared=declared, **facts)
        return Harness(
            settings, store=Store(directory=self.folder), sessions=CloudSessions(self.connect)
        )

    def ask(self, mode, **query):
        return self.harness(mode)[NAME].list(**query)

    @property
    def files(self):
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != ".imagedetail.lock"
        }


@pytest.fixture
def smaller(tmp_path):
    """The same cloud, but for the image "withdrawn", which is gone."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    kept = [image for image in images if image["name"] != "withdrawn"]
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(kept), encoding="utf-8")
    with SimulatedCloud(release="2026.2", seed=seed) as cloud:
        yield cloud


@pytest.fixture
def site(tmp_path):
    """A cloud that listens, and nothing recorded yet."""
    site = Site(tmp_path / "cassettes")
    with SimulatedCloud(release="2026.2") as cloud:
        site.cloud = cloud
        yield site


@pytest.fixture
def recorded(site):
    """The same with all images recorded, and nobody connected since."""
    site.ask("once")
    site.connected.clear()
    return site


def test_none_never_connects(recorded):
    """Replay needs no credentials, and what was not recorded is an error that says how."""
    assert len(recorded.ask("none").images) == 13
    with pytest.raises(CassetteNotFoundError) as caught:
        recorded.ask("none", status="ACTIVE")
    assert caught.value.problem == "nothing is recorded for cloud 'nova', query 'status=ACTIVE'"
    assert "pytest --imagedetail-record-mode=once" in caught.value.remedy
    assert recorded.connected == []


@pytest.mark.parametrize("mode", ["once", "new_episodes"])
def test_what_is_missing_is_recorded_and_never_asked_twice(recorded, mode):
    """A second run answers from the file; a new query is added beside it."""
    before = recorded.files
    assert list(before) == ["nova/all.yaml"]
    assert len(recorded.ask(mode).images) == 13
    assert recorded.files == before
    recorded.ask(mode, limit=1)
    assert len(recorded.files) == 2
    assert recorded.connected == ["staging"]


def test_a_recording_knows_where_it_comes_from(recorded):
    """Cloud and release as declared; the written file is named in the summary."""
    provenance = recorded.ask("none").provenance
    assert (provenance.cloud, provenance.release) == (NAME, "2026.2")
    harness = recorded.harness("rewrite")
    harness[NAME].list()
    assert harness.done == {"nova: all": "recorded (unchanged)"}


@pytest.mark.parametrize("mode", ["once", "new_episodes", "rewrite"])
def test_a_refused_token_is_never_kept(site, mode):
    """A 401 is an error, not a recording."""
    site.spoil = {"token": "gAAAAAB-wrong-token-0123456789abcdef"}
    with pytest.raises(ResponseError) as caught:
        site.ask(mode)
    assert caught.value.status_code == 401
    assert site.files == {}


def test_an_unexpected_error_is_not_kept_and_an_expected_one_is(site):
    """expect= makes an answer of a 400."""
    with pytest.raises(ResponseError):
        site.ask("once", limit="x")
    assert site.files == {}
    assert site.ask("once", limit="x", expect=400).error["code"] == 400
    assert site.ask("none", limit="x", expect=400).error["code"] == 400


def test_rewrite_records_afresh(recorded, smaller):
    """What changed on the cloud is in the file afterwards."""
    recorded.cloud = smaller
    assert len(recorded.ask("rewrite").images) == 12
    assert len(recorded.ask("none").images) == 12


@pytest.mark.parametrize("spoil", ["down", "token"])
def test_a_rewrite_that_fails_leaves_the_old_file(recorded, spoil):
    """The old recording is swapped only for a whole new one."""
    before = recorded.files
    harness = recorded.harness("rewrite")
    if spoil == "down":
        harness.access(NAME)
        recorded.cloud.stop()
    else:
        recorded.spoil = {"token": "gAAAAAB-wrong-token-0123456789abcdef"}
    with pytest.raises((RecordingError, ResponseError)):
        harness[NAME].list()
    assert recorded.files == before


def test_verify_is_silent_while_nothing_changed(recorded):
    """It asks, compares, and writes nothing."""
    before = recorded.files
    harness = recorded.harness("verify")
    assert len(harness[NAME].list().images) == 13
    assert [each.same for each in harness.results] == [True]
    assert recorded.connected == ["staging"]
    assert recorded.files == before


def test_verify_fails_when_the_cloud_changed(recorded, smaller):
    """With the whole report, and the file as it was."""
    before = recorded.files
    gone = next(each for each in recorded.ask("none").images if each["name"] == "withdrawn")
    recorded.cloud = smaller
    with pytest.raises(VerificationError) as caught:
        recorded.ask("verify")
    assert caught.value.problem.startswith(
        "the live cloud's answer differs from its recording\nbaseline    nova  13 images"
    )
    line = f'data        image_removed  images[{gone["id"]}]  "withdrawn"'
    assert line in caught.value.problem.splitlines()
    assert caught.value.where == "cloud nova, query all; nothing was written"
    assert recorded.files == before


def test_verify_compares_expected_errors(site):
    """Another message is another answer."""
    site.ask("once", limit="x", expect=400)
    before = site.files
    assert site.ask("verify", limit="x", expect=400).error["code"] == 400
    with SimulatedCloud(release="2023.1") as older:
        site.cloud = older
        with pytest.raises(VerificationError) as caught:
            site.ask("verify", limit="x", expect=400)
    assert "error_changed" in caught.value.problem
    assert site.files == before


def test_verify_lists_what_was_redacted(site, tmp_path):
    """The recording holds, but for a password that nobody could compare."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    images[0]["properties"]["db_password"] = "s3cret-one"
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(images), encoding="utf-8")
    with SimulatedCloud(release="2026.2", seed=seed) as site.cloud:
        site.ask("once")
        harness = site.harness("verify")
        harness[NAME].list()
    path = f"images[{images[0]['id']}].metadata.db_password"
    said = f"verified; 1 value was redacted and not compared: {path}"
    assert harness.done == {"nova: all": said}


def test_verify_without_a_recording_says_so(site):
    """There is nothing to verify, and nothing is written."""
    with pytest.raises(CassetteNotFoundError):
        site.ask("verify")
    assert site.files == {}


def test_one_token_serves_a_whole_run(site):
    """A cloud is connected to once, however many queries follow."""
    harness = site.harness("once")
    for status in ("ACTIVE", "SAVING"):
        harness[NAME].list(status=status)
    assert site.connected == ["staging"]


def test_a_cloud_shows_placeholders_while_replaying(recorded):
    """Endpoint, project and token of a replayed cloud are nobody's; live ones are the cloud's."""
    replayed = recorded.harness("none")[NAME]
    assert replayed.endpoint.startswith("https://compute.nova.invalid/v2")
    assert replayed.project_id == f"{0:032x}"
    assert replayed.headers == {"X-Auth-Token": "replayed", "Accept": "application/json"}
    live = recorded.harness("once")[NAME]
    assert live.endpoint == recorded.cloud.compute_url
    assert live.project_id == recorded.cloud.project_id
    assert live.headers["X-Auth-Token"] not in {"", "replayed"}


def test_an_unknown_cloud_is_refused_while_replaying(recorded):
    """With the nearest name."""
    harness = recorded.harness("none")
    with pytest.raises(UsageError) as caught:
        harness["novaa"]
    assert str(caught.value) == (
        "unknown cloud 'novaa'\n"
        f"  where: {harness.settings.cassette_dir}\n"
        "  next:  did you mean nova? known clouds: nova\n"
        "  next:  or record it: imagedetail record novaa"
    )


def test_compare_takes_names_clouds_and_listings(recorded):
    """Whatever a test holds; each comparison is kept for the report."""
    harness = recorded.harness("none", profile="wire", fail_on="change")
    listing = harness[NAME].list()
    for side in (NAME, harness[NAME], listing):
        comparison = harness.compare(side, listing)
        assert (comparison.same, comparison.profile) == (True, "wire")
    assert harness.compare(NAME, NAME, profile="same-cloud").profile == "same-cloud"
    assert len(harness.results) == 4


def test_the_baseline_must_be_named(recorded):
    """By option, marker or file."""
    assert recorded.harness("none", baseline=NAME).baseline.name == NAME
    with pytest.raises(UsageError) as caught:
        _ = recorded.harness("none").baseline
    assert str(caught.value) == (
        "no baseline is named\n"
        "  next:  name one: --imagedetail-baseline NAME, the marker's baseline=, "
        "or `baseline:` in imagedetail.yaml"
    )


@pytest.mark.parametrize("mode", ["none", "once", "new_episodes", "verify"])
def test_a_recorded_error_is_an_answer_of_a_matrix(site, mode):
    """Whoever kept it wanted it, in every mode that does not record it afresh."""
    with SimulatedCloud(release="2023.1") as older:
        clouds = {"staging": site.cloud, "older": older}
        site.connect = lambda os_cloud: authenticate(clouds[os_cloud])
        site.ask("once", limit=0, expect=400)
        site.harness("once")["older"].list(limit=0)
        matrix = site.harness(mode).matrix("older", NAME, limit=0)
    assert [each.status_code for each in matrix.cells.values()] == [200, 400]


def test_a_matrix_that_records_afresh_expects_what_it_is_told(site):
    """An older error is no reason to take a new one for an answer."""
    site.ask("once", limit=0, expect=400)
    with pytest.raises(ResponseError, match=r"answered 400(?s:.)*cloud nova,"):
        site.harness("rewrite").matrix(NAME, "other", limit=0)


def test_what_makes_listings_unequal_is_a_result(site):
    """Kept once, under the terms of `==`: no rule accepts it, no profile hides it."""
    rules = site.folder.parent / "rules.yaml"
    rules.write_text("rules:\n- {path: '**', reason: whatever}\n", encoding="utf-8")
    harness = site.harness("none", rules=rules, fail_on="none", profile="cross-cloud")
    comparison = harness.why_unequal(
        listing_of(image_of(1)), listing_of(image_of(1, name="other"), cloud="b")
    )
    assert harness.results == harness.explained == [comparison]
    assert (len(comparison.differences), comparison.compatible) == (1, False)


def test_what_cannot_be_compared_is_a_failure(site):
    """A part beside a whole is unequal, and why is an error."""
    harness = site.harness("none")
    with pytest.raises(ComparisonError):
        harness.why_unequal(listing_of(image_of(1)), listing_of(image_of(1), complete=False))
    assert harness.results == []
    assert [each.baseline for each in harness.failures] == ["a"]
