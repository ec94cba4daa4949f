"""Every planted fault is caught by the check that is named for it, and a clean cloud has none."""

from pathlib import Path

import pytest

from pytest_imagedetail.check.checks import CHECKS
from pytest_imagedetail.check.verdicts import run
from tests.check.faulty import FAULTS, cloud_of, seed
from tests.cloud import RELEASES

BY_ID = {each.id: each for each in CHECKS}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return seed(tmp_path_factory.mktemp("seed"))


def test_every_fault_is_caught_by_its_check(images):
    """Folding of names is known of MySQL, so it is a known deviation; all others fail."""
    missed = []
    for (id_, name), fault in FAULTS.items():
        (found,) = run(cloud_of(images, fault), [BY_ID[id_]])
        known = name == "name selects without case"
        if found.verdict != ("known-deviation" if known else "fail"):
            missed.append(f"{id_}, {name}: {found.verdict}, {found.reason}")
        assert found.curl.startswith("curl ") or found.verdict == "inconclusive"
    assert missed == []


def test_no_check_is_without_a_fault():
    assert len(FAULTS) >= 30
    assert {id_ for id_, _ in FAULTS} == BY_ID.keys()


def test_the_documentation_names_every_fault():
    """docs/check.md has a row for each check, with its faults."""
    rows: dict[str, list[str]] = {}
    for id_, name in FAULTS:
        rows.setdefault(id_, []).append(name)
    page = (Path(__file__).parents[2] / "docs" / "check.md").read_text(encoding="utf-8")
    for id_, names in rows.items():
        assert f"| {id_} | {'; '.join(names)} |" in page


def test_a_clean_cloud_has_no_fault(images):
    """On every measured release; with these images no check is vacuous."""
    for release in RELEASES.keys() - {"essex"}:  # its Glance is another one's here
        verdicts = run(cloud_of(images, release=release), CHECKS)
        failed = [
            f"{release} {each.check.id}: {each.reason}"
            for each in verdicts
            if each.verdict == "fail"
        ]
        assert failed == []
        assert {each.verdict for each in verdicts} <= {"pass", "known-deviation"}
