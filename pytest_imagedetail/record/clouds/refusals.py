"""What Keystone's refusals mean and what to do about them; names no host and no secret."""

import re
from collections.abc import Mapping
from typing import Final

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.clouds.configuration import COMPUTE, Configuration

_UNAUTHORIZED: Final = 401
_SERVER_ERROR: Final = 500
_CHECK_AUTH: Final = "check its auth section and secure.yaml"
_CHECK_NETWORK: Final = "check that Keystone is up and can be reached from here, and its auth_url"
_CHECK_URL: Final = "check auth_url: it leads to Keystone and usually ends in /v3"
_CHECK_TLS: Final = (
    "name the CA that signed Keystone's certificate: `cacert: FILE` in clouds.yaml\n"
    "or `verify: false`, if you know that nobody listens in between\n"
    "or correct auth_url, if Keystone speaks no TLS"
)
_ILL: Final = "Keystone failed: try again when it is well"
_REMEDIES: Final = {
    400: f"Keystone does not understand what it was sent: {_CHECK_AUTH}; quote what looks like a "
    "number",
    401: "user, password, project or one of their domains is not right; Keystone does not say "
    f"which: {_CHECK_AUTH}",
    404: _CHECK_URL,
}
_UNAUTHORIZED_REMEDIES: Final = {
    "applicationcredential": "the application credential is unknown, its secret is not right, or "
    f"it has expired: {_CHECK_AUTH}",
    "token": "the token is not right or has expired: issue another",
}


def refused(configuration: Configuration, error: Exception) -> CredentialsError:
    """Why there is no token.

    Args:
        configuration: What Keystone was asked with.
        error: What keystoneauth raised; its words name hosts and are not repeated.
    """
    from keystoneauth1 import exceptions  # noqa: PLC0415

    status = error.http_status if isinstance(error, exceptions.HttpError) else None
    unreachable = "Unable to establish connection" in str(error)
    named = f" --os-cloud {configuration.cloud}" if configuration.files else ""
    again = f"`openstack{named} token issue` must succeed"
    if status is not None:
        problem = f"Keystone gave no token: {status} {type(error).__name__}"
        remedy = _REMEDIES.get(status, _ILL if status >= _SERVER_ERROR else _CHECK_AUTH)
        if status == _UNAUTHORIZED:
            remedy = _UNAUTHORIZED_REMEDIES.get(_kind(configuration), remedy)
    elif isinstance(error, exceptions.SSLError):
        problem, remedy = f"Keystone gave no token: TLS failed{_tls_reason(error)}", _CHECK_TLS
    elif isinstance(error, exceptions.ConnectTimeout):
        seconds = configuration.sdk.config["api_timeout"]
        problem = f"Keystone gave no token: no answer within {seconds:g} seconds"
        remedy = f"{_CHECK_NETWORK}, or raise api_timeout"
    elif isinstance(error, exceptions.ConnectFailure) or unreachable:
        problem, remedy = "Keystone gave no token: it cannot be reached", _CHECK_NETWORK
    elif isinstance(error, exceptions.InvalidResponse | exceptions.DiscoveryFailure):
        problem, remedy = "Keystone gave no token: what answers is no Keystone", _CHECK_URL
    else:
        problem, remedy = f"Keystone gave no token: {type(error).__name__}", _CHECK_AUTH
    return CredentialsError(problem, where=configuration.where, remedy=f"{remedy}\n{again}")


def no_endpoint(configuration: Configuration, offered: Mapping[str, list[str]]) -> CredentialsError:
    """Why there is no compute endpoint.

    Args:
        configuration: Which one is wanted.
        offered: What the service catalog has: regions with their interfaces, by type of service.
    """
    kind = configuration.sdk.get_service_type(COMPUTE)
    wanted = f"region {configuration.region or 'not named'}, interface {configuration.interface}"
    if not offered:
        problem = "the service catalog is empty: the token is for no project"
        remedy = "name project_name and project_domain_name in the auth section"
    elif kind not in offered:
        problem = f"the service catalog has no service of type {kind!r}"
        remedy = f"it has: {', '.join(sorted(offered))}\nname another with compute_service_type"
    else:
        problem = "the service catalog has no compute endpoint for this region and interface"
        remedy = f"it has: {'; '.join(offered[kind])}\ncorrect region_name or interface"
    remedy += "\nor name the endpoint yourself: compute_endpoint_override"
    return CredentialsError(problem, where=f"{configuration.where}, {wanted}", remedy=remedy)


def _kind(configuration: Configuration) -> str:
    """The auth type without Keystone's version."""
    return configuration.auth_type.removeprefix("v3").removeprefix("v2")


def _tls_reason(error: Exception) -> str:
    """What OpenSSL says, as far as it names nobody."""
    match = re.search(r"certificate verify failed: ([A-Za-z -]+)", str(error))
    if match is not None:
        return f": {match.group(1).strip().lower()}"
    match = re.search(r"\[SSL: ([A-Z_]+)\]", str(error))
    return f": {match.group(1).replace('_', ' ').lower()}" if match else ""
