"""The cloud as one WSGI application (PEP 3333): Keystone below /v3, Nova everywhere else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pytest_imagedetail.embedded.compute import Compute
from pytest_imagedetail.embedded.identity import PREFIX, Identity
from pytest_imagedetail.embedded.wire import read_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Hands each request to the service it is for; keeps nothing between requests."""

    identity: Identity
    compute: Compute

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = read_request(environ)
        mine = request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
        service = self.identity if mine else self.compute
        response = service.respond(request)
        length = ("Content-Length", str(len(response.body)))
        start_response(response.status_line, [*response.headers, length])
        return [response.body]
