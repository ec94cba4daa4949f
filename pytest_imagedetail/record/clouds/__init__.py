"""Read credentials and authenticate; the only modules that know openstacksdk.

clouds.yaml, secure.yaml and the `OS_*` variables mean what they mean to every OpenStack client,
except that a file that cannot be read is an error; openstacksdk skips it and reads the next one.

Errors of openstacksdk quote hosts and, in their frames, passwords. Each is replaced by one of ours,
which is not chained to it.
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
    """Authenticate with a cloud of clouds.yaml; raise CredentialsError if that is not possible."""
    return access(authenticate(configure(os_cloud, declared=declared)))
