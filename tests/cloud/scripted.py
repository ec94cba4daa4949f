"""A simulated cloud that counts requests for images and can answer them from a script."""

import json
import threading

from tests.cloud import SimulatedCloud

LONGEST = 60  # seconds before a stuck test ends


class ScriptedCloud(SimulatedCloud):
    """Answers requests for images from a script first, then normally.

    The script has a function for each request, or None. Its arguments are the cloud and those of a
    WSGI application. `asked` is path and query of every request for images.
    """

    def __init__(self, release="2026.2", **more):
        super().__init__(release, **more)
        self.script, self.asked, self.logins = [], [], 0
        self.arrived, self.over = threading.Event(), threading.Event()
        self.answer = super().serve

    def __exit__(self, *more):
        self.over.set()
        super().__exit__(*more)

    def plan(self, *acts):
        """Set the script, and forget earlier requests."""
        self.script[:] = acts
        self.asked.clear()
        self.logins = 0
        self.arrived.clear()

    @property
    def secrets(self):
        account = self.account
        return (f":{self.port}", "127.0.0.1", account.token, account.password, account.project_id)

    def serve(self, environ, start_response):
        path = environ["PATH_INFO"]
        if "/images" not in path:
            self.logins += environ["REQUEST_METHOD"] == "POST"
            return self.answer(environ, start_response)
        self.asked.append(f"{path}?{environ['QUERY_STRING']}".rstrip("?"))
        act = self.script.pop(0) if self.script else None
        self.arrived.set()
        return act(self, environ, start_response) if act else self.answer(environ, start_response)


def say(status, body=b"", *headers):
    def act(cloud, environ, start_response):
        length = ("Content-Length", str(len(body)))
        start_response(f"{status} Outage", [("Content-Type", "application/json"), length, *headers])
        return [body]

    return act


def show(*names, next_=None):
    def act(cloud, environ, start_response):
        images = [
            {"id": f"70a599e0-31e7-49b7-b260-{number:012}", "name": name, "status": "ACTIVE"}
            for number, name in enumerate(names, start=1)
        ]
        href = f"{cloud.compute_url}/images/detail?marker={next_}"
        links = {"images_links": [{"rel": "next", "href": href}]} if next_ else {}
        body = json.dumps({"images": images, **links}).encode()
        return say(200, body)(cloud, environ, start_response)

    return act


def change(edit):
    """Answer normally, but let a function change the document."""

    def act(cloud, environ, start_response):
        kept = {}
        body = b"".join(cloud.answer(environ, lambda *answered: kept.update(head=answered)))
        document = json.loads(body)
        edit(document)
        new = json.dumps(document).encode()
        status, headers = kept["head"]
        headers = [(k, str(len(new)) if k == "Content-Length" else v) for k, v in headers]
        start_response(status, headers)
        return [new]

    return act


def hang(cloud, environ, start_response):
    """Do not answer until the test is over."""
    cloud.over.wait(LONGEST)
    return say(500)(cloud, environ, start_response)
