"""The checks as tests: `pytest --pyargs pytest_imagedetail.check --imagedetail-cloud NAME`."""

import pytest

from pytest_imagedetail.check import asking, sources, text
from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.verdicts import Verdict, accepted, run
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.harness import Cloud, Harness
from pytest_imagedetail.workspace import read_rules

Judged = dict[str, dict[str, Verdict] | ImageDetailError]


@pytest.fixture(scope="module")
def judged() -> Judged:
    """Verdicts by cloud and check, or a cloud's error, so that each cloud is asked once."""
    return {}


@pytest.mark.parametrize("check", [each.id for each in ALL])
def test_check(imagedetail: Harness, imagedetail_cloud: Cloud, judged: Judged, check: str) -> None:
    """Fail, skip or xfail by the verdict; live in every record mode except none."""
    name = imagedetail_cloud.name
    if name not in judged:
        rules = read_rules(imagedetail.settings)
        try:
            verdicts = accepted(run(_asked(imagedetail, name), ALL), rules)
            judged[name] = {each.check.id: each for each in verdicts}
        except ImageDetailError as error:
            judged[name] = error
    imagedetail.result.used.update(imagedetail.store.paths(name))
    found = judged[name]
    if isinstance(found, ImageDetailError):
        raise found
    verdict = found[check]
    explained = "\n".join(text.detail(verdict))
    match verdict.verdict:
        case "fail":
            pytest.fail(explained, pytrace=False)
        case "known-deviation":
            pytest.xfail("; ".join(dict.fromkeys(each.accepted for each in verdict.causes)))
        case "vacuous" | "inconclusive":
            pytest.skip(f"{verdict.verdict}: {verdict.reason}")


def _asked(harness: Harness, name: str) -> asking.Cloud:
    if harness.access(name) is not None:
        return sources.live(harness.live_cloud(name, adds=False))
    declared = harness.settings.declaration(name).release
    return sources.recorded(harness.store, name, declared=declared)
