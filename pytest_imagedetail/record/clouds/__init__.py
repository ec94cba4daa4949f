"""Read credentials and authenticate; the only modules that use openstacksdk.

clouds.yaml, secure.yaml and the `OS_*` variables work as in every OpenStack client, except that
an unreadable file is an error; openstacksdk skips it and reads the next one.

Errors of openstacksdk quote hosts, and their frames hold passwords. Each is replaced by an error
of this package that is not chained to it.
"""

from collections.abc import Iterable

from pytest_imagedetail.record.clouds.configuration import (
    configure,
    configured_secrets,
    sdk_version,
)
from pytest_imagedetail.record.clouds.session import access, authenticate
from pytest_imagedetail.transport.http import Access

__all__ = ["access", "authenticate", "configure", "configured_secrets", "connect", "sdk_version"]


def connect(os_cloud: str, *, declared: Iterable[str] = ()) -> Access:
    """Authenticate with a cloud of clouds.yaml; raise CredentialsError if that fails."""
    return access(authenticate(configure(os_cloud, declared=declared)))
