"""`pytest --imagedetail-record-mode=rewrite` during outages: red tests, older recordings kept."""

from contextlib import ExitStack

import pytest

pytest.importorskip("openstack", reason="recording needs the extra `record`")

from outages.faults import FAULTS
from outages.server import FaultyServer, say, show
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.model import Query
from pytest_imagedetail.record import clouds, recorder

TIMEOUT = 1  # seconds, for one read, and for Keystone
SHORT_DEADLINE = """
    from pytest_imagedetail.transport import http as transport

    transport._WHOLE_ANSWER = 1.2
"""
OUTAGES = list(FAULTS.values())
TEST = """
    def test_listing(imagedetail_cloud):
        imagedetail_cloud.list()
"""


@pytest.fixture
def servers(cloud, pytester, monkeypatch):
    """A project with a cloud for each kind of outage, all recorded before it."""
    with ExitStack() as stack:
        servers = {
            f"cloud-{number}": stack.enter_context(FaultyServer(cloud))
            for number in range(len(OUTAGES) + 1)
        }
        entries = [
            server.clouds_yaml(name, api_timeout=TIMEOUT).removeprefix("clouds:\n")
            for name, server in servers.items()
        ]
        clouds_yaml = pytester.path / "clouds.yaml"
        clouds_yaml.write_text("clouds:\n" + "".join(entries))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
        pytester.makefile(
            ".yaml", imagedetail="clouds:\n" + "".join(f"  {n}: {{}}\n" for n in servers)
        )
        pytester.makeconftest(SHORT_DEADLINE)
        pytester.makepyfile(TEST)
        store = Store(directory=pytester.path / "cassettes")
        for name, server in servers.items():
            server.plan(show("old 1", next_="m1"), show("old 2"))
            live = recorder.LiveCloud(access=clouds.connect(name), name=name)
            recorder.keep(store, recorder.ask(live, Query()))
        yield servers


def test_outages(servers, pytester, files):
    """Every test is red and says why; no secret is shown, not even in a traceback."""
    folder = pytester.path / "cassettes"
    before = files(folder)
    *faulty, healthy = servers
    for name, fault in zip(faulty, OUTAGES, strict=True):
        servers[name].plan(*fault.acts)
    servers[healthy].plan(say(503, b"", b"Retry-After: 0"), show("new"))
    result = pytester.runpytest_subprocess("--imagedetail-record-mode=rewrite", "-Werror")
    assert result.ret == 1
    result.assert_outcomes(failed=len(OUTAGES), passed=1)
    output = result.stdout.str() + result.stderr.str()
    for name, fault in zip(faulty, OUTAGES, strict=True):
        assert f"Error: {fault.begins(TIMEOUT, 1.2 * TIMEOUT)}" in output, fault
        assert "\n".join(f"E       {line}" for line in fault.goes_on(name)) in output
        assert len(servers[name].asked) == len(fault.acts)
    shown = {secret for server in servers.values() for secret in server.secrets if secret in output}
    assert not shown
    after = files(folder)
    assert after.keys() == before.keys()
    changed = [path.parent.name for path in after if after[path] != before[path]]
    assert changed == [healthy]
