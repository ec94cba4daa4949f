"""Answer the checks from a live cloud or from its recordings."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from pytest_imagedetail.cassette import Store, load_once
from pytest_imagedetail.cassette.names import CHECK, CLIENTS
from pytest_imagedetail.check.asking import BUDGET, Cloud, Target
from pytest_imagedetail.errors import RecordingError
from pytest_imagedetail.model import Interaction, Response
from pytest_imagedetail.normalize.answer import JSON
from pytest_imagedetail.record.recorder import LiveCloud, known_of, refuse_stale
from pytest_imagedetail.record.retry import Retry
from pytest_imagedetail.redact import Known, origin, placeholders
from pytest_imagedetail.traffic.keystone import endpoint_of
from pytest_imagedetail.traffic.matching import Key, as_recorded, by_request, key_of

_OWN: Final = "to record your own cloud: imagedetail record NAME --suite check"
_EMPTY: Final = Response(status_code=200, body=b'{"images": []}')


def live(cloud: LiveCloud, retry: Retry | None = None, *, budget: int = BUDGET) -> Cloud:
    """Return a live cloud; only GET requests are sent, one at a time."""
    access, name = cloud.access, cloud.name
    retrying = retry or Retry(access)
    own = origin(access.endpoint)
    unreachable: list[str] = []

    def send(request: Interaction) -> Interaction | str:
        is_own = origin(request.url) == own
        if unreachable and not is_own:
            return unreachable[0]
        try:
            return retrying.get(request.url, request.request_headers, name=name)
        except RecordingError as error:
            if is_own:
                raise
            unreachable.append(f"the image service: {error.problem}")
            return unreachable[0]

    known = known_of(access)
    target = Target(
        name=name,
        endpoint=access.endpoint,
        project=known.project or access.project_id,
        release=cloud.release,
        max_microversion=access.max_microversion,
        glance=access.glance,
        known=known,
    )
    return Cloud(target, send, budget=budget)


def recorded(
    store: Store, name: str, *, declared: str | None = None, budget: int = BUDGET
) -> Cloud:
    """Return a cloud that replays `record --suite check` before any other recording.

    Raise StaleCassetteError if one is of another release, or older than the store allows.
    """
    checks, others = (store.traffic_of(name, folder) for folder in (CHECK, CLIENTS))
    sources = [(path, load_once(path)) for path in (*checks, *store.paths(name), *others)]
    answers: dict[tuple[Key, str], list[Interaction]] = {}
    endpoint, release, newest = "https://compute.invalid", None, None
    # The first source with a request answers it, in order and as often as recorded.
    for path, source in reversed(sources):
        store.refuse_old(path, source.provenance)
        refuse_stale(source, declared)
        answers |= by_request(source.interactions, key=_key)
        endpoint = source.provenance.endpoint or endpoint_of(source.interactions[0].url)
        release = source.provenance.release or release
        newest = source.provenance.max_microversion or newest
    known = Known(project=placeholders.OWN_PROJECT, origins={origin(endpoint): "compute"})
    missing = f"not recorded: imagedetail record {name} --suite check"
    if name in store.library_clouds() and not (store.has_own(name) or store.traffic_paths(name)):
        missing = f"not recorded from the shipped release; {_OWN}"

    def send(sent: Interaction) -> Interaction | str:
        (request,) = as_recorded(sent, cloud=name, known=known).interactions
        remaining = answers.get(_key(request))
        return remaining.pop(0) if remaining else missing

    # `record --suite check` asks Glance if the catalog has it.
    of_checks = [source for _, source in sources if source.provenance.test == CHECK]
    urls = (one.url.partition("/v2/images") for each in of_checks for one in each.interactions)
    glance = None if of_checks else f"https://{placeholders.host('image', name)}"
    target = Target(
        name=name,
        endpoint=endpoint,
        project=placeholders.OWN_PROJECT,
        release=declared or release,
        max_microversion=newest,
        glance=next((base for base, is_glance, _ in urls if is_glance), glance),
    )
    return Cloud(target, send, budget=budget)


def _key(request: Interaction) -> tuple[Key, str]:
    """Extend the key of a request by the service in its host and by the media type."""
    accept = request.request_headers.get("Accept", JSON)
    service = urlsplit(request.url).netloc.partition(".")[0]
    return key_of(request), f"{service} {accept if 'xml' in accept else JSON}"


def dry_run(cloud: Cloud) -> Cloud:
    """Return a cloud that requests only all images, and answers the rest with empty listings."""
    cloud.listing()
    listings = {interaction.url: interaction.response for interaction in cloud.received}

    def send(request: Interaction) -> Interaction | str:
        if not listings:
            return cloud.send(request)
        return replace(request, response=listings.get(request.url, _EMPTY))

    return Cloud(cloud.target, send, budget=cloud.budget)
