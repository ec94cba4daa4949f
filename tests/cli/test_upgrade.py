"""The cloud behind an endpoint is upgraded, and the recorded baseline survives.

Every way to record is tried with the command and with pytest, against a live cloud.
"""

import json
import re
import shutil
import sys
from dataclasses import replace

import pytest

from tests.cloud import RELEASES

TEST = """
import requests

def test_listing(imagedetail_cloud):
    imagedetail_cloud.list(QUERY)

def test_own_client(imagedetail_cloud, imagedetail_cassette):
    url = f"{imagedetail_cloud.endpoint}/images/detail"
    assert requests.get(url, headers=imagedetail_cloud.headers).status_code == 200
"""
ACTIVE = "status='ACTIVE'"


@pytest.fixture
def before(site, imagedetail):
    site.installs("2023.1")
    site.declares(before="2023.1")
    assert imagedetail("record", "before").returncode == 0
    return site.recordings


@pytest.fixture
def refused(site, imagedetail):
    """Run a command that must fail, say why, and leave the recordings as they are."""

    def refused(*arguments, says="", code=2):
        before, done = site.recordings, imagedetail(*arguments)
        assert (done.returncode, site.recordings == before) == (code, True), (arguments, done)
        assert says in done.stdout + done.stderr, (arguments, says, done)
        return done

    return refused


@pytest.fixture
def tests(pytester, imagedetail, site, monkeypatch):
    """Run a listing and a client of its own with pytest, in a record mode."""
    monkeypatch.chdir(site.folder)  # and not in pytester's own folder
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a test is rewritten in a second

    def tests(mode, query="", cloud="before", test=TEST):
        (site.folder / "test_it.py").write_text(test.replace("QUERY", query))
        plugins = ("-p", "no:recording", "-p", "no:cacheprovider")
        options = (f"--imagedetail-record-mode={mode}", f"--imagedetail-cloud={cloud}")
        return pytester.runpytest_inprocess(*plugins, *options)

    return tests


def test_an_upgrade_leaves_the_baseline_untouched(site, before, refused, tests):
    """Every way to record is refused, and the error names the command for a new name."""
    site.installs("2024.2")
    new_name = (
        "new name, with RELEASE 2024.1 or 2024.2: imagedetail record --os-cloud=staging "
        "--name=staging-RELEASE --release=RELEASE --like=before"
    )
    for arguments in (
        ("before",),
        ("before", "--query=status=ACTIVE"),
        ("before", "--rewrite"),
        ("before", "--twice"),
        ("--os-cloud=staging", "--name=before"),
    ):
        done = refused("record", *arguments, says=new_name)
        for part in ("2023.1", "2.96", "2024.1 or 2024.2"):
            assert part in done.stderr, arguments
    for mode, query in (
        ("once", ACTIVE),
        ("new_episodes", ACTIVE),
        ("rewrite", ""),
        ("verify", ""),
    ):
        result = tests(mode, query)
        result.assert_outcomes(failed=1, passed=int(mode != "verify"), errors=1)
        result.stdout.fnmatch_lines(["E *ReleaseError: cloud 'before' is *", f"E *{new_name}*"])
        if mode != "verify":
            result.stdout.fnmatch_lines("*new cloud in the marker, or with --imagedetail-cloud")
        assert site.recordings == before, mode
    assert "_pytest/" not in result.stdout.str()
    result.stdout.fnmatch_lines(["FAIL: 1 error; before to *"])

    other = "cloud 'before' is of another release than its recordings"
    for verb in ("record", "verify"):
        done = refused(verb, "before", "--cassette-dir=./cassettes", says=new_name)
        assert "  next:  add --cassette-dir=./cassettes to such a command\n" in done.stderr, verb
    assert f"error: {other}" in done.stdout
    says = "--release 2024.2 contradicts imagedetail.yaml"
    refused("record", "before", "--release=2024.2", "--rewrite", code=4, says=says)
    site.declares(before="2024.2")  # wrong: the recordings are of the release before
    refused("record", "before", "--rewrite", says=other)


def test_a_report_of_an_upgrade_shows_differences(site, before, imagedetail):
    """The other release is one error, however many queries were verified."""
    for number in range(10):
        assert imagedetail("record", "before", f"--query=limit={number}").returncode == 0
    site.installs("2024.2")
    done = imagedetail("verify", "--github", "--report=r.md", "--report=r.xml")
    assert done.returncode == 2
    assert done.stdout.startswith("FAIL: 1 error; 1 of 11 comparisons fails\n")
    _, error, difference = done.stderr.splitlines()[:3]
    assert error.startswith("::error title=imagedetail::cloud 'before' is of another release")
    assert "title=breaking status_changed::" in difference
    written = [(site.folder / name).read_text() for name in ("r.md", "r.xml")]
    assert [each.count("cloud before; nothing was written") for each in written] == [1, 1]
    assert 'name="compatible"' not in written[1]


def test_a_release_that_is_declared_later(site, imagedetail):
    site.installs("2024.2")
    record = ("record", "--os-cloud=staging", "--name=new")
    assert imagedetail(*record).returncode == 0
    assert imagedetail(*record, "--release=2024.2").stdout.startswith("replaced ")
    done = imagedetail(*record, "--release=dalmatian")
    assert (done.returncode, "the declared release is another one\n" in done.stdout) == (1, True)
    typed = re.search("replace the recording: imagedetail (.*)", done.stdout)[1].split()
    assert imagedetail(*typed).stdout.startswith("replaced ")
    assert imagedetail(*record, "--release=dalmatian").stdout.startswith("unchanged")


def test_a_recording_that_was_written_over_is_no_baseline(site, imagedetail, refused, tests):
    """Every reader refuses a release that contradicts the recorded microversion."""
    site.installs("2026.2")
    site.declares(before=None, after=None)
    for query in ((), ("--query=limit=1",)):
        assert imagedetail("record", *query).returncode == 0
    site.declares(before="juno", after="2026.2")
    says = "the recording is mislabeled: it is declared as release juno"
    done = refused("diff", "before", "after", "--json", "--report=r.md", says=says)
    document = json.loads(done.stdout)
    assert (document["same"], document["compatible"]) == (False, False)
    assert "mislabeled" in document["problem"]
    assert "mislabeled" in (site.folder / "r.md").read_text()
    refused("lint", "cassettes", code=1, says="mislabeled")
    for verb in (("matrix", "before", "after"), ("fingerprint", "before"), ("show", "before")):
        for query in ((), ("--query=limit=1",)):
            refused(*verb, *query, says=says)
    tests("none").stdout.fnmatch_lines(["E *StaleCassetteError: the recording is mislabeled*"])


def test_a_changed_answer_is_replaced_on_request_only(site, before, imagedetail, refused, tests):
    """With the same release, the differences are printed, and `--rewrite` replaces."""
    site.installs("2023.1", without={"deactivated"})
    done = refused("record", "before", code=1, says="image_removed")
    new_name = "under a new name, with RELEASE 2023.1 or 2023.2: imagedetail record --os-cloud="
    assert new_name in done.stdout
    assert "record --os-cloud=staging --name=before --release=2023.1 --rewrite" in done.stdout
    # Releases that share a microversion look alike: a query is asked again before one is added.
    refused("record", "before", "--query=status=ACTIVE", says="image_removed")
    for mode in ("once", "new_episodes"):
        result = tests(mode, ACTIVE)
        result.assert_outcomes(failed=1, passed=1, errors=1)
        result.stdout.fnmatch_lines(["E *VerificationError: nothing was added*"])
    tests("verify").assert_outcomes(failed=1, errors=1)
    rules = site.folder / "imagedetail-rules.yaml"
    rules.write_text("- {path: 'images[*]', kind: image_removed, reason: r, expires: never}")
    tests("verify").assert_outcomes(passed=1, errors=1)
    assert site.recordings == before
    done = imagedetail("record", "before", "--rewrite")
    assert done.stdout.startswith("replaced  cassettes/before/all.yaml")
    assert imagedetail("record", "before", "--query=status=ACTIVE").returncode == 0
    tests("once", ACTIVE).assert_outcomes(passed=2)


def test_what_a_client_asked_is_asked_again(site, imagedetail, refused, tests):
    """If nothing else is recorded, and no microversion shows the release."""
    own = f"import requests\n\n{TEST[TEST.index('def test_own') :]}"
    site.installs("essex")
    site.declares(before=None)
    tests("once", test=own).assert_outcomes(passed=1)
    recorded = site.recordings
    more = own + own.replace("test_own_client", "test_more").replace("/detail", "/detail?limit=2")
    site.installs("essex", without={"deactivated"})
    said = ["nothing was added to the recordings of 'before': the answer *", "*image_removed*"]
    said.append("*replace the recording: pytest --imagedetail-record-mode=rewrite")
    for mode in ("once", "new_episodes"):
        tests(mode, test=more).stdout.fnmatch_lines(said)
    refused("record", "before", says="image_removed")
    assert site.recordings == recorded
    tests("rewrite", test=more).assert_outcomes(passed=2)
    tests("none", test=more).assert_outcomes(passed=2)

    def mention(images):
        images[0].properties["contact"] = "joe@example.com"

    site.installs("essex", edit=mention)
    shutil.rmtree(site.folder / "cassettes")
    tests("once", test=own).assert_outcomes(passed=1)
    assert imagedetail("record", "before").returncode == 0  # traffic loses e-mail addresses


def test_another_project_adds_nothing(site, before, imagedetail, refused, tests):
    """It may see other images, even if one query shows the same ones."""
    object.__setattr__(site.cloud.account, "project_id", "ab" * 16)
    refusal = "nothing was added to the recordings of 'before': this project is not"
    done = refused("record", "before", "--query=status=SAVING", says=refusal)
    other = "record --os-cloud=staging --name=before-other --like=before"
    assert f"under a name of its own: imagedetail {other}\n" in done.stderr
    says = "all.yaml: the answer is the same, and the project is another one\n"
    refused("record", "before", code=1, says=says)
    tests("once").stdout.fnmatch_lines([f"{refusal}*"])
    assert site.recordings == before
    assert imagedetail(*other.split()).returncode == 0


def test_no_evidence_is_no_contradiction(site, imagedetail, refused, tests):
    """A cloud without microversions, or without a declared release, is not refused."""
    for name, release, code in (("old", "essex", 0), ("new", "2026.2", 2)):
        site.installs(release)
        site.declares(**{name: None})
        assert imagedetail("record", name).returncode == 0
        tests("once", ACTIVE, cloud=name).assert_outcomes(passed=2)
        site.declares(**{name: "essex"})
        assert imagedetail("record", name, "--query=limit=1").returncode == code
    site.declares(new=None)
    site.installs("2023.1")  # another microversion is evidence, whatever is declared
    refused("record", "new", "--query=limit=1")
    site.installs("essex")
    site.declares(vendor="2026.2")  # what the images look like is no proof: vendors backport
    done = imagedetail("record", "vendor")
    assert done.stdout.startswith("new  cassettes/vendor/all.yaml")
    for shown in ("offers no microversion, or its version document cannot be read", "the link al"):
        assert f"warning: vendor is declared as release 2026.2, but {shown}" in done.stderr


def test_a_microversion_that_is_new_or_not_there_any_more(
    site, before, imagedetail, refused, monkeypatch
):
    """A newer one contradicts every declared release; a missing one contradicts recordings."""
    for name, newest in (("2030.1", (2, 200)), ("hidden", None)):
        monkeypatch.setitem(RELEASES, name, replace(RELEASES["2026.2"], max_microversion=newest))
    site.installs("hidden")
    says = "the cloud has no microversion (or no readable version document: "
    for more in ((), ("--rewrite",), ("--query=limit=0", "--expect=400")):
        refused("record", "before", *more, says=says)
    refused("verify")
    site.installs("2030.1")
    site.declares(newest="2026.2", undeclared=None)
    done = refused("record", "newest", says="2.200 (newer than Nova 2026.2)")
    assert "--name=staging-new\n" in done.stderr  # nothing is recorded that --like could name
    for verb in ("record", "fingerprint", "doctor"):
        assert imagedetail(verb, "undeclared").returncode == 0


def test_an_upgrade_that_removes_the_api(site, before, imagedetail, refused, monkeypatch):
    """That nothing can be listed may be the wrong endpoint, so it must be expected."""
    assert imagedetail("record", "before", "--query=limit=1").returncode == 0
    assert imagedetail("record", "before", "--query=all @latest", "--expect=404").returncode == 0
    site.installs("2024.2")
    monkeypatch.setattr("tests.cloud.nova._IMAGES_REMOVED", (2, 1))
    like = ("record", "--os-cloud=staging", "--name=after", "--like=before")
    done = imagedetail(*like)
    assert (done.returncode, done.stdout.count("answered 404")) == (2, 2)
    assert "404, not 200 or 203" in done.stderr
    assert "2.35" not in done.stderr
    assert "the catalog is right\n  next:  if you expect this answer: expect=404 in" in done.stderr
    done = imagedetail("matrix", "before", "after")
    assert (done.returncode, "record after --like before\n" in done.stdout) == (2, True)
    assert imagedetail(*like, "--expect=404").returncode == 0
    done = imagedetail("matrix", "before", "after")
    assert (done.returncode, "breaking    status_changed  all\n" in done.stdout) == (1, True)
    done = refused(*like[:-1], "--query=all @2.36")
    assert "images/detail ends with microversion 2.35: ask without one" in done.stderr
    says = "the checks know what to expect"
    refused(*like[:-1], "--suite=check", "--expect=404", code=4, says=says)


def test_labels_count_where_microversions_do_not(site, imagedetail, refused, tests):
    """Two releases share 2.96: the declared release tells them apart, and is kept."""
    site.installs("2024.2")
    record = ("record", "--os-cloud=staging", "--name=shared")
    assert imagedetail(*record, "--release=2024.1").returncode == 0
    recorded = site.recordings
    (site.folder / "imagedetail.yaml").unlink()
    for more in ((), ("--rewrite",), ("--query=limit=1",)):
        refused(*record, "--release=2024.2", *more)
    assert imagedetail(*record).returncode == 0  # the label stays
    site.declares(shared="2024.2")
    tests("rewrite", cloud="shared").assert_outcomes(failed=1, passed=1, errors=1)
    assert site.recordings == recorded


def test_an_import_of_another_release(site, before, imagedetail, refused):
    (site.folder / "body.json").write_text('{"images": []}')
    arguments = ("import", "body.json", "--cloud=before", "--query=limit=1")
    refused(*arguments, "--release=juno")
    site.declares(before=None)
    refused(*arguments, "--release=juno", says="the body has declared juno")
    assert imagedetail(*arguments).returncode == 0  # the recorded release is kept
    assert "2023.1" in (site.folder / "cassettes/before/limit=1.yaml").read_text()
    refused("import", "body.json", "--cloud=nova-2026.2", "--release=2023.1")
