"""The part of Keystone v3 that a client needs for a token and a service catalog."""

import json
import secrets
from dataclasses import dataclass, field

from tests.cloud.releases import Release
from tests.cloud.wsgi import FaultError, as_json, unauthorized

PREFIX = "/v3"
REGION = "RegionOne"
GLANCE = "http://glance.internal:9292"
_DOMAIN = {"id": "default", "name": "Default"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user of a cloud; its secrets are random, so that a test can recognize them."""

    username: str = "demo"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    project_name: str = "demo"
    project_id: str = "5eedc0de" * 4  # ids stay the same after an upgrade
    user_id: str = "0ddba115" * 4
    token: str = field(default_factory=lambda: "gAAAAAB" + secrets.token_urlsafe(132))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Keystone of one cloud."""

    account: Account
    release: Release

    def respond(self, request):
        path = request.path.rstrip("/")
        if path == PREFIX and request.method == "GET":
            return as_json(200, {"version": _version(request.origin)})
        if path == f"{PREFIX}/auth/tokens" and request.method == "POST":
            return self._issue(request)
        return FaultError(404).response

    def _issue(self, request):
        user = json.loads(request.body)["auth"]["identity"]["password"]["user"]
        if user["password"] != self.account.password:
            return unauthorized(request.origin + PREFIX)
        response = as_json(201, {"token": self._token(request.origin)})
        token = ("X-Subject-Token", self.account.token)
        return response.with_headers(token, ("Vary", "X-Auth-Token"))

    def _token(self, origin):
        account = self.account
        return {
            "methods": ["password"],
            "user": {"domain": _DOMAIN, "id": account.user_id, "name": account.username},
            "expires_at": "2999-01-01T00:00:00.000000Z",
            "project": {"domain": _DOMAIN, "id": account.project_id, "name": account.project_name},
            "catalog": self._catalog(origin),
        }

    def _catalog(self, origin):
        project = self.account.project_id
        services = [
            ("identity", "keystone", origin + PREFIX),
            ("image", "glance", GLANCE),
            ("compute", "nova", origin + self.release.endpoint(project)),
            ("compute_legacy", "nova_legacy", f"{origin}/v2/{project}"),
        ]
        return [_service(*each) for each in services]


def _service(kind, name, url):
    endpoints = [
        {"interface": each, "region_id": REGION, "region": REGION, "url": url}
        for each in ("public", "internal", "admin")
    ]
    return {"endpoints": endpoints, "type": kind, "name": name}


def _version(origin):
    kind = "application/vnd.openstack.identity-v3+json"
    return {
        "id": "v3.14",
        "status": "stable",
        "links": [{"rel": "self", "href": f"{origin}{PREFIX}/"}],
        "media-types": [{"base": "application/json", "type": kind}],
    }
