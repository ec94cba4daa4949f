"""`imagedetail verify`: one line for each cassette, the details below, and not a byte written."""

import json
import re
import sys

import pytest

pytest.importorskip("openstack", reason="credentials need the extra `record`")

from openstack.config import loader

from pytest_imagedetail.cli import main
from pytest_imagedetail.record import clouds
from tests.cloud import DEFAULT_SEED, SimulatedCloud

UPGRADED = "if the cloud was upgraded, record it under a new name: imagedetail "
REPLACE = "if only its data changed, replace the recording: imagedetail "
SAME = """\
PASS: 3 comparisons, and none of them fails
fails on: change, exit code 0

cassettes/public/all.yaml                     same
cassettes/public/limit=x.yaml                 same
cassettes/public/status=active-bc8e2fbf.yaml  same

3 cassettes: 3 same; nothing was written
"""
CHANGED = f"""\
FAIL: 1 of 3 comparisons fails
fails on: change, exit code 1

data        image_removed   images[GONE]
            in       public -> public (now), query all: "withdrawn"
            why      only the baseline has this image
            id       69beedd193a5

1 difference: 0 breaking, 0 compatible, 1 data

cassettes/public/all.yaml                     different: 0 breaking, 0 compatible, 1 data
cassettes/public/limit=x.yaml                 same
cassettes/public/status=active-bc8e2fbf.yaml  same

{UPGRADED}record --os-cloud=staging --name=staging-2026.2 --release=2026.2 --like=public
{REPLACE}record --os-cloud=staging --name=public --release=2026.2 --rewrite
3 cassettes: 2 same, 1 different; nothing was written
"""
DOWN = """\
FAIL: 3 errors
exit code 2

cassettes/public/all.yaml                     error: Keystone gave no token: it cannot be reached
cassettes/public/limit=x.yaml                 error: Keystone gave no token: it cannot be reached
cassettes/public/status=active-bc8e2fbf.yaml  error: Keystone gave no token: it cannot be reached

3 cassettes: 3 error; nothing was written
"""


ANNOTATION = (
    "::error title=imagedetail::FAIL: 1 of 3 comparisons fails\n"
    "::error file=cassettes/public/all.yaml,line={line},title=data image_removed::"
    'images[{id}] "withdrawn"%0Aonly the baseline has this image%0A'
    "to accept it: in imagedetail-rules.yaml: - {{id: '69beedd193a5', "
    'between: ["public", "public"], reason: WHY, expires: DAY}}\n'
)


class Site:
    """A project in the current folder with the cloud `public`, in clouds.yaml `staging`."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys

    def connect(self, cloud, name="staging"):
        """Let clouds.yaml lead to this cloud."""
        (self.folder / "clouds.yaml").write_text(cloud.clouds_yaml(name))

    def run(self, *arguments):
        """Run the command; gives exit code, stdout and stderr."""
        code = main(list(arguments))
        streams = self.capsys.readouterr()
        out = re.sub(r"recorded 20\S+", "recorded DATE", streams.out)
        out = re.sub(r"same-cloud \(R1 .*\)", "same-cloud (RULES)", out)
        return code, out, streams.err

    @property
    def state(self):
        """Every file with its bytes and the time of its last change."""
        paths = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


@pytest.fixture
def cloud():
    """A cloud of 2026."""
    with SimulatedCloud(release="2026.2") as cloud:
        yield cloud


@pytest.fixture
def site(cloud, tmp_path, monkeypatch, capsys):
    """Three recordings of it: all images, the active ones, and an error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    site = Site(tmp_path, capsys)
    site.connect(cloud)
    (tmp_path / "imagedetail.yaml").write_text(
        'clouds: {public: {os_cloud: staging, release: "2026.2"}}\n'
    )
    record = ("record", "--os-cloud=public")
    for options in ((), ("--query=status=ACTIVE",), ("--query=limit=x", "--expect=400")):
        assert site.run(*record, *options)[0] == 0
    return site


@pytest.fixture
def smaller(tmp_path_factory):
    """The same cloud, but for the image "withdrawn", which is gone."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    seed = tmp_path_factory.mktemp("seed") / "seed.json"
    kept = [image for image in images if image["name"] != "withdrawn"]
    seed.write_text(json.dumps(kept), encoding="utf-8")
    with SimulatedCloud(release="2026.2", seed=seed) as cloud:
        yield cloud


def gone():
    """The id of that image."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    return next(image["id"] for image in images if image["name"] == "withdrawn")


def test_the_cloud_changed(site, smaller):
    """One line for each, then what differs and the command that records it; exit 1."""
    site.connect(smaller)
    before = site.state
    code, out, err = site.run("verify")
    assert (code, out.replace(gone(), "GONE"), err) == (1, CHANGED, "")
    code, out, _ = site.run("verify", "--fail-on=breaking")
    assert (code, out.splitlines()[0]) == (0, "PASS: 3 comparisons, and none of them fails")
    assert out.replace(gone(), "GONE").splitlines()[2:] == CHANGED.splitlines()[2:]
    document = json.loads(site.run("verify", "--json")[1])
    assert (document["schema"], document["same"]) == (1, False)
    assert [(each["query"], each["verdict"]) for each in document["cassettes"]] == [
        ("all", "different"),
        ("limit=x", "same"),
        ("status=ACTIVE", "same"),
    ]
    assert document["cassettes"][0]["comparison"]["differences"][0]["kind"] == "image_removed"
    code, out, err = site.run("verify", "--github")
    lines = (site.folder / "cassettes/public/all.yaml").read_text().splitlines()
    line = next(at for at, each in enumerate(lines, 1) if gone() in each)
    assert (out.replace(gone(), "GONE"), err) == (CHANGED, ANNOTATION.format(id=gone(), line=line))
    assert site.state == before
    assert site.run("verify", "--report=drift.json")[0] == 1
    written = json.loads((site.folder / "drift.json").read_text())
    assert (len(written["comparisons"]), written["failures"]) == (3, [])


def test_the_cloud_is_down(site, cloud):
    """Each cassette has its line, the reason stands once on stderr; exit 2."""
    cloud.stop()
    code, out, err = site.run("verify", "--report=drift.json")
    assert (code, out) == (2, DOWN)
    assert err.count("Keystone gave no token: it cannot be reached") == 1
    assert err.count("next:") == 2
    written = json.loads((site.folder / "drift.json").read_text())
    assert (written["comparisons"], len(written["failures"])) == ([], 3)


def test_keystone_is_asked_once(site, monkeypatch):
    """However many cassettes a cloud has, and whether it succeeds: accounts get locked."""
    asked, connect = [], clouds.connect
    monkeypatch.setattr(clouds, "connect", lambda name: asked.append(name) or connect(name))
    assert site.run("verify")[0] == 0
    (site.folder / "clouds.yaml").unlink()
    assert site.run("verify")[0] == 2
    assert asked == ["staging", "staging"]


def test_one_query(site, smaller):
    """Only what is asked for is verified; clouds may be globs."""
    site.connect(smaller)
    code, out, _ = site.run("verify", "pub*", "--query", "status=ACTIVE")
    assert code == 0
    assert out.startswith("PASS: public to public (now): no difference\n")
    assert out.endswith(
        "\ncassettes/public/status=active-bc8e2fbf.yaml  same\n"
        "\n1 cassette: 1 same; nothing was written\n"
    )


def test_what_is_not_verified_is_no_success(site):
    """Damaged, stale or lost recordings fail, imported ones are skipped; the others are asked."""
    config = site.folder / "imagedetail.yaml"
    for text, says in (
        ("{os_cloud: staging, release: '2023.1'}", "all.yaml +error: the recording is stale"),
        ("{os_cloud: staging}, lost: {}", "lost/all.yaml +error: nothing is recorded to verify\n"),
    ):
        config.write_text(f"clouds: {{public: {text}}}")
        code, out, err = site.run("verify")
        assert (code, bool(re.search(says, out))) == (2, True), out
    assert "imagedetail record --os-cloud=lost" in err
    config.write_text("clouds: {public: {}, private: {}}\n")
    code, _, err = site.run("verify", "--os-cloud=staging")
    assert (code, "these are 2: public, private" in err) == (4, True)
    assert site.run("verify", "public", "--os-cloud=staging")[0] == 0
    config.write_text("clouds: {public: {os_cloud: staging}, nova-2026.2: {}}")
    assert site.run("verify")[0] == 0, "what is only shipped cannot be asked"
    config.write_text("clouds: {public: {os_cloud: staging}}")
    (site.folder / "answer.json").write_text('{"images": []}')
    assert site.run("import", "answer.json", "--cloud=manual")[0] == 0
    (site.folder / "cassettes/public/limit=x.yaml").write_text("version: 1\n")
    code, out, err = site.run("verify")
    assert code == 2
    assert "limit=x.yaml                 error: not a cassette" in out
    assert "skipped: imported, so there is no cloud to ask\n" in out
    assert out.endswith("4 cassettes: 2 same, 1 error, 1 skipped; nothing was written\n")
    assert "cassettes/public/limit=x.yaml" in err
    assert json.loads(site.run("verify", "manual", "--json")[1])["same"] is False
    code, _, err = site.run("verify", "manual")
    assert code == 2
    assert err == (
        "imagedetail: nothing was verified: what was imported cannot be asked again\n"
        "  where: cassettes\n"
        "  next:  record from a cloud: imagedetail record --os-cloud NAME\n"
    )
    config.unlink()
    (site.folder / "cassettes").rename(site.folder / "elsewhere")
    code, _, err = site.run("verify")
    assert (code, "nothing is recorded, and no cloud is declared" in err) == (2, True)


def test_what_cannot_be_verified(site):
    """A name nobody knows is a usage error, a recording that is not there an impossibility."""
    record = (
        "imagedetail record --os-cloud=staging --name=public --query=limit=8 --microversion=2.1"
    )
    for arguments, code, message in (
        (("pubic",), 4, "unknown cloud 'pubic'\n  where: cassettes\n  next:  did you mean public?"),
        (("--query", "limit=7"), 2, "no cloud has a recording of query 'limit=7'"),
        (("public", "--query", "limit=7"), 2, "nothing is recorded to verify"),
        (("public", "--query", "limit=8", "--microversion=2.1"), 2, f"{record}\n"),
        (("public", "--query", "limit"), 4, "a query is NAME=VALUE, not 'limit'"),
    ):
        found, _, err = site.run("verify", *arguments)
        assert found == code
        assert message in err
        assert "next:" in err


def test_a_long_wait_is_said_on_a_terminal_only(site, monkeypatch):
    """A line on stderr, wiped when it is over; nothing where nobody looks."""
    assert site.run("verify")[2] == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    code, out, err = site.run("verify")
    assert (code, out) == (0, SAME)
    assert "\rasking public (1 of 3)\r\x1b[K" in err
    assert err.endswith("\r\x1b[K")


def test_what_was_redacted_is_listed(site, tmp_path):
    """A password that changed cannot be seen, so record and verify say that it was not compared."""
    images = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    seed = tmp_path / "seed.json"
    line = f"1 value was redacted and not compared: images[{images[0]['id']}].metadata.db_password"
    record = ("record", "--os-cloud=staging", "--name=other")
    for number, password in enumerate(("s3cret-one", "s3cret-two")):
        images[0]["properties"]["db_password"] = password
        seed.write_text(json.dumps(images), encoding="utf-8")
        with SimulatedCloud(release="2026.2", seed=seed) as cloud:
            site.connect(cloud)
            code, out, _ = site.run(*record)
            assert (code, line in out.splitlines()) == (0, number == 1)
            code, out, _ = site.run("verify", "other", "--os-cloud=staging")
    assert code == 0
    assert f"\ncassettes/other/all.yaml  same; {line}\n" in out
    assert f"\nredacted    {line}\n" in out
