"""Interactions of vcrpy and pytest-recording, in YAML or JSON, of all its versions since 1."""

from typing import Any, Final

from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.scrub import bodies, fields

KEY: Final = "interactions"


def interaction(document: dict[Any, Any]) -> Interaction:
    """One element of `interactions`.

    Raises:
        UnsoundError: It is not of vcrpy's shape.
    """
    request, response = fields.mapping(document, "request"), fields.mapping(document, "response")
    sent, received = fields.headers(request.get("headers")), fields.headers(response.get("headers"))
    return Interaction(
        method=fields.method(request),
        url=fields.url(request, "uri"),
        request_headers=bodies.without_encoding(sent),
        request_body=bodies.decoded(bodies.kept(request.get("body")), sent),
        response=Response(
            **_status(response),
            headers=bodies.without_encoding(received),
            body=bodies.decoded(_body(response), received),
        ),
    )


def _status(response: dict[Any, Any]) -> dict[str, Any]:
    """Under `status`, or as the stub for httpx wrote it before vcrpy 6."""
    if "status_code" in response:
        return {"status_code": fields.status_code(response["status_code"])}
    status = fields.mapping(response, "status")
    return {
        "status_code": fields.status_code(status.get("code")),
        "reason": fields.reason(status.get("message")),
    }


def _body(response: dict[Any, Any]) -> bytes:
    return bodies.kept(response["content"] if "content" in response else response.get("body"))
