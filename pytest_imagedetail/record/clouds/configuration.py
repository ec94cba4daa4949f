"""One cloud as clouds.yaml, secure.yaml and the environment describe it; nobody is asked."""

import difflib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.record.clouds.files import refuse_unreadable
from pytest_imagedetail.transport.silenced import silenced

# They log Keystone's address, and at DEBUG the whole token document.
_TALKATIVE: Final = ("keystoneauth", "openstack", "urllib3", "requests", "stevedore")
_SECONDS: Final = 60.0  # openstacksdk itself would wait for ever
_MADE_UP: Final = "defaults"  # the cloud that openstacksdk has where nobody named any
_VARIABLES: Final = "envvars"  # the cloud that it makes of OS_* variables
COMPUTE: Final = "compute"

# Whatever openstacksdk, keystoneauth and their plugins trip over in a file or answer that is odd.
ODD: Final = (LookupError, AttributeError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One cloud as OpenStack's files and variables describe it; nobody was asked yet.

    Attributes:
        cloud: Its name in clouds.yaml.
        files: The files that were read: clouds.yaml, secure.yaml; none if variables say it all.
        auth_type: For example "password".
        region: The region that is wanted; None leaves the choice to the catalog.
        interface: "public", "internal" or "admin", or several in order.
    """

    cloud: str
    files: tuple[Path, ...]
    auth_type: str
    region: str | None
    interface: str
    sdk: Any = field(repr=False)

    @property
    def where(self) -> str:
        """What to correct when it is not right."""
        source = f"of {self.files[0]}" if self.files else "of the OS_* variables"
        return f"cloud {self.cloud!r} {source}"


def sdk_version() -> str:
    """The version of openstacksdk.

    Raises:
        CredentialsError: It is not installed.
    """
    try:
        import openstack.config  # noqa: F401, PLC0415  heavy, and optional

        return metadata.version("openstacksdk")
    except ImportError:
        raise CredentialsError(
            "recording needs openstacksdk, which is not installed",
            remedy="install the extra: pip install 'pytest-imagedetail[record]'",
        ) from None


def configure(os_cloud: str | None) -> Configuration:
    """Read what clouds.yaml, secure.yaml and the environment say of a cloud.

    Args:
        os_cloud: Its name; None for `OS_CLOUD`, the `OS_*` variables or the only cloud there is.

    Raises:
        CredentialsError: openstacksdk is missing, a file cannot be read, or the cloud is not there
            or not usable.
    """
    sdk_version()
    refuse_unreadable()
    from keystoneauth1.exceptions import AuthPluginException  # noqa: PLC0415
    from openstack.config import OpenStackConfig  # noqa: PLC0415
    from openstack.exceptions import SDKException  # noqa: PLC0415

    files: tuple[Path, ...] = ()
    known: Sequence[str] = ()
    with hushed():
        try:
            read = OpenStackConfig()
            known, files = _names(read), _files(read)
            name = os_cloud or read.default_cloud
            if name in known:
                region = read.get_one(cloud=name)
                region.config["api_timeout"] = float(region.config.get("api_timeout") or _SECONDS)
                return _configuration(region, files=files if name != read.envvar_key else ())
            failure = _unknown(name if name != _MADE_UP else None, known, files)
        except (AuthPluginException, SDKException, *ODD) as error:
            failure = _unusable(os_cloud, error, files)
    raise failure


@contextmanager
def hushed() -> Iterator[None]:
    """Neither logs nor warnings of the libraries: both quote, and neither is for our user."""
    with silenced(*_TALKATIVE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def is_http(url: str) -> bool:
    """Whether something is a URL of HTTP."""
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:  # half an IPv6 address
        return False


def _configuration(region: Any, *, files: tuple[Path, ...]) -> Configuration:
    interface = region.get_interface(COMPUTE)
    configuration = Configuration(
        cloud=region.name,
        files=files,
        auth_type=str(region.config.get("auth_type") or "none"),
        region=region.get_region_name(COMPUTE) or None,
        interface=", ".join(interface) if isinstance(interface, list) else str(interface),
        sdk=region,
    )
    for key in _odd_urls(region.config["auth"]):
        raise CredentialsError(
            f"{key} is no URL that begins with http:// or https://",
            where=configuration.where,
            remedy=f"write {key} as in https://HOST:PORT/v3",
        )
    _refuse_missing_certificates(configuration)
    return configuration


def _odd_urls(auth: Mapping[str, Any]) -> list[str]:
    """The keys of what is no URL; the values stay here, where no traceback shows them."""
    urls = {key: str(auth[key]) for key in ("auth_url", "endpoint") if auth.get(key)}
    return [key for key, url in urls.items() if not is_http(url)]


def _refuse_missing_certificates(configuration: Configuration) -> None:
    for key in ("cacert", "cert", "key"):
        named = configuration.sdk.config.get(key)
        if named and not Path(str(named)).expanduser().exists():
            raise CredentialsError(
                f"{key} names a file that is not there",
                where=f"{configuration.where}: {named}",
                remedy=f"correct {key}, or leave it out; without cacert the system's CAs count",
            )


def _names(read: Any) -> tuple[str, ...]:
    """The clouds there are; the one that openstacksdk makes up where there is none is none."""
    names = read.get_cloud_names() if read.default_cloud != _MADE_UP else ()
    return tuple(name for name in names if isinstance(name, str))


def _files(read: Any) -> tuple[Path, ...]:
    return tuple(Path(each) for each in (read.config_filename, read.secure_config_filename) if each)


def _unknown(
    os_cloud: str | None, known: Sequence[str], files: tuple[Path, ...]
) -> CredentialsError:
    if os_cloud is None:
        return CredentialsError(
            "no cloud is named",
            where=_where(files),
            remedy=f"name one: --os-cloud NAME, or set OS_CLOUD\n{_known(known)}",
        )
    near = difflib.get_close_matches(os_cloud, known, n=1)
    lines = [f"did you mean {near[0]}?"] if near else []
    lines += [
        "name one that clouds.yaml has, or set OS_CLIENT_CONFIG_FILE to the file that has it",
        *([_known(known)] if files or known else []),
    ]
    if known:
        lines.append(
            f"or say in imagedetail.yaml which of them it is: {os_cloud}: {{os_cloud: NAME}}"
        )
    if os_cloud == _VARIABLES:
        lines = ["set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME and so on"]
    source = "clouds.yaml has" if os_cloud != _VARIABLES else "the OS_* variables make"
    return CredentialsError(
        f"{source} no usable cloud {os_cloud!r}", where=_where(files), remedy="\n".join(lines)
    )


def _known(names: Sequence[str]) -> str:
    return f"known there: {', '.join(sorted(names))}" if names else "there is none in it"


def _where(files: tuple[Path, ...]) -> str:
    if files:
        return str(files[0])
    return "there is no clouds.yaml here, in ~/.config/openstack or in /etc/openstack"


def _unusable(os_cloud: str | None, error: Exception, files: tuple[Path, ...]) -> CredentialsError:
    """Its section cannot be used. Only errors that quote no value are quoted."""
    from keystoneauth1 import loading  # noqa: PLC0415
    from keystoneauth1.exceptions import NoMatchingPlugin, OptionError  # noqa: PLC0415

    where = f"{_where(files)}, cloud {os_cloud!r}" if os_cloud else _where(files)
    remedy = "correct its section in clouds.yaml and secure.yaml"
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if isinstance(error, NoMatchingPlugin):
        names = loading.get_available_plugin_names()
        near = difflib.get_close_matches(error.name, names, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        problem = f"unknown auth_type {error.name!r}"
        remedy = f"{meant}usual ones: password, v3applicationcredential, token"
    elif isinstance(error, OptionError):
        problem = f"its auth section is not complete: {error}"
        remedy += _secure_file_beside(files)
    elif isinstance(error, TypeError) and unknown:
        problem = f"its auth section has {unknown.group(1)!r}, which its auth_type does not know"
    else:
        problem = f"its section is not what openstacksdk can read ({type(error).__name__})"
    return CredentialsError(problem, where=where, remedy=remedy)


def _secure_file_beside(files: tuple[Path, ...]) -> str:
    """A hint at a secure.yaml that is not read."""
    if len(files) == 1 and (beside := files[0].with_name("secure.yaml")).exists():
        return f"\n{beside} is not read: name it in OS_CLIENT_SECURE_FILE"
    return ""
