"""What vcrpy catches, as values; nothing reaches the disk and no log shows an address."""

import http.server
import logging
import threading
import urllib.request
from contextlib import contextmanager

from pytest_imagedetail.cassette.capture import intercept
from pytest_imagedetail.model import Headers
from pytest_imagedetail.transport import http as transport


@contextmanager
def serving():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class Recorder:
    """An exchange that has no answers and keeps what it gets."""

    closed = False

    def __init__(self):
        self.interactions = []

    def can_answer(self, asked):  # noqa: ARG002  as an exchange is asked
        return False

    def record(self, interaction):
        self.interactions.append(interaction)


def test_no_file_and_no_log(tmp_path, monkeypatch, caplog):
    """Unredacted traffic goes nowhere but to the exchange."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.DEBUG)
    recorder = Recorder()
    with serving() as url, intercept(recorder):
        urllib.request.urlopen(f"{url}/secret-project").read()
    assert [each.url for each in recorder.interactions] == [f"{url}/secret-project"]
    assert list(tmp_path.iterdir()) == []
    assert "secret-project" not in caplog.text


def test_the_recorders_own_requests_pass_by():
    """They are neither given to the exchange nor counted as lost."""
    recorder = Recorder()
    with serving() as url, intercept(recorder) as wire:
        access = transport.Access(endpoint=url, token="t0ken", project_id="p")
        sent = transport.get(f"{url}/own", Headers(), access=access, name="a")
    assert (sent.url, sent.response.body) == (f"{url}/own", b"{}")
    assert (recorder.interactions, wire.lost) == ([], 0)
