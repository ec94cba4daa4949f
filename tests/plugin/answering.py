"""A server on loopback for a test's own clients; the path of a request says how it is answered."""

import gzip
import json
from contextlib import contextmanager

from tests.cloud import LoopbackServer

BODY = json.dumps({"images": [{"id": str(n), "name": "übuntu"} for n in range(40)]}).encode()
INTERIM = ("103 Early Hints", "102 Processing", "100 Continue", "103 Early Hints")
OWNERS = {"a1" * 16: "ann", "b2" * 16: "bob"}


class Answering:
    """A WSGI application that knows what it was asked; with `early`, it sends interim responses."""

    def __init__(self):
        self.asked, self.early, self.url = [], False, ""

    def __call__(self, environ, start_response):
        """Answer with a document or a long listing, and a login with a token."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        target = f"{path}?{environ['QUERY_STRING']}".rstrip("?")
        headers = [("Content-Type", "application/json")]
        if "/redirect/" in path:
            start_response(f"{path[-3:]} Redirect", [("Location", "/v2.1/file")])
            return []
        if method == "GET":
            self.asked.append(f"GET {target}")
            if self.early:
                for status in INTERIM:
                    start_response(status, [("Link", "</a.css>; rel=preload")])
            document = self._document(target)
        else:
            sent = environ["wsgi.input"].read()
            kind = environ.get("HTTP_CONTENT_TYPE", "").partition(";")[0]
            document = {"kind": kind, "bytes": len(sent)}
        if path == "/v3/auth/tokens":
            user = json.loads(sent)["auth"]["identity"]["password"]["user"]
            document = {"token": {"user": user, "methods": ["password"]}}
            headers.append(("X-Subject-Token", f"token-of-{user['id']}"))
        body = BODY if document is None else json.dumps(document).encode()
        if document is None and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""):
            body = gzip.compress(BODY)
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def _document(self, target):
        _, _, what, *rest = target.split("/")
        if what == "n":
            return {"n": self.asked.count(f"GET {target}")}
        if what == "same":
            return {what: rest}
        if what == "owners":
            return {"images": [{"owner": each} for each in OWNERS]}
        if what == "owner":
            return {"owner": rest[0], "name": OWNERS.get(rest[0])}
        return None


@contextmanager
def answering():
    application = Answering()
    server = LoopbackServer(application)
    application.url = f"http://127.0.0.1:{server.port}/v2.1"
    try:
        yield application
    finally:
        server.close()
