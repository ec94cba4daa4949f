"""`imagedetail verify`: a line for each cassette, details below, and nothing written."""

import json
import re
import sys

import pytest

from pytest_imagedetail.record import clouds
from tests.cloud import DEFAULT_SEED

(GONE,) = (
    each["id"]
    for each in json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
    if each["name"] == "withdrawn"
)
UPGRADED = "if the cloud was upgraded, record it under a new name: imagedetail "
REPLACE = "if only its data changed, replace the recording: imagedetail "
CHANGED = f"""\
FAIL: 1 of 3 comparisons fails
fails on: change, exit code 1

data        image_removed   images[{GONE}]
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
cassettes/public/limit=x.yaml                 error: as above
cassettes/public/status=active-bc8e2fbf.yaml  error: as above

3 cassettes: 3 error; nothing was written
"""
ANNOTATION = (
    "::error title=imagedetail::FAIL: 1 of 3 comparisons fails\n"
    "::error file=cassettes/public/all.yaml,line={line},title=data image_removed::"
    f'images[{GONE}] "withdrawn"%0Aonly the baseline has this image%0A'
    "to accept it: in imagedetail-rules.yaml: - {{id: '69beedd193a5', "
    'between: ["public", "public"], reason: WHY, expires: DAY}}\n'
)
ACCEPTS = "- {path: 'images[*]', kind: image_removed, reason: withdrawn, expires: never}\n"


@pytest.fixture
def public(site, imagedetail):
    """Three recordings of a cloud: all images, the active ones, and an error."""
    site.installs("2026.2")
    site.declares(public="2026.2")
    for options in ((), ("--query=status=ACTIVE",), ("--query=limit=x", "--expect=400")):
        assert imagedetail("record", "public", *options).returncode == 0
    return site


def test_the_cloud_changed(public, imagedetail):
    """It shows each cassette, what differs, and the commands that record it; exit code 1."""
    before = public.recordings
    public.installs("2026.2", without={"withdrawn"})
    done = imagedetail("verify", "--report=drift.json")
    assert (done.returncode, done.stdout, done.stderr) == (1, CHANGED, "")
    written = json.loads((public.folder / "drift.json").read_text())
    assert (len(written["comparisons"]), written["failures"]) == (3, [])
    done = imagedetail("verify", "--fail-on=breaking")
    assert done.returncode == 0
    assert done.stdout.startswith("PASS: 3 comparisons, and none of them fails\n")
    document = json.loads(imagedetail("verify", "--json").stdout)
    assert document["same"] is False
    assert [(each["query"], each["verdict"]) for each in document["cassettes"]] == [
        ("all", "different"),
        ("limit=x", "same"),
        ("status=ACTIVE", "same"),
    ]
    done = imagedetail("verify", "--github")
    lines = (public.folder / "cassettes/public/all.yaml").read_text().splitlines()
    line = next(at for at, each in enumerate(lines, 1) if GONE in each)
    assert (done.stdout, done.stderr) == (CHANGED, ANNOTATION.format(line=line))
    assert public.recordings == before
    done = imagedetail("verify", "pub*", "--query=status=ACTIVE")
    assert done.stdout.startswith("PASS: public to public (now): no difference\n")
    assert done.stdout.endswith("\n1 cassette: 1 same; nothing was written\n")


def test_the_cloud_is_down(public, imagedetail, monkeypatch):
    """Every cassette fails, the reason is printed once, and Keystone is asked once."""
    asked, connect = [], clouds.connect
    monkeypatch.setattr(clouds, "connect", lambda name: asked.append(name) or connect(name))
    assert imagedetail("verify").returncode == 0
    public.shuts_down()
    done = imagedetail("verify", "--report=drift.json")
    assert (done.returncode, done.stdout) == (2, DOWN)
    assert done.stderr.count("Keystone gave no token: it cannot be reached") == 1
    written = json.loads((public.folder / "drift.json").read_text())
    assert (written["comparisons"], len(written["failures"])) == ([], 3)
    assert asked == ["staging", "staging"]


def test_what_is_not_verified_is_no_success(public, imagedetail):
    """Damaged, stale or lost recordings fail, and imported ones are skipped."""
    config = public.folder / "imagedetail.yaml"
    for text, says in (
        ("{os_cloud: staging, release: '2023.1'}", "all.yaml +error: the recording is stale"),
        ("{os_cloud: staging}, lost: {}", "lost/all.yaml +error: nothing is recorded to verify\n"),
    ):
        config.write_text(f"clouds: {{public: {text}}}")
        done = imagedetail("verify")
        assert (done.returncode, bool(re.search(says, done.stdout))) == (2, True), says
    assert "imagedetail record --os-cloud=lost" in done.stderr
    config.write_text("clouds: {public: {}, private: {}}\n")
    done = imagedetail("verify", "--os-cloud=staging")
    assert (done.returncode, "these are 2: public, private" in done.stderr) == (4, True)
    assert imagedetail("verify", "public", "--os-cloud=staging").returncode == 0
    config.write_text("clouds: {public: {os_cloud: staging}, nova-2026.2: {}}")
    assert imagedetail("verify").returncode == 0, "what is only shipped cannot be asked"
    (public.folder / "answer.json").write_text('{"images": []}')
    assert imagedetail("import", "answer.json", "--cloud=manual").returncode == 0
    (public.folder / "cassettes/public/limit=x.yaml").write_text("version: 1\n")
    done = imagedetail("verify")
    assert done.returncode == 2
    assert "limit=x.yaml                 error: not a cassette" in done.stdout
    assert "skipped: imported, so there is no cloud to ask\n" in done.stdout
    assert done.stdout.endswith("4 cassettes: 2 same, 1 error, 1 skipped; nothing was written\n")
    assert json.loads(imagedetail("verify", "manual", "--json").stdout)["same"] is False
    done = imagedetail("verify", "manual")
    assert done.returncode == 2
    assert "nothing was verified: what was imported cannot be asked again\n" in done.stderr
    (public.folder / "cassettes").rename(public.folder / "elsewhere")
    config.unlink()
    done = imagedetail("verify")
    assert "nothing is recorded, and no cloud is declared" in done.stderr


def test_what_cannot_be_verified(public, imagedetail):
    """An unknown name is a usage error (4), a missing recording is not (2)."""
    record = "imagedetail record --os-cloud=staging --name=public --query=limit=8"
    for arguments, code, message in (
        (("pubic",), 4, "unknown cloud 'pubic'\n  where: cassettes\n  next:  did you mean public?"),
        (("--query", "limit=7"), 2, "no cloud has a recording of query 'limit=7'"),
        (("public", "--query", "limit=8"), 2, "nothing is recorded to verify"),
        (("public", "--query", "limit=8", "--microversion=2.1"), 2, f"{record} --microversion=2.1"),
        (("public", "--query", "limit"), 4, "a query is NAME=VALUE, not 'limit'"),
    ):
        done = imagedetail("verify", *arguments)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_a_long_wait_is_said_on_a_terminal_only(public, imagedetail, monkeypatch):
    """A line on stderr, which is removed afterwards."""
    assert imagedetail("verify").stderr == ""
    monkeypatch.setattr("sys.stderr", sys.stderr)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    done = imagedetail("verify")
    assert done.returncode == 0
    assert "\rasking public (1 of 3)\r\x1b[K" in done.stderr
    assert done.stderr.endswith("\r\x1b[K")


def test_what_was_redacted_is_listed(site, imagedetail):
    """A redacted password cannot be compared; record and verify say so."""

    def password(value):
        return lambda images: images[0]["properties"].update(db_password=value)

    first = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))[0]["id"]
    line = f"1 value was redacted and not compared: images[{first}].metadata.db_password"
    site.declares(other=None)
    site.installs("2026.2", edit=password("s3cret-one"))
    assert line not in imagedetail("record", "other").stdout
    site.installs("2026.2", edit=password("s3cret-two"))
    assert line in imagedetail("record", "other").stdout
    done = imagedetail("verify")
    assert done.returncode == 0
    assert f"\ncassettes/other/all.yaml  same; {line}\n" in done.stdout
    assert f"\nredacted    {line}\n" in done.stdout


def test_rules_are_applied(public, imagedetail):
    """Accepted, expired and unused ones, as in `diff`; reports show them."""
    public.installs("2026.2", without={"withdrawn"})
    rules = public.folder / "imagedetail-rules.yaml"
    unused = ACCEPTS.replace("'images[*]'", "'images[*].name'")
    expired = ACCEPTS.replace("never", "2020-01-01")
    for text, code, says in (
        (ACCEPTS, 0, "3 cassettes: 2 same, 1 accepted; nothing was written"),
        (expired, 1, "expired on 2020-01-01"),
        (ACCEPTS + unused, 0, "the rule for images[*].name accepts nothing here"),
    ):
        rules.write_text(text)
        done = imagedetail("verify", "--report=r.html", "--report=r.md")
        assert (done.returncode, done.stdout.count(says)) == (code, 1), done.stdout
        for name in ("r.html", "r.md"):
            assert "withdrawn" in (public.folder / name).read_text()
    assert "the rule for images[*] accepts nothing here" not in done.stdout  # one needs it
    document = json.loads(imagedetail("verify", "--json").stdout)
    assert (document["same"], document["compatible"]) == (False, True)
    (public.folder / "other.yaml").write_text("[]")
    assert imagedetail("verify", "--rules=other.yaml").returncode == 1
