"""The checks as tests: `pytest --pyargs pytest_imagedetail.check --imagedetail-cloud NAME`."""

import pytest

from pytest_imagedetail.check import asking, sources, text
from pytest_imagedetail.check.checks import ALL
from pytest_imagedetail.check.verdicts import Verdict, apply_rules, run
from pytest_imagedetail.errors import ImageDetailError
from pytest_imagedetail.harness import Cloud, Harness
from pytest_imagedetail.workspace import read_rules

Runs = dict[str, dict[str, Verdict] | ImageDetailError]


@pytest.fixture(scope="module")
def runs() -> Runs:
    """Verdicts by cloud and check, or a cloud's error, so that each cloud is asked once."""
    return {}


@pytest.mark.parametrize("check", [check.id for check in ALL])
def test_check(imagedetail: Harness, imagedetail_cloud: Cloud, runs: Runs, check: str) -> None:
    """Fail, skip or xfail by the verdict; live in every record mode except none."""
    name = imagedetail_cloud.name
    if name not in runs:
        rules = read_rules(imagedetail.settings)
        try:
            verdicts = apply_rules(run(_cloud(imagedetail, name), ALL), rules)
            runs[name] = {verdict.check.id: verdict for verdict in verdicts}
        except ImageDetailError as error:
            runs[name] = error
    imagedetail.result.used.update(imagedetail.store.paths(name))
    result = runs[name]
    if isinstance(result, ImageDetailError):
        raise result
    verdict = result[check]
    match verdict.verdict:
        case "fail":
            pytest.fail("\n".join(text.detail(verdict)), pytrace=False)
        case "known-deviation":
            pytest.xfail("; ".join(dict.fromkeys(cause.accepted for cause in verdict.causes)))
        case "vacuous" | "inconclusive":
            pytest.skip(f"{verdict.verdict}: {verdict.reason}")


def _cloud(harness: Harness, name: str) -> asking.Cloud:
    if harness.access(name) is not None:
        return sources.live(harness.live_cloud(name, adds=False))
    declared = harness.settings.declaration(name).release
    return sources.recorded(harness.store, name, declared=declared)
