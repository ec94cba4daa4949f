"""The operator's story: the cloud behind one endpoint is upgraded, and its baseline survives.

Each way of recording is tried through the command and through pytest, against a live cloud.
"""

import json
import sys
from dataclasses import replace

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from openstack.config import loader

from pytest_imagedetail.cli import main
from tests.cloud import DEFAULT_SEED, RELEASES, SimulatedCloud

TEST = """
import requests

def test_listing(imagedetail_cloud):
    imagedetail_cloud.list(QUERY)
"""
OWN_CLIENT = """
def test_own_client(imagedetail_cloud, imagedetail_cassette):
    url = f"{imagedetail_cloud.endpoint}/images/detail"
    assert requests.get(url, headers=imagedetail_cloud.headers).status_code == 200
"""


class Operator:
    """One project, one endpoint, and a cloud behind it that can be replaced.

    Attributes:
        folder: The project.
    """

    def __init__(self, pytester, monkeypatch, capsys):
        self.folder, self._pytester, self._capsys = pytester.path, pytester, capsys
        self._cloud = None
        self._port = 0
        monkeypatch.chdir(self.folder)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a test is rewritten in a second
        monkeypatch.delenv("OS_CLOUD", raising=False)
        monkeypatch.setattr(loader, "CONFIG_FILES", [str(self.folder / "clouds.yaml")])
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(self.folder / "clouds.yaml"))

    def installs(self, release, *, without=()):
        """Put a cloud of this release behind the endpoint, in place of the one that is there."""
        self.shuts_down()
        seed = self.folder / "seed.json"
        rows = json.loads(DEFAULT_SEED.read_text(encoding="utf-8"))
        seed.write_text(json.dumps([row for row in rows if row["name"] not in without]))
        self._cloud = SimulatedCloud(release=release, seed=seed, port=self._port)
        self._cloud.__enter__()
        self._port = self._cloud.port
        (self.folder / "clouds.yaml").write_text(self._cloud.clouds_yaml("staging"))

    def shuts_down(self):
        """Stop the cloud, if one runs."""
        if self._cloud is not None:
            self._cloud.stop()

    def declares(self, **clouds):
        """Write imagedetail.yaml; each cloud is `staging` of clouds.yaml, of this release."""
        declared = {
            name.replace("_", "-"): {
                "os_cloud": "staging",
                **({"release": release} if release else {}),
            }
            for name, release in clouds.items()
        }
        (self.folder / "imagedetail.yaml").write_text(json.dumps({"clouds": declared}))

    def runs(self, *arguments):
        """Run the command; gives exit code, stdout and stderr."""
        self._capsys.readouterr()
        return main(list(arguments)), *self._capsys.readouterr()

    def tests(self, mode, *, query="", more="", cloud="before"):
        """Run a test with pytest in a record mode."""
        (self.folder / "test_it.py").write_text(TEST.replace("QUERY", query) + more)
        plugins = ("-p", "no:recording", "-p", "no:cacheprovider")
        options = (f"--imagedetail-record-mode={mode}", f"--imagedetail-cloud={cloud}")
        return self._pytester.runpytest_inprocess(*plugins, *options)

    @property
    def recordings(self):
        """Every cassette with its bytes."""
        paths = sorted((self.folder / "cassettes").rglob("*.yaml"))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


@pytest.fixture
def operator(pytester, monkeypatch, capsys):
    """A project whose cloud `before` is declared and recorded as release 2023.1."""
    operator = Operator(pytester, monkeypatch, capsys)
    operator.installs("2023.1")
    operator.declares(before="2023.1")
    assert operator.runs("record", "--os-cloud=before")[0] == 0
    yield operator
    operator.shuts_down()


def test_an_upgrade_leaves_the_baseline_untouched(operator):
    """Every way to record is refused, and the new cloud is compared under a name of its own."""
    baseline = operator.recordings
    operator.installs("2024.2")
    new_name = "imagedetail record --os-cloud=staging --name=staging-2024.2"

    for arguments in (
        ("record", "--os-cloud=before"),
        ("record", "--os-cloud=before", "--query=status=ACTIVE"),
        ("record", "--os-cloud=before", "--rewrite"),
        ("record", "--os-cloud=before", "--twice"),
        ("record", "--os-cloud=staging", "--name=before"),
    ):
        code, out, err = operator.runs(*arguments)
        assert (code, out) == (2, ""), arguments
        assert "2.95 (Nova 2023.1 or 2023.2)" in err or "declared as release 2023.1" in err
        assert "2.96" in err
        assert "2024.1 or 2024.2" in err
        assert new_name in err
        assert operator.recordings == baseline, arguments

    code, _, err = operator.runs("record", "--os-cloud=before", "--release=2024.2", "--rewrite")
    assert code == 4
    assert "--release 2024.2 contradicts imagedetail.yaml" in err
    operator.declares(before="2024.2")  # wrong: the recordings are of the release before
    code, _, err = operator.runs("record", "--os-cloud=before", "--rewrite")
    assert code == 2
    assert "cloud 'before' is another release than its recordings" in err
    operator.declares(before="2023.1")
    assert operator.recordings == baseline

    for mode, query in (
        ("once", "status='ACTIVE'"),
        ("new_episodes", "status='ACTIVE'"),
        ("rewrite", ""),
        ("rewrite", "status='ACTIVE'"),
    ):
        result = operator.tests(mode, query=query, more=OWN_CLIENT)
        result.assert_outcomes(failed=1, passed=1, errors=1)
        result.stdout.fnmatch_lines(["E *ReleaseError: cloud 'before' is *", f"E *{new_name}*"])
        assert operator.recordings == baseline, mode

    code, out, err = operator.runs("verify", "before")
    assert code == 2
    assert "error: cloud 'before' is another release than its recordings" in out
    assert new_name in err
    result = operator.tests("verify")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ReleaseError: cloud 'before' is another release *"])
    assert operator.recordings == baseline


def test_a_recording_that_was_written_over_is_no_baseline(operator):
    """A label and a microversion that contradict each other are told by every reader."""
    operator.installs("2026.2")
    operator.declares(before=None)
    for path in (operator.folder / "cassettes").rglob("*.yaml"):
        path.unlink()
    assert operator.runs("record", "--os-cloud=before")[0] == 0
    assert operator.runs("record", "--os-cloud=staging", "--name=after")[0] == 0
    operator.declares(before="juno", after="2026.2")
    code, out, err = operator.runs("diff", "before", "after")
    assert code == 2
    assert "difference" in out
    code, out, _ = operator.runs("diff", "before", "after", "--json", "--report=r.md")
    document = json.loads(out)
    assert (code, document["same"], document["compatible"]) == (2, False, False)
    assert "mislabelled" in document["problem"]
    assert "mislabelled" in (operator.folder / "r.md").read_text()
    assert "the recording is mislabelled: it is declared as release juno" in err
    code, out, _ = operator.runs("lint", "cassettes")
    assert code == 1
    assert "the recording is mislabelled" in out
    code, _, err = operator.runs("matrix", "before", "after")
    assert code == 2
    result = operator.tests("none")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *StaleCassetteError: the recording is mislabelled*"])


def test_a_changed_answer_is_replaced_on_request_only(operator):
    """Same release, other data: the differences are printed, and `--rewrite` replaces."""
    baseline = operator.recordings
    operator.installs("2023.1", without={"withdrawn"})
    code, out, _ = operator.runs("record", "--os-cloud=before")
    assert code == 1
    assert "image_removed" in out
    assert "record it under a new name: imagedetail record --os-cloud=staging" in out
    assert "record --os-cloud=staging --name=before --release=2023.1 --rewrite" in out
    assert operator.recordings == baseline
    # Releases that share a microversion look alike: a query is asked again before one is added.
    code, out, err = operator.runs("record", "--os-cloud=before", "--query=status=ACTIVE")
    assert (code, out) == (2, "")
    assert "image_removed" in err
    for mode in ("once", "new_episodes"):
        result = operator.tests(mode, query="status='ACTIVE'", more=OWN_CLIENT)
        result.assert_outcomes(failed=1, passed=1, errors=1)
        result.stdout.fnmatch_lines(["E *VerificationError: nothing was added*"])
    assert operator.recordings == baseline
    code, out, _ = operator.runs("record", "--os-cloud=before", "--rewrite")
    assert code == 0
    assert out.startswith("replaced  cassettes/before/all.yaml")
    assert operator.runs("record", "--os-cloud=before", "--query=status=ACTIVE")[0] == 0
    operator.tests("once", query="status='ACTIVE'", more=OWN_CLIENT).assert_outcomes(passed=2)


def test_no_evidence_is_no_contradiction(operator):
    """Neither a cloud without microversions nor an undeclared one is refused; others only warn."""
    for release, code in (("essex", 0), ("2026.2", 2)):
        name = f"of-{release.replace('.', '-')}"
        operator.installs(release)
        operator.declares(**{name: None})
        assert operator.runs("record", f"--os-cloud={name}")[0] == 0
        operator.tests("once", query="status='ACTIVE'", cloud=name).assert_outcomes(passed=1)
        operator.declares(**{name: "essex"})
        assert operator.runs("record", f"--os-cloud={name}", "--query=limit=1")[0] == code
    operator.installs("essex")
    operator.declares(vendor="2026.2")  # what the images look like is no proof: vendors backport
    code, out, err = operator.runs("record", "--os-cloud=vendor")
    assert (code, out.startswith("new  cassettes/vendor/all.yaml")) == (0, True), err
    assert "warning: vendor is declared as release 2026.2, but " in err


def test_a_microversion_newer_than_any_known(operator, monkeypatch):
    """It contradicts every declared release; nothing is invented for it."""
    monkeypatch.setitem(RELEASES, "2030.1", replace(RELEASES["2026.2"], max_microversion=(2, 200)))
    operator.installs("2030.1")
    operator.declares(newest="2026.2", undeclared=None)
    code, _, err = operator.runs("record", "--os-cloud=newest")
    assert code == 2
    assert "2.200 (newer than Nova 2026.2)" in err
    assert "--name=staging-new" in err
    assert operator.runs("record", "--os-cloud=undeclared")[0] == 0
    assert operator.runs("fingerprint", "undeclared")[0] == 0
    assert operator.runs("doctor", "undeclared")[0] == 0


def test_a_cloud_that_hides_its_microversion(operator, monkeypatch):
    """It had one when it was recorded, so it is not the same cloud, or it did not answer."""
    baseline = operator.recordings
    hidden = replace(RELEASES["2024.2"], max_microversion=None)
    monkeypatch.setitem(RELEASES, "hidden", hidden)
    operator.installs("hidden")
    for arguments in ((), ("--rewrite",), ("--query=limit=0", "--expect=400")):
        code, _, err = operator.runs("record", "--os-cloud=before", *arguments)
        assert code == 2, arguments
        assert "the cloud has no microversion" in err
    assert operator.runs("verify")[0] == 2
    assert operator.recordings == baseline


def test_labels_count_where_microversions_do_not(operator):
    """Two releases share 2.96: what was declared tells them apart, and is never dropped."""
    operator.installs("2024.2")
    operator.declares(other=None)
    record = ("record", "--os-cloud=staging", "--name=shared")
    assert operator.runs(*record, "--release=2024.1")[0] == 0
    recorded = operator.recordings
    for arguments in (("--release=2024.2",), ("--release=2024.2", "--rewrite")):
        assert operator.runs(*record, *arguments)[0] == 2
    assert operator.runs(*record, "--release=2024.2", "--query=limit=1")[0] == 2
    assert operator.runs(*record)[0] == 0  # the label stays
    assert operator.recordings == recorded
    operator.declares(shared="2024.2")
    operator.tests("rewrite", cloud="shared").assert_outcomes(failed=1)
    assert operator.recordings == recorded


def test_own_traffic_is_guarded_by_the_clouds_of_clouds_yaml(operator):
    """A cloud that cannot be asked is no reason to believe that it is the same."""
    operator.tests("once", more=OWN_CLIENT).assert_outcomes(passed=2)
    baseline = operator.recordings
    operator.installs("2024.2")
    result = operator.tests("verify", more=OWN_CLIENT)
    result.assert_outcomes(failed=1, passed=1, errors=1)
    clouds_yaml = operator.folder / "clouds.yaml"
    clouds_yaml.write_text(clouds_yaml.read_text().replace("password: ", "password: wrong", 1))
    result = operator.tests("rewrite", more=OWN_CLIENT)
    assert result.ret == 1
    assert operator.recordings == baseline


def test_an_import_of_another_release(operator):
    """A saved body is refused under the name of a cloud that was recorded as another release."""
    baseline = operator.recordings
    body = operator.folder / "body.json"
    body.write_text('{"images": []}')
    arguments = ("import", str(body), "--cloud=before", "--query=limit=1")
    code, _, err = operator.runs(*arguments, "--release=juno")
    assert code == 2, err
    operator.declares(before=None)
    code, _, err = operator.runs(*arguments, "--release=juno")
    assert code == 2
    assert "the body has declared juno" in err
    assert operator.recordings == baseline
    assert operator.runs(*arguments)[0] == 0  # the recorded release is kept
    assert "2023.1" in (operator.folder / "cassettes" / "before" / "limit=1.yaml").read_text()
    code, _, err = operator.runs("import", str(body), "--cloud=nova-2026.2", "--release=2023.1")
    assert code == 2, "the shipped recordings of this name are of another release"


def test_verify_applies_rules(operator):
    """As `diff` does: accepted, expired and unused rules, reports included."""
    assert operator.runs("record", "--os-cloud=before", "--query=limit=3")[0] == 0
    operator.installs("2023.1", without={"withdrawn"})
    rules = operator.folder / "imagedetail-rules.yaml"
    accepts = "- {path: 'images[*]', kind: image_removed, reason: withdrawn, expires: never}\n"

    rules.write_text(accepts)
    code, out, _ = operator.runs("verify", "before")
    assert code == 0, out
    assert "no difference but for 1 accepted by rules" in out
    assert "1 accepted" in out
    operator.tests("verify").assert_outcomes(passed=1)
    assert operator.runs("verify", "before", "--report=r.html", "--report=r.md")[0] == 0
    for name in ("r.html", "r.md"):
        assert "withdrawn" in (operator.folder / name).read_text()

    rules.write_text(accepts.replace("never", "2020-01-01"))
    code, out, _ = operator.runs("verify", "before")
    assert code == 1
    assert "expired on 2020-01-01" in out

    rules.write_text(accepts + accepts.replace("'images[*]'", "'images[*].name'"))
    code, out, _ = operator.runs("verify", "before")
    assert code == 0
    assert out.count("the rule for images[*].name accepts nothing here") == 1
    assert "the rule for images[*] accepts nothing here" not in out  # one cassette needs it
    other = operator.folder / "other.yaml"
    other.write_text("[]")
    assert operator.runs("verify", "before", "--rules=other.yaml")[0] == 1
    code, out, _ = operator.runs("verify", "before", "--json")
    assert code == 0
    document = json.loads(out)
    assert (document["same"], document["compatible"]) == (False, True)
