"""How OpenStack releases differ in images/detail: one named field for each difference.

The table `RELEASES` is a chain. Each entry is the release before it plus what changed, so that
reading it downwards is reading the history. Only releases whose behavior was read in the source or
measured on a real cloud stand in it; a release between two entries behaves as the older one, or
lies across a border that nobody here has looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from pytest_imagedetail.embedded.errors import UnknownReleaseError


class ImageApi(Enum):
    """The Glance API that Nova asks; it decides the filters more than Nova's own release does."""

    V1 = 1
    """Nova up to 13 (Mitaka): changes-since is strict and shows deleted images."""
    V2 = 2
    """Nova 14 (Newton) and later: changes-since is inclusive, Glance's operators leak through."""


class IntegerCheck(Enum):
    """Who refuses a bad `limit`, and in which words."""

    PARAM = "param"
    """Nova up to Juno: "limit param must be positive"."""
    INPUT = "input"
    """Up to Nova 29: "Invalid input received: limit must be >= 0"."""
    SCHEMA = "schema"
    """Nova 30.0.0 and later, commit 41b436bff7: a JSON schema, which refuses 0 as well."""


class Unauthorized(Enum):
    """The 401 of the authentication middleware in front of Nova."""

    PLAIN = "plain"
    """The python-keystoneclient era: one line of text."""
    JSON = "json"
    """keystonemiddleware of every release measured since Stein: `{"error": {...}}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behavior:
    """One release of Nova, as far as images/detail shows it.

    Attributes:
        release: Name in `RELEASES`.
        versions: First path segments that are served.
        endpoint: Path of the compute endpoint in the service catalog; `{project}` is filled in.
        project_optional: Whether the path may leave the project out (microversion 2.18, Mitaka).
        project_pattern: What a project in the path may look like; anything else is a 404.
        suffix_format: Whether `detail.json` is the listing (as long as Nova also spoke XML) or an
            image id.
        max_microversion: Greatest microversion on `/v2.1`; None before there were any.
        image_api: Glance API behind Nova.
        has_size: OS-EXT-IMG-SIZE:size is shown (Grizzly, Nova commit d2b553030e).
        server_links_name_project: Links of the snapshot's server carry the project (Folsom,
            Nova commit 6254523439).
        links_always_name_project: Links carry the project even if the request did not (up to
            Grizzly); from Havana only if the request's path has it.
        alternate_names_project: The alternate link carries the project, which makes it a wrong
            URL (Essex to Juno, bug 1343080; gone with Nova commit e516de74c1).
        next_without_limit: A page of exactly 1000 has a next link although no limit was asked
            for (Juno and later).
        next_keeps_detail: The next link leads to images/detail (Kilo, Nova commit f233c65cd3);
            before, it leads to the brief listing.
        next_is_encoded: The query of the next link is URL-encoded and sorted by name; before, it
            is the request's own text order, unencoded.
        integer_check: How integers in the query are refused.
        integer_parameters: The query parameters that must be integers.
        bad_encoding_is_client_error: A query that is not UTF-8 is a 400 (Nova 30.0.0); before, it
            is a 500.
        unexpected_error: Message of a 500; `{type}` is filled in.
        unauthorized: Shape of a 401.
        request_id_headers: Response headers that carry the request id.
        only_parameters: The query parameters that exist; None if the release has all of Nova's.
        type_is_enumeration: `type` is BASE, SERVER or ALL as documented, not a raw image_type.
        compute_link_prefix: scheme://host of self and bookmark links; None takes the request's
            Host header, as stock Nova does.
        image_origin: scheme://host:port of Glance in alternate links and in the catalog.
        sync_status_reason: Text that the vendor adds to every image's metadata; `{id}` is filled
            in. None on stock OpenStack.
    """

    release: str
    versions: tuple[str, ...]
    endpoint: str
    project_optional: bool
    project_pattern: str
    suffix_format: bool
    max_microversion: tuple[int, int] | None
    image_api: ImageApi
    has_size: bool
    server_links_name_project: bool
    links_always_name_project: bool
    alternate_names_project: bool
    next_without_limit: bool
    next_keeps_detail: bool
    next_is_encoded: bool
    integer_check: IntegerCheck
    integer_parameters: tuple[str, ...]
    bad_encoding_is_client_error: bool
    unexpected_error: str
    unauthorized: Unauthorized
    request_id_headers: tuple[str, ...]
    only_parameters: frozenset[str] | None = None
    type_is_enumeration: bool = False
    compute_link_prefix: str | None = None
    image_origin: str = "http://glance.internal:9292"
    sync_status_reason: str | None = None


# Read in Nova 2012.1 and in the Glance v1 registry of the time.
_ESSEX = Behavior(
    release="essex",
    versions=("v1.1", "v2"),
    endpoint="/v2/{project}",
    project_optional=False,
    project_pattern="[^/]+",
    suffix_format=True,
    max_microversion=None,
    image_api=ImageApi.V1,
    has_size=False,
    server_links_name_project=False,
    links_always_name_project=True,
    alternate_names_project=True,
    next_without_limit=False,
    next_keeps_detail=False,
    next_is_encoded=False,
    integer_check=IntegerCheck.PARAM,
    integer_parameters=("limit",),
    bad_encoding_is_client_error=False,
    unexpected_error=(
        "The server has either erred or is incapable of performing the requested operation."
    ),
    unauthorized=Unauthorized.PLAIN,
    request_id_headers=("x-compute-request-id",),
)
_FOLSOM = replace(_ESSEX, release="folsom", server_links_name_project=True)
_GRIZZLY = replace(_FOLSOM, release="grizzly", has_size=True)
_HAVANA = replace(_GRIZZLY, release="havana", links_always_name_project=False)
_JUNO = replace(
    _HAVANA,
    release="juno",
    next_without_limit=True,
    integer_parameters=("limit", "page_size"),
)
# Measured on Nova 19.3.2; Kilo to Rocky lie between and were not measured.
_STEIN = replace(
    _JUNO,
    release="2019.1",
    versions=("v2", "v2.1"),
    endpoint="/v2.1",
    project_optional=True,
    project_pattern="[0-9a-f-]+",
    suffix_format=False,
    max_microversion=(2, 72),
    image_api=ImageApi.V2,
    alternate_names_project=False,
    next_keeps_detail=True,
    next_is_encoded=True,
    integer_check=IntegerCheck.INPUT,
    integer_parameters=("limit", "page_size", "offset"),
    unexpected_error=(
        "Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ "
        "and attach the Nova API log if possible.\n{type}"
    ),
    unauthorized=Unauthorized.JSON,
    request_id_headers=("x-openstack-request-id", "x-compute-request-id"),
)
# Measured on Nova 20.6.1, 22.4.0, 25.2.0, 27.1.0, 30.3.0, 32.0.0, 33.0.0 and 34.0.0.
_2019_2 = replace(_STEIN, release="2019.2", max_microversion=(2, 79))
_2020_2 = replace(_STEIN, release="2020.2", max_microversion=(2, 87))
_2022_1 = replace(_STEIN, release="2022.1", max_microversion=(2, 90))
_2023_1 = replace(_STEIN, release="2023.1", max_microversion=(2, 95))
_2024_2 = replace(
    _2023_1,
    release="2024.2",
    max_microversion=(2, 96),
    integer_check=IntegerCheck.SCHEMA,
    bad_encoding_is_client_error=True,
)
_2025_2 = replace(_2024_2, release="2025.2", max_microversion=(2, 100))
_2026_1 = replace(_2024_2, release="2026.1", max_microversion=(2, 103))
_2026_2 = replace(_2024_2, release="2026.2", max_microversion=(2, 104))

# Fujitsu K5 as its reference manual "List images details" describes it. Size and a project in the
# alternate link place it between Grizzly and Juno. The manual shows internal addresses in links;
# these are invented ones of the same kind.
_K5 = replace(
    _JUNO,
    release="k5",
    versions=("v2",),
    next_without_limit=False,
    integer_parameters=(),
    only_parameters=frozenset({"changes-since", "server", "name", "status", "type"}),
    type_is_enumeration=True,
    compute_link_prefix="http://10.3.0.210",
    image_origin="http://10.3.0.120:9292",
    sync_status_reason=(
        "ERROR:The image was not copied to the other site in time by\n"
        "server(http://10.7.0.210:9292 <http://10.7.0.210:9292/> ) as the image operation asked.\n"
        "image_id={id}"
    ),
)

RELEASES: Mapping[str, Behavior] = MappingProxyType(
    {
        behavior.release: behavior
        for behavior in (
            _ESSEX,
            _FOLSOM,
            _GRIZZLY,
            _HAVANA,
            _JUNO,
            _STEIN,
            _2019_2,
            _2020_2,
            _2022_1,
            _2023_1,
            _2024_2,
            _2025_2,
            _2026_1,
            _2026_2,
            _K5,
        )
    }
)
"""Every known release by name, oldest first, the vendor cloud last."""


def behavior_of(release: str) -> Behavior:
    """Look a release up.

    Raises:
        UnknownReleaseError: No such name; the message lists the known ones.
    """
    try:
        return RELEASES[release]
    except KeyError:
        raise UnknownReleaseError(release, RELEASES) from None
