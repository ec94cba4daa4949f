"""`pytest --imagedetail-record-mode=rewrite` in bad weather: red tests, older recordings kept."""

from contextlib import ExitStack

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from outages.faults import FAULTS
from outages.sky import Sky, say, show
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder

TIMEOUT = 1  # seconds, for one read, and for Keystone
IMPATIENT = """
    from pytest_imagedetail.transport import http as transport

    transport._WHOLE_ANSWER = 1.2
"""
TWINS = {"silent in the body", "dripping head"}  # another second each; the command meets them
STORMS = [fault for name, fault in FAULTS.items() if name not in TWINS]
TEST = """
    def test_listing(imagedetail_cloud):
        imagedetail_cloud.list()
"""


@pytest.fixture
def skies(cloud, pytester, monkeypatch):
    """A project with a cloud under each kind of weather, all recorded while it was good."""
    with ExitStack() as stack:
        skies = {
            f"sky-{number}": stack.enter_context(Sky(cloud)) for number in range(len(STORMS) + 1)
        }
        entries = [
            sky.clouds_yaml(name, api_timeout=TIMEOUT).removeprefix("clouds:\n")
            for name, sky in skies.items()
        ]
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text("clouds:\n" + "".join(entries))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(
            ".yaml", imagedetail="clouds:\n" + "".join(f"  {n}: {{}}\n" for n in skies)
        )
        pytester.makeconftest(IMPATIENT)
        pytester.makepyfile(TEST)
        store = Store(directory=pytester.path / "cassettes")
        for name, sky in skies.items():
            sky.forecast(show("old 1", next_="m1"), show("old 2"))
            recorder.keep(store, recorder.ask(clouds.connect(name), Query(), cloud=name))
        yield skies


def test_bad_weather(skies, pytester, files):
    """Every test is red and says why; no secret is shown, not even in a traceback."""
    folder = pytester.path / "cassettes"
    before = files(folder)
    *stormy, sunny = skies
    for name, fault in zip(stormy, STORMS, strict=True):
        skies[name].forecast(*fault.acts)
    skies[sunny].forecast(say(503, b"", b"Retry-After: 0"), show("new"))
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=rewrite", "-Werror")
    assert result.ret == 1
    result.assert_outcomes(failed=len(STORMS), passed=1)
    output = result.stdout.str() + result.stderr.str()
    for name, fault in zip(stormy, STORMS, strict=True):
        assert f"Error: {fault.begins(TIMEOUT, 1.2 * TIMEOUT)}" in output, fault
        assert "\n".join(f"E       {line}" for line in fault.goes_on(name)) in output
        assert len(skies[name].asked) == len(fault.acts)
    shown = {secret for sky in skies.values() for secret in sky.secrets if secret in output}
    assert not shown
    after = files(folder)
    assert after.keys() == before.keys()
    changed = [path.parent.name for path in after if after[path] != before[path]]
    assert changed == [sunny]
