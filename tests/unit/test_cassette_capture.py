"""What vcrpy catches, as values; nothing reaches the disk and no log shows an address."""

import logging
import urllib.request

from pytest_imagedetail.cassette.capture import intercept
from pytest_imagedetail.model import Headers
from pytest_imagedetail.transport import http as transport
from tests.cloud import SimulatedCloud, authenticate


class Recorder:
    """An exchange that has no answers and keeps what it gets."""

    closed = False

    def __init__(self):
        self.interactions = []

    def can_answer(self, asked):  # noqa: ARG002  as an exchange is asked
        return False

    def record(self, interaction):
        self.interactions.append(interaction)


def test_traffic_goes_to_the_exchange_alone(tmp_path, monkeypatch, caplog):
    """To no file and no log; the recorder's own requests pass by, and are not counted as lost."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    recorder = Recorder()
    with SimulatedCloud(release="2026.2") as cloud:
        access = authenticate(cloud)
        url = f"{cloud.compute_url}/?a=secret-project"
        with intercept(recorder) as wire:
            urllib.request.urlopen(url).read()
            own = transport.get(cloud.compute_url, Headers(), access=access, name="a")
    assert own.response.status_code == 200
    assert ([each.url for each in recorder.interactions], wire.lost) == ([url], 0)
    assert list(tmp_path.iterdir()) == []
    assert "secret-project" not in caplog.text
