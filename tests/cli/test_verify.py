"""`imagedetail verify`: a line for each cassette, details below, and nothing written."""

import json
import re
import sys

import pytest

from pytest_imagedetail.record import clouds
from tests.cloud import default_rows

ROWS = default_rows()
(GONE,) = (each.id for each in ROWS if each.name == "deactivated")
UPGRADED = "if the cloud was upgraded, record it under a new name: imagedetail "
REPLACE = "if only its data changed, replace the recording: imagedetail "
CHANGED = f"""\
FAIL: 1 of 3 comparisons fails
fails on: change, exit code 1

data        image_removed   images[{GONE}]
            in       public -> public (now), query all: "deactivated"
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
FAIL: 1 error
exit code 2

cassettes/public/all.yaml                     error: Keystone gave no token: it cannot be reached
cassettes/public/limit=x.yaml                 error: as above
cassettes/public/status=active-bc8e2fbf.yaml  error: as above

3 cassettes: 3 error; nothing was written
"""
ANNOTATION = (
    "::error title=imagedetail::FAIL: 1 of 3 comparisons fails\n"
    "::error file=cassettes/public/all.yaml,line={line},title=data image_removed::"
    f'images[{GONE}] "deactivated"%0Aonly the baseline has this image%0A'
    "to accept it: in imagedetail-rules.yaml: - {{id: '69beedd193a5', "
    'between: ["public", "public"], reason: WHY, expires: DAY}}\n'
)
ACCEPTS = "- {path: 'images[*]', kind: image_removed, reason: deactivated, expires: never}\n"


@pytest.fixture
def public(site, imagedetail):
    """Three recordings of a cloud: all images, the active ones, and an error."""
    site.installs("2026.2")
    site.declares(public="2026.2")
    for options in ((), ("--query=status=ACTIVE",), ("--query=limit=x", "--expect=400")):
        assert imagedetail("record", "public", *options).returncode == 0
    return site


def test_the_cloud_changed(public, imagedetail):
    """It shows each cassette, what differs, and the commands that record it; rules apply."""
    before, folder = public.recordings, public.folder
    public.installs("2026.2", without={"deactivated"})
    lines = (folder / "cassettes/public/all.yaml").read_text().splitlines()
    line = next(at for at, each in enumerate(lines, 1) if GONE in each)
    done = imagedetail("verify", "--report=drift.json", "--github")
    assert (done.returncode, done.stdout) == (1, CHANGED)
    assert done.stderr == ANNOTATION.format(line=line)
    written = json.loads((folder / "drift.json").read_text())
    assert (len(written["comparisons"]), written["failures"]) == (3, [])
    document = json.loads(imagedetail("verify", "--json").stdout)
    assert (document["same"], document["compatible"]) == (False, False)
    verdicts = {each["query"]: each["verdict"] for each in document["cassettes"]}
    assert verdicts == {"all": "different", "limit=x": "same", "status=ACTIVE": "same"}
    assert imagedetail("verify", "--query=all").stdout.endswith(
        "\n1 cassette: 1 different; nothing was written\n"
    )
    done = imagedetail("verify", "pub*", "--query=status=ACTIVE")
    assert done.stdout.startswith("PASS: public to public (now): no difference\n")
    assert done.stdout.endswith("\n1 cassette: 1 same; nothing was written\n")

    unused = ACCEPTS.replace("'images[*]'", "'images[*].name'")
    for rules, options, code, says in (
        ("[]", ["--fail-on=breaking"], 0, "PASS: 3 comparisons, and none of them fails\n"),
        (ACCEPTS, [], 0, "3 cassettes: 2 same, 1 accepted; nothing was written"),
        (ACCEPTS.replace("kind", "between: [public, public (now)], kind"), [], 0, " 1 accepted; "),
        (ACCEPTS.replace("never", "2020-01-01"), [], 1, "expired on 2020-01-01"),
        (ACCEPTS, ["--rules=other.yaml"], 1, "1 different; nothing was written"),
        (ACCEPTS + unused, [], 0, "the rule for images[*].name accepts nothing here"),
    ):
        (folder / "imagedetail-rules.yaml").write_text(rules)
        (folder / "other.yaml").write_text("[]")
        done = imagedetail("verify", "--report=r.html", "--report=r.md", *options)
        assert (done.returncode, done.stdout.count(says)) == (code, 1), done.stdout
        for name in ("r.html", "r.md"):
            assert "deactivated" in (folder / name).read_text(), (rules, name)
    assert "the rule for images[*] accepts nothing here" not in done.stdout  # one needs it
    document = json.loads(imagedetail("verify", "--json").stdout)
    assert (document["same"], document["compatible"]) == (False, True)
    assert public.recordings == before


def test_the_cloud_is_down(public, imagedetail, monkeypatch):
    """Every cassette fails, the reason is printed once, and Keystone is asked once.

    A long wait is a line on a terminal's stderr, which is removed afterwards.
    """
    asked, connect = [], clouds.connect
    monkeypatch.setattr(clouds, "connect", lambda name: asked.append(name) or connect(name))
    done = imagedetail("verify")
    assert (done.returncode, done.stderr) == (0, "")
    with monkeypatch.context() as terminal:
        terminal.setattr("sys.stderr", sys.stderr)
        terminal.setattr(sys.stderr, "isatty", lambda: True)
        shown = imagedetail("verify").stderr
    assert "\rasking public (1 of 3)\r\x1b[K" in shown
    assert shown.endswith("\r\x1b[K")
    public.shuts_down()
    done = imagedetail("verify", "--report=drift.json")
    assert (done.returncode, done.stdout) == (2, DOWN)
    assert done.stderr.count("Keystone gave no token: it cannot be reached") == 1
    written = json.loads((public.folder / "drift.json").read_text())
    assert (written["comparisons"], len(written["failures"])) == ([], 1)
    assert asked == ["staging"] * 3


def test_what_is_not_verified_is_no_success(public, imagedetail):
    """Damaged, stale or lost recordings fail, and imported ones are skipped."""
    folder, config = public.folder, public.folder / "imagedetail.yaml"
    (folder / "answer.json").write_text('{"images": []}')
    for text, arguments, code, says in (
        ("public: {os_cloud: staging, release: '2023.1'}", (), 2, "all.yaml +error: the recording"),
        ("public: {os_cloud: staging}, lost: {}", (), 2, "lost/all.yaml +error: nothing is rec"),
        ("public: {os_cloud: staging}, lost: {}", (), 2, "in a shell: imagedetail record lost\n"),
        ("public: {}, private: {}", ("--os-cloud=staging",), 4, "these are 2: public, private"),
        ("public: {}, private: {}", ("public", "--os-cloud=staging"), 0, "3 same"),
        ("public: {os_cloud: staging}, nova-2026.2: {}", (), 0, "3 same"),  # is only shipped
    ):
        config.write_text(f"clouds: {{{text}}}")
        done = imagedetail("verify", *arguments)
        assert done.returncode == code, (text, arguments)
        assert re.search(says, done.stdout + done.stderr), (text, arguments)
    assert imagedetail("import", "answer.json", "--cloud=manual").returncode == 0
    (folder / "cassettes/public/limit=x.yaml").write_text("version: 1\n")
    done = imagedetail("verify")
    assert done.returncode == 2
    assert "limit=x.yaml                 error: not a cassette" in done.stdout
    assert "skipped: imported, so there is no cloud to ask\n" in done.stdout
    assert done.stdout.endswith("4 cassettes: 2 same, 1 error, 1 skipped; nothing was written\n")
    assert json.loads(imagedetail("verify", "manual", "--json").stdout)["same"] is False
    done = imagedetail("verify", "manual", "--report=r.xml")
    said = "nothing was verified: what was imported cannot be asked again\n"
    assert (done.returncode, said in done.stderr) == (2, True)
    assert 'tests="1" failures="0" errors="1"' in (folder / "r.xml").read_text()
    (folder / "cassettes").rename(folder / "elsewhere")
    config.unlink()
    assert "nothing is recorded, and no cloud is declared" in imagedetail("verify").stderr


def test_what_cannot_be_verified(public, imagedetail):
    """An unknown name is a usage error (4), a missing recording is not (2)."""
    record = "in a shell: imagedetail record public --query=limit=8"
    for arguments, code, message in (
        (("pubic",), 4, "unknown cloud 'pubic'\n  where: cassettes\n  next:  did you mean public?"),
        (("--query", "limit=7"), 2, "no cloud has a recording of query 'limit=7'"),
        (("public", "--query", "limit=8"), 2, "if it was deleted, restore it from"),
        (("public", "--query", "limit=8", "--microversion=2.1"), 2, f"{record} --microversion=2.1"),
        (("public", "--query", "limit"), 4, "a query is NAME=VALUE, not 'limit'"),
    ):
        done = imagedetail("verify", *arguments)
        assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def test_what_was_redacted_is_listed(site, imagedetail):
    """A redacted password cannot be compared; record and verify say so."""

    def password(value):
        return lambda images: images[0].properties.update(db_password=value)

    line = f"1 value was redacted and not compared: images[{ROWS[0].id}].metadata.db_password"
    site.declares(other=None)
    site.installs("2026.2", edit=password("s3cret-one"))
    assert line not in imagedetail("record", "other").stdout
    site.installs("2026.2", edit=password("s3cret-two"))
    assert line in imagedetail("record", "other").stdout
    done = imagedetail("verify")
    assert done.returncode == 0
    assert f"\ncassettes/other/all.yaml  same; {line}\n" in done.stdout
    assert f"\nredacted    {line}\n" in done.stdout
