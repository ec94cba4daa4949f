"""Get a token from Keystone and the compute endpoint from its catalog."""

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from pytest_imagedetail.errors import CredentialsError, RecordingError
from pytest_imagedetail.record.clouds.configuration import (
    COMPUTE,
    MALFORMED,
    Configuration,
    quiet_sdk,
    secrets_in,
)
from pytest_imagedetail.redact import origin
from pytest_imagedetail.transport.http import Access
from pytest_imagedetail.transport.request import api_version, is_endpoint

_CHECK_AUTH: Final = "check its auth section and secure.yaml"
_CHECK_NETWORK: Final = (
    "check that Keystone is up and can be reached from here, its auth_url, and api_timeout"
)
_CHECK_URL: Final = "check auth_url: it leads to Keystone and usually ends in /v3"
_CHECK_TLS: Final = (
    "name the CA that signed Keystone's certificate: `cacert: FILE` in clouds.yaml\n"
    "or set `verify: false`, but only in a network that you trust\n"
    "or correct auth_url, if Keystone does not use TLS"
)
_FAILED: Final = "Keystone failed: try again later"
_REMEDIES: Final = {
    400: f"Keystone does not understand the request: {_CHECK_AUTH}; quote values that look like "
    "numbers",
    401: "user, password, project, a domain, token or application credential is wrong or has "
    f"expired; Keystone does not say which: {_CHECK_AUTH}",
    404: _CHECK_URL,
}
_VERSION: Final = re.compile(r"/*(?:v\d[\d.]*/*)?$")
_URLS: Final = ("url", "publicURL", "internalURL", "adminURL")  # Keystone v3 and v2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A session with a token."""

    configuration: Configuration
    session: Any = field(repr=False)  # of keystoneauth
    # keystoneauth's AccessInfo; None if the token is not from Keystone.
    token: Any = field(repr=False)


def authenticate(configuration: Configuration) -> Login:
    """Get a token; raise CredentialsError if Keystone cannot be reached or refuses."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    with quiet_sdk():
        try:
            session = configuration.sdk.get_session()
            session.session.hooks["response"] = [_refuse_401]
            headers = session.get_auth_headers() or {}
            # Nova 19 serves its version document only to requests with a token.
            session.session.hooks["response"] = []
            if "X-Auth-Token" in headers:
                is_keystone = hasattr(session.auth, "get_access")
                token = session.auth.get_access(session) if is_keystone else None
                return Login(configuration=configuration, session=session, token=token)
            failure = CredentialsError(
                f"the auth type {configuration.auth_type!r} gives no token, which Nova requires",
                where=configuration.where,
                remedy="use password, v3applicationcredential or token",
            )
        except (ClientException, OSError, *MALFORMED) as error:
            failure = _no_token(configuration, error)
    raise failure


def _refuse_401(response: Any, **_: Any) -> None:
    """Abort discovery on a 401: keystoneauth would wait forever for the token it is requesting."""
    from keystoneauth1.exceptions import DiscoveryFailure  # noqa: PLC0415

    if response.request.method == "GET" and response.status_code == HTTPStatus.UNAUTHORIZED:
        raise DiscoveryFailure


def access(login: Login) -> Access:
    """Find the compute endpoint; raise CredentialsError if none is usable."""
    with quiet_sdk():
        result = _access(login)
    if isinstance(result, CredentialsError):
        raise result
    return replace(result, renew=partial(_renew, login, result)) if login.token else result


def _access(login: Login) -> Access | CredentialsError:
    """Return the access or an error; raised here, the error's frames would show the URL."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    session, sdk = login.session, login.configuration.sdk
    try:
        endpoint = session.get_endpoint(**_endpoint_filter(login), skip_discovery=True)
    except ClientException:
        endpoint = None
    except MALFORMED:
        endpoint = "not a URL"
    if not endpoint:
        return _no_endpoint(login)
    if not is_endpoint(endpoint):
        return CredentialsError(
            "the compute endpoint is not a valid http or https URL",
            where=_in_catalog(login),
            remedy="ask the cloud's operator to correct the service catalog\n"
            "or name the endpoint yourself: compute_endpoint_override: https://HOST:PORT/v2.1",
        )
    versioned, newest = _version_document(login, endpoint)
    return Access(
        endpoint=versioned.rstrip("/"),
        token=session.get_auth_headers()["X-Auth-Token"],
        project_id=session.get_project_id() or "",
        os_cloud=login.configuration.cloud,
        user_id=session.get_user_id(),
        secrets=frozenset(filter(None, secrets_in(sdk.config))),
        glance=_glance(login),
        origins=_origins(login),
        max_microversion=newest,
        tls=login.configuration.tls,
        timeout=sdk.config["api_timeout"],
    )


def _glance(login: Login) -> str | None:
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    url = None
    with suppress(ClientException, *MALFORMED):
        url = login.session.get_endpoint(**_endpoint_filter(login, "image"), skip_discovery=True)
    return _VERSION.sub("", url) if url and origin(url) else None


def _renew(login: Login, expired: Access) -> Access:
    login.session.invalidate()
    new = access(authenticate(login.configuration))
    if (new.endpoint, new.project_id) != (expired.endpoint, expired.project_id):
        raise RecordingError(
            "the token expired, and the new one is for another project or endpoint",
            where=login.configuration.where,
            remedy="nothing was written and an older recording is untouched\n"
            "ask again: one recording is of one project of one cloud",
        )
    return new


def _endpoint_filter(login: Login, service: str = COMPUTE) -> dict[str, Any]:
    sdk = login.configuration.sdk
    override = sdk.get_endpoint(service)
    return {
        "service_type": sdk.get_service_type(service),  # for example compute_legacy, /v2/PROJECT
        "region_name": login.configuration.region,
        "interface": sdk.get_interface(service),
        **({"endpoint_override": override} if override else {}),
    }


def _version_document(login: Login, endpoint: str) -> tuple[str, str | None]:
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    try:
        document = login.session.get_endpoint_data(**_endpoint_filter(login))
    except (ClientException, OSError, *MALFORMED):  # a wrong token, or no such document
        return endpoint, None
    parts = document.max_microversion if document is not None else None
    newest = ".".join(map(str, parts)) if parts else None
    if document is None or api_version(endpoint) or not is_endpoint(document.url):
        return endpoint, newest
    return document.url, newest


def _origins(login: Login) -> dict[str, str]:
    auth_url = login.configuration.sdk.config.get("auth", {}).get("auth_url")
    services = {origin(auth_url): "identity"} if auth_url else {}
    if login.token:
        for service in login.token.service_catalog.catalog:
            urls = (endpoint.get(key) for endpoint in service["endpoints"] for key in _URLS)
            for url in filter(None, urls):
                services.setdefault(origin(str(url)), service["type"])
    return {url: service for url, service in services.items() if url}


def _no_token(configuration: Configuration, error: Exception) -> CredentialsError:
    """Explain why there is no token, without keystoneauth's messages, which name hosts."""
    from keystoneauth1 import exceptions  # noqa: PLC0415

    if isinstance(error.__context__, exceptions.ConnectionError):
        error = error.__context__  # why the versions could not be discovered
    option = f" --os-cloud {configuration.cloud}" if configuration.files else ""
    why, remedy = type(error).__name__, _CHECK_AUTH
    match error:
        case exceptions.HttpError(http_status=status):
            why = f"{status} {why}"
            is_fault = isinstance(error, exceptions.HttpServerError)
            remedy = _REMEDIES.get(status, _FAILED if is_fault else _CHECK_AUTH)
        case exceptions.SSLError():
            why, remedy = f"TLS failed{_tls_reason(error)}", _CHECK_TLS
        case exceptions.ConnectionError():
            why, remedy = "it cannot be reached", _CHECK_NETWORK
        case exceptions.InvalidResponse() | exceptions.DiscoveryFailure():
            why, remedy = "the server is not Keystone", _CHECK_URL
    return CredentialsError(
        f"Keystone gave no token: {why}",
        where=configuration.where,
        remedy=f"{remedy}\n`openstack{option} token issue` must succeed",
    )


def _no_endpoint(login: Login) -> CredentialsError:
    kind = login.configuration.sdk.get_service_type(COMPUTE)
    offered: dict[str, Any] = {}
    if login.token:
        endpoints = login.token.service_catalog.get_endpoints_data()
        offered = {name: urls for name, urls in endpoints.items() if urls}
    if not offered:
        problem = "the service catalog is empty: the token is for no project"
        remedy = "name project_name and project_domain_name in the auth section"
    elif kind not in offered:
        problem = f"the service catalog has no service of type {kind!r}"
        remedy = f"it has: {', '.join(sorted(offered))}\nname another with compute_service_type"
    else:
        places = sorted({f"{each.region_name} ({each.interface})" for each in offered[kind]})
        problem = "the service catalog has no compute endpoint for this region and interface"
        remedy = f"it has: {', '.join(places)}\ncorrect region_name or interface"
    remedy += "\nor name the endpoint yourself: compute_endpoint_override"
    return CredentialsError(problem, where=_in_catalog(login), remedy=remedy)


def _in_catalog(login: Login) -> str:
    configuration = login.configuration
    region = f"region {configuration.region or 'not named'}"
    kind = configuration.sdk.get_service_type(COMPUTE)
    return f"{configuration.where}, service {kind}, {region}, interface {configuration.interface}"


def _tls_reason(error: Exception) -> str:
    """Return the reason that OpenSSL gives, without host names."""
    text = str(error)
    match = re.search(r"certificate verify failed: ([A-Za-z -]+)", text)
    match = match or re.search(r"\[SSL: ([A-Z_]+)\]", text)
    return f": {match[1].replace('_', ' ').strip().lower()}" if match else ""
