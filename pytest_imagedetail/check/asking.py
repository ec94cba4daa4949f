"""Ask a cloud for images. Each request is made once."""

import json
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pytest_imagedetail.body import xml
from pytest_imagedetail.body.json import objects_in
from pytest_imagedetail.contract import release_index, release_names, releases_of
from pytest_imagedetail.errors import BodyError
from pytest_imagedetail.listing import read_document
from pytest_imagedetail.model import LISTING_STATUSES, NO_RESPONSE, Headers, Image, Interaction
from pytest_imagedetail.normalize.answer import JSON
from pytest_imagedetail.record.retry import NOT_ANSWERED
from pytest_imagedetail.redact import Known, redact
from pytest_imagedetail.transport.request import api_version

Send = Callable[[Interaction], Interaction | str]
"""Answer a request, or return why it was not sent."""

BUDGET: Final = 200
PROPERTY: Final = "property-"
OUTAGES: Final = NOT_ANSWERED - {401}  # a cloud may refuse a single request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one request; `missing` says why there is none, for example an outage."""

    url: str
    address: str  # as in evidence: below the endpoint, or without the host
    headers: Mapping[str, str]
    status: int = 0  # 0 if the request was not sent
    is_xml: bool = False
    document: Mapping[str, Any] = field(default_factory=dict)  # empty if the body is not an object
    missing: str = ""

    @property
    def request(self) -> str:
        """The request in words, not redacted."""
        headers = (f"[{name}: {text}]" for name, text in self.headers.items())
        return " ".join(["GET", self.address, *headers])

    def question(self, root: str, fixed: Container[str]) -> str:
        """Return the request without ids and `root`, and with the values of `fixed` parameters."""
        path, _, query = self.address.removeprefix(root).partition("?")
        before, images, image = path.rpartition("/images/")
        if images and image != "detail":
            path = f"{before}/images/{{id}}"
        pairs = []
        for name, text in parse_qsl(query, keep_blank_values=True):
            # The names of properties depend on the cloud, too.
            label = f"{PROPERTY}*" if name.startswith(PROPERTY) else name
            pairs.append(f"{label}={text if name in fixed else ''}")
        return replace(self, address="?".join(filter(None, [path, "&".join(pairs)]))).request

    @property
    def is_listing(self) -> bool:
        """Whether this is a listing."""
        images = self.document.get("images")
        return (
            self.status in LISTING_STATUSES
            and isinstance(images, list)
            and all(isinstance(e, dict) and isinstance(e.get("id"), str | int) for e in images)
        )

    @property
    def images(self) -> list[Image]:
        """The listed images; empty if this is not a listing."""
        return self.document["images"] if self.is_listing else []

    @property
    def next_page(self) -> str | None:
        """The address of the next page."""
        return hrefs(self.document, "images_links").get("next")


def hrefs(holder: Any, name: str = "links") -> dict[str, str]:
    """Return the addresses of the links of an image, a server or a listing, by relation."""
    links = objects_in(holder, name)
    return {str(link.get("rel")): str(link.get("href")) for link in links}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A cloud to check; `known` is what evidence must not show."""

    name: str
    endpoint: str
    project: str
    release: str | None = None
    max_microversion: str | None = None
    glance: str | None = None  # the URL of the image service, without version
    known: Known = field(default_factory=Known, repr=False)

    @property
    def releases(self) -> range:
        """The releases that it may be, as indexes of `contract`."""
        index, every = release_index(self.release), range(len(release_names()))
        if index is not None:
            return every[index : index + 1]
        possible = releases_of(self.max_microversion)
        return every if possible is None else possible or every[-1:]

    @property
    def version(self) -> str | None:
        """The version in the path of the endpoint, for example "v2.1"."""
        return api_version(self.endpoint)

    @property
    def root(self) -> str:
        """The endpoint without version and project."""
        return self.endpoint.partition(f"/{self.version}")[0]

    def redact(self, value: Any) -> Any:
        """Redact a text or JSON value as in a recording."""
        response = replace(NO_RESPONSE, body=json.dumps({"value": value}).encode())
        page = Interaction(url=self.endpoint, response=response)
        (page,) = redact([page], cloud=self.name, known=self.known).interactions
        return json.loads(page.response.body)["value"]

    def curl(self, answer: Answer) -> str:
        """Return a command that repeats a request; the token stays a variable."""
        headers = {"X-Auth-Token": "$OS_TOKEN", **answer.headers}
        words = ["curl -i", *(f'-H "{name}: {value}"' for name, value in headers.items())]
        variables = {self.endpoint: "$OS_COMPUTE_URL"}
        variables |= {self.glance: "$OS_IMAGE_URL"} if self.glance else {}
        variables |= {self.root: "${OS_COMPUTE_URL%%/v*}"}
        base = next((base for base in variables if answer.url.startswith(base)), "")
        parts = answer.url.removeprefix(base).split(f"/{self.project}/")
        path = "/$OS_PROJECT_ID/".join(map(self.redact, parts))
        return " ".join([*words, f'"{variables.get(base, "")}{path}"'])


class Cloud:
    """Send each request to a target once and keep the interactions in `received`.

    `trace` has the requests needed since it was last cleared, sent or not, as in `Answer.request`.
    """

    def __init__(self, target: Target, send: Send, *, budget: int = BUDGET) -> None:
        self.target: Final = target
        self.send: Final = send
        self.budget: Final = budget
        self.received: Final[list[Interaction]] = []
        self.trace: Final[dict[str, None]] = {}
        self._answers: Final[dict[object, Answer]] = {}

    def listing(
        self,
        filters: Mapping[str, object] | None = None,
        *,
        path: str = "/images/detail",
        **options: Any,
    ) -> Answer:
        """List images through `get`; without a limit, fetch all pages."""
        parameters = dict(filters or {})
        first = page = self.get(path + _query(parameters), **options)
        if "limit" in parameters or page.next_page is None:
            return first
        images = [*page.images]
        markers = set()
        while page.next_page is not None and page.images:
            marker = images[-1]["id"]
            if marker in markers:
                break  # the cloud ignores the marker and repeats a page
            markers.add(marker)
            page = self.get(path + _query(parameters | {"marker": marker}), **options)
            if not page.is_listing:
                return page
            images += page.images
        return replace(first, document={"images": images})

    def get(
        self,
        path: str,
        *,
        base: str | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Answer:
        """Send a GET below the endpoint or `base`, or return the answer that it had before."""
        url = (self.target.endpoint if base is None else base) + path
        address = path if base is None else urlunsplit(("", "", *urlsplit(url)[2:]))
        answer = Answer(url=url, address=address, headers=headers or {})
        self.trace[answer.request] = None
        key = (url, *answer.headers.items(), again)
        if key not in self._answers:
            # Keep one request for the final listing of all images.
            if len(self.received) + (not again) < self.budget:
                self._answers[key] = self._receive(answer)
            else:
                missing = f"the budget of {self.budget} requests is used up: raise --budget"
                self._answers[key] = replace(answer, missing=missing)
        return self._answers[key]

    def _receive(self, answer: Answer) -> Answer:
        fields = Headers(({"Accept": JSON} | {**answer.headers}).items())
        interaction = Interaction(url=answer.url, request_headers=fields, response=NO_RESPONSE)
        received = self.send(interaction)
        if isinstance(received, str):
            return replace(answer, missing=received)
        self.received.append(received)
        status, body = received.response.status_code, received.response.body
        try:
            document = read_document(body, where="")
        except BodyError:
            document = None
        outage = f"{answer.request} was answered {status}: try again later"
        return replace(
            answer,
            status=status,
            is_xml=xml.is_xml(body),
            document=document if isinstance(document, dict) else {},
            missing=outage if status in OUTAGES else "",
        )


def _query(filters: Mapping[str, object]) -> str:
    pairs = [(name, str(value)) for name, value in filters.items() if value is not None]
    return f"?{urlencode(pairs, quote_via=quote, errors='surrogatepass')}" if pairs else ""
