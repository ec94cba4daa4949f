"""Interactions of Ruby's VCR, in YAML or JSON, and of betamax, which took its format."""

from typing import Any, Final

from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.scrub import bodies, fields

KEY: Final = "http_interactions"


def interaction(document: dict[Any, Any]) -> Interaction:
    """One element of `http_interactions`.

    Raises:
        UnsoundError: It is not of their shape.
    """
    request, response = fields.mapping(document, "request"), fields.mapping(document, "response")
    status = fields.mapping(response, "status")
    sent, received = fields.headers(request.get("headers")), fields.headers(response.get("headers"))
    return Interaction(
        method=fields.method(request),
        url=fields.url(request, "uri"),
        request_headers=bodies.without_encoding(sent),
        request_body=bodies.decoded(bodies.kept(request.get("body")), sent),
        response=Response(
            status_code=fields.status_code(status.get("code")),
            reason=fields.reason(status.get("message")),
            headers=bodies.without_encoding(received),
            body=bodies.decoded(bodies.kept(response.get("body")), received),
        ),
    )
