"""Credentials from OpenStack's own files; the only module that knows openstacksdk.

clouds.yaml, secure.yaml, `OS_CLOUD`, `OS_CLIENT_CONFIG_FILE` and the `OS_*` variables mean here
what they mean to every OpenStack client. Keystone is asked outside any recording, so no token can
be in a cassette and none can expire in one.
"""

import os
import warnings
from pathlib import Path
from typing import Any

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.quiet import quiet
from pytest_imagedetail.transport import Access

# They log Keystone's address, and at DEBUG the whole token document.
_TALKATIVE = ("keystoneauth", "openstack", "urllib3", "requests", "stevedore")
_SECRET_NAMES = ("password", "token", "application_credential_secret", "passcode")


_CHECK_AUTH = "check its auth section and secure.yaml"
_CHECK_NETWORK = "check that Keystone is up and can be reached from here, and its auth_url"


def connect(os_cloud: str) -> Access:
    """Authenticate as clouds.yaml says and find the compute endpoint.

    Args:
        os_cloud: The name of the cloud in clouds.yaml.

    Raises:
        CredentialsError: openstacksdk is missing, the cloud is not configured, Keystone refuses, or
            its catalog has no compute service.
    """
    try:
        from keystoneauth1.exceptions import (  # noqa: PLC0415  heavy, and optional
            ClientException,
            ConnectFailure,
        )
        from openstack.config import OpenStackConfig  # noqa: PLC0415
        from openstack.exceptions import ConfigException  # noqa: PLC0415
    except ImportError as error:
        raise CredentialsError(
            "recording needs openstacksdk, which is not installed",
            remedy="install the extra: pip install 'pytest-imagedetail[record]'",
        ) from error
    try:
        with quiet(*_TALKATIVE), warnings.catch_warnings():
            # openstacksdk announces its own plans (InfluxDB support, say) whoever uses it.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            return _access(OpenStackConfig().get_one(cloud=os_cloud))
    except ConfigException as error:
        raise CredentialsError(
            f"clouds.yaml has no usable cloud {os_cloud!r}",
            where=_where(),
            remedy="name one that clouds.yaml has, or set OS_CLIENT_CONFIG_FILE to the file "
            "that has it",
        ) from error
    except ClientException as error:
        reached = not isinstance(error, ConnectFailure)
        raise CredentialsError(
            f"Keystone gave no token or no compute endpoint: {type(error).__name__}",
            where=f"cloud {os_cloud!r} of clouds.yaml",
            remedy=f"{_CHECK_AUTH if reached else _CHECK_NETWORK}"
            f"\n`openstack --os-cloud {os_cloud} token issue` must succeed",
        ) from error


def _access(region: Any) -> Access:
    session = region.get_session()
    auth = region.config.get("auth", {})
    verify, certificate = region.get_requests_verify_args()
    found = session.get_endpoint_data(
        service_type=region.get_service_type("compute"),  # compute_legacy, say, for /v2/PROJECT
        region_name=region.region_name,
        interface=region.get_interface("compute"),
    )
    if found is None:
        raise CredentialsError(
            "the service catalog has no compute endpoint for this region and interface",
            where=f"cloud {region.name!r}, region {region.region_name!r}",
            remedy="name the region and interface in clouds.yaml",
        )
    return Access(
        endpoint=found.catalog_url.rstrip("/"),
        token=session.get_token(),
        project_id=session.get_project_id(),
        user_id=session.get_user_id(),
        secrets=frozenset(str(auth[name]) for name in _SECRET_NAMES if auth.get(name)),
        max_microversion=_version(found.max_microversion),
        cacert=verify if isinstance(verify, str) else None,
        certificate=(certificate, None) if isinstance(certificate, str) else certificate,
        verify=bool(verify),
        timeout=float(region.config.get("api_timeout") or 60),
    )


def _where() -> str:
    """The credential file that the environment names, if it is not there."""
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    return (
        f"OS_CLIENT_CONFIG_FILE={named}: no such file" if named and not Path(named).exists() else ""
    )


def _version(parts: tuple[int, ...] | None) -> str | None:
    """(2, 104) as the API writes it."""
    return ".".join(map(str, parts)) if parts else None
