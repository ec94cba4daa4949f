"""Ask a cloud: the live one, or what was recorded of it. Each request is made once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from pytest_imagedetail.body import json as jsontext
from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.cassette import Store
from pytest_imagedetail.cassette.names import CHECK
from pytest_imagedetail.errors import BodyError, RecordingError, ResponseError
from pytest_imagedetail.model import (
    LISTING_STATUSES,
    Headers,
    Image,
    Interaction,
    Recording,
    Response,
)
from pytest_imagedetail.record.recorder import LiveCloud, known_of, refuse_stale
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.redact import Known, origin, placeholders
from pytest_imagedetail.traffic.keystone import endpoint_of
from pytest_imagedetail.traffic.matching import Key, as_recorded, key_of
from pytest_imagedetail.transport import http as transport
from pytest_imagedetail.transport.request import api_version

Send = Callable[[Interaction], Interaction]
"""Answers a request; raises `NotAskedError` if it cannot."""

BUDGET: Final = 200
_JSON: Final = "application/json"
_OWN: Final = "of a cloud of yours: imagedetail record NAME --suite check"
_TELLING: Final = 8
_NO_ANSWER: Final = Response(status_code=0, body=b"")


class NotAskedError(Exception):
    """A request that was not made; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one request.

    Attributes:
        request: The request in one line, without secrets.
        curl: A command that makes the same request.
        status: The HTTP status.
        is_xml: Whether the body is XML.
        document: The parsed body; None if it is neither JSON nor XML.
    """

    request: str
    curl: str
    status: int
    is_xml: bool = False
    document: Any = field(repr=False)

    @property
    def images(self) -> list[Image] | None:
        """The images of a listing; None if the answer is none."""
        found = self.document.get("images") if isinstance(self.document, dict) else None
        if self.status not in LISTING_STATUSES or not isinstance(found, list):
            return None
        ids = (each.get("id") if isinstance(each, dict) else None for each in found)
        return found if all(isinstance(each, str | int) for each in ids) else None

    @property
    def next_page(self) -> str | None:
        """The address of the next page."""
        links = self.document.get("images_links") if isinstance(self.document, dict) else None
        found = links if isinstance(links, list) else []
        hrefs = (
            each.get("href")
            for each in found
            if isinstance(each, dict) and each.get("rel") == "next"
        )
        return next((str(each) for each in hrefs), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked.

    Attributes:
        name: The cloud.
        endpoint: The compute endpoint.
        project: The project that asks.
        release: The release, if it is known.
        glance: The origin of the image service, if it is known.
        hidden: What evidence must not show, and what it shows instead.
    """

    name: str
    endpoint: str
    project: str
    release: str | None = None
    glance: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def version(self) -> str | None:
        """The version in the path of the endpoint, for example "v2.1"."""
        return api_version(self.endpoint)

    @property
    def root(self) -> str:
        """The endpoint without version and project."""
        return self.endpoint.partition(f"/{self.version}")[0]

    def shown(self, text: str) -> str:
        """Return a text without secrets, and without the host of the endpoint."""
        for secret, word in self.hidden.items():
            for spelled in (secret, quote(secret, safe="")):
                text = text.replace(spelled, word)
        return text


class Cloud:
    """A cloud that is asked; it makes each request once.

    Args:
        target: What is asked.
        send: Answers a request.
        budget: The most requests to make.

    Attributes:
        received: What was asked and answered, in order.
        trace: The requests that were wanted since the list was last cleared.
    """

    def __init__(self, target: Target, send: Send, *, budget: int = BUDGET) -> None:
        self.target: Final = target
        self.send: Final = send
        self.budget: Final = budget
        self.received: Final[list[Interaction]] = []
        self.trace: Final[dict[str, None]] = {}
        self._answers: Final[dict[object, Answer | NotAskedError]] = {}

    def images(self, *, again: bool = False) -> tuple[Image, ...]:
        """Return all images, in the cloud's order.

        Args:
            again: Ask a second time.

        Raises:
            NotAskedError: The listing was not recorded.
            ResponseError: It was answered with an error.
        """
        answer = self.listing(again=again)
        if answer.images is None:
            raise ResponseError(
                f"the listing of all images was answered {answer.status}",
                where=f"cloud {self.target.name}",
                remedy=f"look at the answer: {answer.curl}",
                status_code=answer.status,
            )
        return tuple(answer.images)

    def listing(
        self,
        filters: Mapping[str, object] | None = None,
        *,
        path: str = "/images/detail",
        **how: Any,
    ) -> Answer:
        """Ask for images; without a limit for all of them, should the cloud send them in pages.

        Args:
            filters: Those that are None are left out.
            path: The other listing is `/images`.
            **how: As `get` takes it.
        """
        wanted = dict(filters or {})
        first = page = self.get(path + _query(wanted), **how)
        if "limit" in wanted or page.next_page is None:
            return first
        found = list(page.images or ())
        while page.next_page is not None and page.images:
            page = self.get(path + _query(wanted | {"marker": found[-1]["id"]}), **how)
            if page.images is None:
                return page
            found += page.images
        return replace(first, document={"images": found})

    def get(
        self,
        path: str,
        *,
        base: str | None = None,
        accept: str = _JSON,
        headers: Iterable[tuple[str, str]] = (),
        again: bool = False,
    ) -> Answer:
        """Send a GET, or return its answer if it was sent before.

        Args:
            path: Path and query.
            base: What the path is appended to; the endpoint without it.
            accept: The media type to ask for.
            headers: More headers.
            again: Send it again.

        Raises:
            NotAskedError: It is not recorded, or the budget is used up.
            RecordingError: The live cloud could not be asked.
        """
        url = (self.target.endpoint if base is None else base) + path
        fields = [("Accept", accept), *headers]
        extra = [("Accept", accept)] * (accept != _JSON) + [*headers]
        spelled = path if base is None else urlsplit(url).path
        shown = " ".join(["GET", spelled, *(f"[{key}: {text}]" for key, text in extra)])
        shown = self.target.shown(shown)
        self.trace[shown] = None
        key = (url, *fields, again)
        if key not in self._answers:
            asked = Interaction(url=url, request_headers=Headers(fields), response=_NO_ANSWER)
            try:
                response = self._ask(asked, left=not again)
            except NotAskedError as error:
                self._answers[key] = error
            else:
                self._answers[key] = Answer(
                    request=shown,
                    curl=self._curl(url, extra),
                    status=response.status_code,
                    is_xml=xmltext.is_xml(response.body),
                    document=_document(response.body),
                )
        found = self._answers[key]
        if isinstance(found, NotAskedError):
            raise found
        return found

    def _ask(self, asked: Interaction, *, left: bool) -> Response:
        # One request is left for the listing of all images at the end.
        if len(self.received) + left >= self.budget:
            raise NotAskedError(f"the budget of {self.budget} requests is used up: raise --budget")
        self.received.append(self.send(asked))
        return self.received[-1].response

    def _curl(self, url: str, headers: Sequence[tuple[str, str]]) -> str:
        words = ["curl", "-i", '-H "X-Auth-Token: $OS_TOKEN"']
        words += [f'-H "{name}: {value}"' for name, value in headers]
        if url.startswith(self.target.endpoint):
            target = "$OS_COMPUTE_URL" + self.target.shown(url.removeprefix(self.target.endpoint))
        elif self.target.glance and url.startswith(self.target.glance):
            target = "$OS_IMAGE_URL" + url.removeprefix(self.target.glance)
        else:
            below = url.removeprefix(self.target.root).replace(
                self.target.project, "$OS_PROJECT_ID"
            )
            target = "${OS_COMPUTE_URL%%/v*}" + self.target.shown(below)
        return " ".join([*words, f'"{target}"'])


def _query(filters: Mapping[str, object]) -> str:
    pairs = [(name, str(value)) for name, value in filters.items() if value is not None]
    return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""


def _document(body: bytes) -> Any:
    try:
        if xmltext.is_xml(body):
            return xmltext.parse(body, where="")
        return jsontext.parse(body.decode("utf-8"), where="")
    except (BodyError, UnicodeDecodeError):
        return None


def live(cloud: LiveCloud, retry: Retry, *, budget: int = BUDGET) -> Cloud:
    """Return a live cloud; only GET requests are sent, one at a time.

    Args:
        cloud: The cloud.
        retry: Waits when the cloud asks to, and renews the token.
        budget: The most requests to make.
    """
    access, name = cloud.access, cloud.name
    own = origin(access.endpoint)
    unreachable: list[str] = []

    def send(asked: Interaction) -> Interaction:
        def attempt(access: transport.Access) -> Interaction:
            return transport.get(asked.url, asked.request_headers, access=access, name=name)

        if origin(asked.url) == own:
            return retry.ask(attempt, name=name)
        if not unreachable:
            try:
                return retry.ask(attempt, name=name)
            except RecordingError as error:
                unreachable.append(f"the image service: {error.problem}")
        raise NotAskedError(unreachable[0])

    known = known_of(access)
    origins = {**access.origins, own: "compute"}
    target = Target(
        name=name,
        endpoint=access.endpoint,
        project=known.project or access.project_id,
        release=cloud.release,
        glance=next((url for url, kind in access.origins.items() if kind == "image"), None),
        hidden={
            **dict.fromkeys(filter(_is_telling, known.secrets), placeholders.SECRET),
            **{each: placeholders.owner(each) for each in known.owners if _is_telling(each)},
            **{url: f"https://{placeholders.host(kind, name)}" for url, kind in origins.items()},
        },
    )
    return Cloud(target, send, budget=budget)


def _is_telling(value: str) -> bool:
    """Return whether a value is long enough to be nothing else."""
    return len(value) >= _TELLING


def recorded(
    store: Store, name: str, *, declared: str | None = None, budget: int = BUDGET
) -> Cloud:
    """Return a cloud as it was recorded: by `record --suite check`, else by any other query.

    Raises:
        CassetteError: A recording is damaged, or of another release than declared.
    """
    sources = list(_sources(store, name))
    for each in sources:
        refuse_stale(each, declared)
    endpoint = _endpoint_of(sources)
    known = Known(project=placeholders.OWN_PROJECT, origins={origin(endpoint): "compute"})
    answers: dict[tuple[Key, str], list[Interaction]] = {}
    for source in sources:
        # The first source that knows a request answers it, in order and as often as recorded.
        here: dict[tuple[Key, str], list[Interaction]] = {}
        for interaction in source.interactions:
            here.setdefault(_key(interaction), []).append(interaction)
        answers = here | answers
    missing = f"not recorded: imagedetail record {name} --suite check"
    if name in store.library_clouds() and not (store.has_own(name) or store.traffic_paths(name)):
        missing = f"not recorded of the shipped release; {_OWN}"

    def send(asked: Interaction) -> Interaction:
        (request,) = as_recorded(asked, cloud=name, known=known).interactions
        left = answers.get(_key(request), [])
        if not left:
            raise NotAskedError(missing)
        return left.pop(0)

    release = next((each.provenance.release for each in sources if each.provenance.release), None)
    target = Target(
        name=name,
        endpoint=endpoint,
        project=placeholders.OWN_PROJECT,
        release=declared or release,
        glance=f"https://{placeholders.host('image', name)}",
    )
    return Cloud(target, send, budget=budget)


def _sources(store: Store, name: str) -> Iterator[Recording]:
    """Yield the recordings of a cloud that may answer, the first one first."""
    for folder in filter(None, (store.directory, store.library)):
        path = Store(directory=folder).traffic_path(name, CHECK)
        if path.exists():
            yield store.reader.traffic(path, cloud=name)
    yield from map(store.reader.listing, store.paths(name))
    yield from map(store.reader.listing, store.client_traffic(name))


def _endpoint_of(sources: Sequence[Recording]) -> str:
    if not sources:
        return "https://compute.invalid"
    first = sources[0]
    return first.provenance.endpoint or endpoint_of(first.interactions[0].url)


def _key(request: Interaction) -> tuple[Key, str]:
    """Return what tells requests apart: also the host of another service, and the media type."""
    accept = request.request_headers.get("Accept", _JSON)
    service = urlsplit(request.url).netloc.partition(".")[0]
    return key_of(request), f"{service} {accept if 'xml' in accept else _JSON}"


def planned(cloud: Cloud) -> Cloud:
    """Return a cloud that asks for all images alone and answers the rest with an empty listing."""
    empty = Response(status_code=200, body=b'{"images": []}')

    def answer(asked: Interaction) -> Interaction:
        return Interaction(url=asked.url, request_headers=asked.request_headers, response=empty)

    sends = chain([cloud.send], repeat(answer))

    def send(asked: Interaction) -> Interaction:
        return next(sends)(asked)

    return Cloud(cloud.target, send, budget=cloud.budget)
