"""Credentials from OpenStack's own files; the only modules that know openstacksdk.

clouds.yaml, secure.yaml, `OS_CLOUD`, `OS_CLIENT_CONFIG_FILE` and the `OS_*` variables mean here
what they mean to every OpenStack client, with one exception: a file that is there and cannot be
read is an error, where openstacksdk passes it over and takes the next. Keystone is asked outside
any recording, so no token can be in a cassette and none can expire in one.

What openstacksdk raises quotes hosts and, from its frames, passwords. Every such error is replaced
by one of ours, which does not refer to it.
"""

from pytest_imagedetail.record.clouds.configuration import Configuration, configure, sdk_version
from pytest_imagedetail.record.clouds.secrets import configured
from pytest_imagedetail.record.clouds.session import Login, access, authenticate
from pytest_imagedetail.transport.http import Access

__all__ = [
    "Configuration",
    "Login",
    "access",
    "authenticate",
    "configure",
    "configured",
    "connect",
    "sdk_version",
]


def connect(os_cloud: str) -> Access:
    """Authenticate as clouds.yaml says and find the compute endpoint.

    Args:
        os_cloud: The name of the cloud in clouds.yaml; "envvars" for what `OS_*` variables say.

    Raises:
        CredentialsError: openstacksdk is missing, the cloud is not configured, Keystone refuses, or
            its catalog has no compute service.
    """
    return access(authenticate(configure(os_cloud)))
