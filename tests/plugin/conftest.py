"""A project in a temporary folder, and a server that its tests ask."""

import concurrent.futures.process
import shutil
import sys

import aiohttp
import httpx
import openstack
import pytest
import requests
import urllib3
from answering import answering

from pytest_imagedetail.cassette import capture

LOADED = (aiohttp, capture, concurrent.futures.process, httpx, openstack, requests, urllib3)
"""Loaded here, because a run in this process unloads modules that it loads first."""


@pytest.fixture
def project(pytester, recorded):
    """A project with cassettes of nova-essex and nova-2026.2 and their releases declared."""
    shutil.copytree(recorded, pytester.path / "cassettes")
    pytester.makefile(
        ".yaml",
        imagedetail="""
        clouds:
          nova-essex: {release: essex}
          nova-2026.2: {release: "2026.2"}
        baseline: nova-2026.2
        """,
    )
    return pytester


@pytest.fixture
def served():
    with answering() as server:
        yield server


@pytest.fixture
def run(pytester, monkeypatch, served):
    """Run a module in this process, in a record mode, and assert its outcomes if there are any.

    `$URL` is the URL of the server.
    """
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # a module is rewritten within a second

    def run(source, mode="none", *arguments, **outcomes):
        pytester.makepyfile(test_own=source.replace("$URL", served.url))
        plugins = ("-p", "no:randomly", "-p", "no:recording", "-p", "no:cacheprovider")
        mode = f"--imagedetail-record-mode={mode}"
        result = pytester.runpytest_inprocess(*plugins, mode, *arguments)
        if outcomes:
            result.assert_outcomes(**outcomes)
        return result

    return run


@pytest.fixture
def cassettes_of(pytester):
    def found(cloud="staging"):
        folder = pytester.path / "cassettes" / cloud / "tests"
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.yaml")}

    return found
