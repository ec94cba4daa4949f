"""Refusals: the error that carries one, and the bodies each release gives it."""

import html
import json

from pytest_imagedetail.embedded.behavior import Behavior, ImageApi, Unauthorized
from pytest_imagedetail.embedded.wire import Response, json_response, text_response

_FAULT_NAMES = {400: "badRequest", 403: "forbidden", 404: "itemNotFound"}
_GLANCE_TITLES = {400: "400 Bad Request", 403: "403 Forbidden"}

_NOT_ROUTED = "The resource could not be found."


class FaultError(Exception):
    """A request that Nova refuses; becomes `{"badRequest": {"code": 400, "message": ...}}`.

    Attributes:
        status: HTTP status, also the `code` in the body.
        message: Text for the person who asked.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def glance_fault(status: int, message: str, behavior: Behavior) -> FaultError:
    """A refusal by Glance, as it comes out of Nova.

    Glance sends it as an HTML page, glanceclient strips the tags and joins what is left, and
    nobody unescapes the entities: they end up inside Nova's JSON.

    Args:
        status: HTTP status of Glance, which Nova repeats.
        message: Glance's own words.
        behavior: Decides where glanceclient puts the code.
    """
    escaped = html.escape(message).encode("ascii", "xmlcharrefreplace").decode("ascii")
    details = f"{_GLANCE_TITLES[status]}: {escaped}"
    if behavior.image_api is ImageApi.V1:
        return FaultError(status, f"{details} (HTTP {status})")
    return FaultError(status, f"HTTP {details}")


def unexpected_fault(error: Exception, behavior: Behavior) -> FaultError:
    """An exception that Nova did not expect: a 500 that names only its type."""
    return FaultError(500, behavior.unexpected_error.format(type=type(error)))


def fault_response(fault: FaultError) -> Response:
    """Nova's body for a refusal; a status without a name of its own is a computeFault."""
    name = _FAULT_NAMES.get(fault.status, "computeFault")
    document = {name: {"code": fault.status, "message": fault.message}}
    return json_response(fault.status, document, charset="UTF-8")


def unauthorized_response(auth_url: str, behavior: Behavior) -> Response:
    """The 401 of the middleware in front of Nova, in the shape of its time.

    Args:
        auth_url: Where to get a token, for WWW-Authenticate.
        behavior: Decides text or JSON.
    """
    if behavior.unauthorized is Unauthorized.PLAIN:
        response = text_response(401, "Authentication required", "text/plain")
        return response.with_headers([("WWW-Authenticate", f"Keystone uri='{auth_url}'")])
    return keystone_unauthorized(auth_url)


def keystone_unauthorized(auth_url: str) -> Response:
    """The 401 of Keystone, which keystonemiddleware repeats."""
    message = "The request you have made requires authentication."
    document = {"error": {"code": 401, "title": "Unauthorized", "message": message}}
    response = json_response(401, document)
    return response.with_headers([("WWW-Authenticate", f'Keystone uri="{auth_url}"')])


def not_routed_response(accept: str) -> Response:
    """The 404 for a path that no route knows: WebOb's, not Nova's, hence a page by default.

    Args:
        accept: The Accept header; JSON is sent only to who asks for it and not for HTML.
    """
    if "application/json" in accept and "text/html" not in accept and "*/*" not in accept:
        body = f"{_NOT_ROUTED}<br /><br />\n\n\n"
        document = {"message": body, "code": "404 Not Found", "title": "Not Found"}
        return text_response(404, json.dumps(document), "application/json; charset=UTF-8")
    page = (
        "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
        f"  <h1>404 Not Found</h1>\n  {_NOT_ROUTED}<br /><br />\n\n\n\n </body>\n</html>"
    )
    return text_response(404, page, "text/html; charset=UTF-8")
