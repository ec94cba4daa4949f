"""Keystone v3, as much as a client needs to come to a token and a service catalog."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from pytest_imagedetail.embedded.behavior import Behavior
from pytest_imagedetail.embedded.faults import keystone_unauthorized, not_routed_response
from pytest_imagedetail.embedded.wire import Request, Response, json_response

PREFIX = "/v3"
REGION = "RegionOne"

_DOMAIN = {"id": "default", "name": "Default"}
_LIFETIME = timedelta(hours=24)


def _hex_id() -> str:
    return uuid4().hex


def _fernet_like() -> str:
    """Looks like a Fernet token to whoever searches for leaked ones; encrypts nothing."""
    return "gAAAAAB" + secrets.token_urlsafe(132)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The one user of a cloud and what proves it; ids and secrets are random for each cloud.

    Attributes:
        username: User name in the domain Default.
        password: Password.
        project_name: Project name in the domain Default.
        project_id: 32 hexadecimal digits.
        user_id: 32 hexadecimal digits.
        token: What Keystone issues and Nova accepts as long as the cloud lives.
    """

    username: str = "demo"
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    project_name: str = "demo"
    project_id: str = field(default_factory=_hex_id)
    user_id: str = field(default_factory=_hex_id)
    token: str = field(default_factory=_fernet_like)

    def accepts(self, token: str) -> bool:
        """Whether a request with this token is this user's."""
        return secrets.compare_digest(token.encode(), self.token.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Answers the paths below /v3."""

    account: Account
    behavior: Behavior

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        path = request.path.rstrip("/")
        if path == PREFIX and request.method == "GET":
            return json_response(200, {"version": _version(request.origin)})
        if path == f"{PREFIX}/auth/tokens" and request.method == "POST":
            return self._issue(request)
        return not_routed_response(request.header("accept"))

    def _issue(self, request: Request) -> Response:
        try:
            asked = json.loads(request.body)["auth"]
            known = self._knows(asked)
        except (ValueError, KeyError, TypeError):
            message = "Expecting to find auth with identity, methods and password in the body."
            document = {"error": {"code": 400, "title": "Bad Request", "message": message}}
            return json_response(400, document)
        if not known:
            return keystone_unauthorized(request.origin + PREFIX)
        response = json_response(201, {"token": self._token(request.origin)})
        return response.with_headers(
            [("X-Subject-Token", self.account.token), ("Vary", "X-Auth-Token")]
        )

    def _knows(self, asked: Any) -> bool:
        """Whether user, password and project are the account's; the scope may be left out."""
        if "password" not in asked["identity"]["methods"]:
            return False
        user = asked["identity"]["password"]["user"]
        project = asked.get("scope", {}).get("project", {})
        return (
            self._is(user, self.account.user_id, self.account.username)
            and secrets.compare_digest(
                str(user["password"]).encode(), self.account.password.encode()
            )
            and (
                not project or self._is(project, self.account.project_id, self.account.project_name)
            )
        )

    @staticmethod
    def _is(named: Any, identifier: str, name: str) -> bool:
        if "id" in named:
            return bool(named["id"] == identifier)
        domain = named["domain"]
        in_domain = domain.get("id") == _DOMAIN["id"] or domain.get("name") == _DOMAIN["name"]
        return in_domain and bool(named["name"] == name)

    def _token(self, origin: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "methods": ["password"],
            "user": {
                "domain": _DOMAIN,
                "id": self.account.user_id,
                "name": self.account.username,
                "password_expires_at": None,
            },
            "audit_ids": [secrets.token_urlsafe(16)],
            "expires_at": _date(now + _LIFETIME),
            "issued_at": _date(now),
            "project": {
                "domain": _DOMAIN,
                "id": self.account.project_id,
                "name": self.account.project_name,
            },
            "is_domain": False,
            "roles": [{"id": _hex_id(), "name": "member"}],
            "catalog": self._catalog(origin),
        }

    def _catalog(self, origin: str) -> list[dict[str, Any]]:
        """The service catalog; compute_legacy only beside a compute without a project."""
        services = [
            ("identity", "keystone", origin + PREFIX),
            ("image", "glance", self.behavior.image_origin),
            ("compute", "nova", origin + compute_path(self.behavior, self.account)),
        ]
        if "v2.1" in self.behavior.versions:
            url = f"{origin}/v2/{self.account.project_id}"
            services.append(("compute_legacy", "nova_legacy", url))
        return [_service(kind, name, url) for kind, name, url in services]


def compute_path(behavior: Behavior, account: Account) -> str:
    """Path of the compute endpoint, as the catalog has it."""
    return behavior.endpoint.format(project=account.project_id)


def _service(kind: str, name: str, url: str) -> dict[str, Any]:
    endpoints = [
        {
            "id": _hex_id(),
            "interface": interface,
            "region_id": REGION,
            "url": url,
            "region": REGION,
        }
        for interface in ("public", "internal", "admin")
    ]
    return {"endpoints": endpoints, "id": _hex_id(), "type": kind, "name": name}


def _version(origin: str) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{origin}{PREFIX}/"}],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.identity-v3+json",
            }
        ],
    }


def _date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
