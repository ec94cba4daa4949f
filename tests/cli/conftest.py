"""The command in this process, in a folder of its own."""

import signal
from types import SimpleNamespace

import pytest

from pytest_imagedetail.cli import main


@pytest.fixture
def imagedetail(tmp_path, monkeypatch, capsys):
    """Run the command; return its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OS_CLOUD", raising=False)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))

    def listens(_signals):
        pytest.fail("`serve` listens, and would wait for a signal forever")

    monkeypatch.setattr(signal, "sigwait", listens)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda *_: None)  # it would outlive the test

    def run(*arguments):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
        streams = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=streams.out, stderr=streams.err)

    return run
