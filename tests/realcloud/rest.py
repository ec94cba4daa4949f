"""A client for the REST APIs of the services."""

import requests

from .cloud import RealcloudError

TIMEOUT = 60.0


class Rest:
    """A client of one service, with one token."""

    def __init__(self, url, token=None):
        self._url = url
        self._session = requests.Session()
        # Use no proxy and no ~/.netrc.
        self._session.trust_env = False
        if token is not None:
            self._session.headers["X-Auth-Token"] = token

    def call(self, method, path, *, json=None, data=None, content_type=None):
        """Send a request; raise RealcloudError if the status is not 2xx."""
        headers = {"Content-Type": content_type} if content_type else {}
        response = self._session.request(
            method, self._url + path, json=json, data=data, headers=headers, timeout=TIMEOUT
        )
        if not response.ok:
            text = f"{method} {response.url}: {response.status_code} {response.text[:500]}"
            raise RealcloudError(text)
        return response

    def create(self, collection, kind, **attributes):
        """Create an object in Keystone; return its id."""
        document = self.call("POST", f"/{collection}", json={kind: attributes}).json()
        return str(document[kind]["id"])
