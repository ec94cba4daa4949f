"""A token from Keystone, the endpoint from its catalog, and every secret that came with them."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.clouds.configuration import (
    COMPUTE,
    ODD,
    Configuration,
    hushed,
    is_http,
)
from pytest_imagedetail.record.clouds.refusals import no_endpoint, refused
from pytest_imagedetail.record.clouds.secrets import is_secret
from pytest_imagedetail.transport.http import Access

_VERSION: Final = re.compile(r"/v\d+(?:\.\d+)?(?:/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A token, and whom it is for.

    Attributes:
        configuration: What it was asked with.
        expires_at: When Keystone says it ends; None for a token that Keystone was not asked for.
    """

    configuration: Configuration
    expires_at: datetime | None
    session: Any = field(repr=False)


def authenticate(configuration: Configuration) -> Login:
    """Get a token.

    Raises:
        CredentialsError: Keystone cannot be reached or refuses.
    """
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    with hushed():
        try:
            session = configuration.sdk.get_session()
            if "X-Auth-Token" in (session.get_auth_headers() or {}):
                asked = _asks_keystone(session)
                expires_at = session.auth.get_access(session).expires if asked else None
                return Login(configuration=configuration, expires_at=expires_at, session=session)
            failure = CredentialsError(
                f"the auth type {configuration.auth_type!r} gives no token, and Nova wants one",
                where=configuration.where,
                remedy="use password, v3applicationcredential or token",
            )
        except (ClientException, OSError, *ODD) as error:
            failure = refused(configuration, error)
    raise failure


def access(login: Login) -> Access:
    """Find the compute endpoint in the token's catalog, or where clouds.yaml overrides it.

    Raises:
        CredentialsError: There is none for the region and interface.
    """
    found = _found(login)
    if isinstance(found, CredentialsError):
        raise found
    return found


def _found(login: Login) -> Access | CredentialsError:
    """The access, or why there is none; an error raised from here would have the URL with it."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    with hushed():
        try:
            endpoint = login.session.get_endpoint(**_wanted(login), skip_discovery=True)
        except ClientException:
            endpoint = None
        if not endpoint:
            return no_endpoint(login.configuration, _offered(login))
        if not is_http(endpoint):
            return CredentialsError(
                "the compute endpoint is no URL that begins with http:// or https://",
                where=login.configuration.where,
                remedy="correct the service catalog, or compute_endpoint_override",
            )
        renew = partial(_renew, login) if _asks_keystone(login.session) else None
        return replace(_access(login, endpoint), renew=renew)


def _asks_keystone(session: Any) -> bool:
    """Whether its token comes from Keystone, with a catalog and an end."""
    from keystoneauth1.identity import BaseIdentityPlugin  # noqa: PLC0415

    return isinstance(session.auth, BaseIdentityPlugin)


def _access(login: Login, endpoint: str) -> Access:
    session, sdk = login.session, login.configuration.sdk
    verify, certificate = sdk.get_requests_verify_args()
    versioned, newest = _version_document(login, endpoint)
    return Access(
        endpoint=versioned.rstrip("/"),
        token=session.get_auth_headers()["X-Auth-Token"],
        project_id=session.get_project_id() or "",
        user_id=session.get_user_id(),
        secrets=_secrets(sdk.config),
        max_microversion=newest,
        cacert=verify if isinstance(verify, str) else None,
        certificate=(certificate, None) if isinstance(certificate, str) else certificate,
        verify=bool(verify),
        timeout=sdk.config["api_timeout"],
    )


def _renew(login: Login) -> Access:
    """Forget the token and ask Keystone for another."""
    login.session.invalidate()
    return access(authenticate(login.configuration))


def _wanted(login: Login) -> dict[str, Any]:
    sdk = login.configuration.sdk
    override = sdk.get_endpoint(COMPUTE)
    return {
        "service_type": sdk.get_service_type(COMPUTE),  # compute_legacy, say, for /v2/PROJECT
        "region_name": login.configuration.region,
        "interface": sdk.get_interface(COMPUTE),
        **({"endpoint_override": override} if override else {}),
    }


def _version_document(login: Login, endpoint: str) -> tuple[str, str | None]:
    """The endpoint with its version, and the newest microversion, if its document names them."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    try:
        found = login.session.get_endpoint_data(**_wanted(login))
    except (ClientException, OSError, *ODD):  # a wrong token, or no such document: no matter
        return endpoint, None
    parts = found.max_microversion if found is not None else None
    newest = ".".join(map(str, parts)) if parts else None
    if found is None or _VERSION.search(urlsplit(endpoint).path):
        return endpoint, newest
    return found.url, newest


def _secrets(config: Any) -> frozenset[str]:
    """Every password, token and the like that the configuration holds, wherever it stands."""
    values = [*config.items(), *dict(config.get("auth") or {}).items()]
    return frozenset(
        str(value)
        for name, value in values
        if isinstance(value, str | int) and not isinstance(value, bool) and value
        if is_secret(name)
    )


def _offered(login: Login) -> dict[str, list[str]]:
    """The regions of each type of service, with their interfaces."""
    if not _asks_keystone(login.session):
        return {}
    catalog = login.session.auth.get_access(login.session).service_catalog
    offered = {}
    for kind, endpoints in catalog.get_endpoints_data().items():
        regions: dict[str, list[str]] = {}
        for each in endpoints:
            regions.setdefault(each.region_name or "no region", []).append(str(each.interface))
        offered[kind] = [f"{name} ({', '.join(found)})" for name, found in sorted(regions.items())]
    return offered
