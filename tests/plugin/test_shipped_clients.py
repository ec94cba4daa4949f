"""Client libraries replay nine real Novas with one marker line and nothing recorded."""

from pathlib import Path

import pytest

CLIENTS = Path(__file__).with_name("shipped_clients.py")


def test_every_client_gets_every_release(pytester):
    """apache-libcloud, novaclient, openstacksdk, keystoneauth1, requests, httpx and others."""
    for library in ("openstack", "novaclient", "libcloud"):
        pytest.importorskip(library, reason="a client of the group `test`")
    pytester.makepyfile(test_clients=CLIENTS.read_text(encoding="utf-8"))
    clients = CLIENTS.read_text(encoding="utf-8").count("\ndef test_")
    result = pytester.runpytest_subprocess("-p", "no:recording", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=clients * 9, warnings=None)
    assert not (pytester.path / "cassettes").exists()
