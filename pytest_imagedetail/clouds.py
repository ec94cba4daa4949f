"""Credentials from OpenStack's own files; the only module that knows openstacksdk.

clouds.yaml, secure.yaml, `OS_CLOUD`, `OS_CLIENT_CONFIG_FILE` and the `OS_*` variables mean here
what they mean to every OpenStack client, with one exception: a file that is there and cannot be
read is an error, where openstacksdk passes it over and takes the next. Keystone is asked outside
any recording, so no token can be in a cassette and none can expire in one.

What openstacksdk raises quotes hosts and, from its frames, passwords. Every such error is replaced
by one of ours, which does not refer to it.
"""

import difflib
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pytest_imagedetail import yamltext
from pytest_imagedetail.errors import CredentialsError
from pytest_imagedetail.quiet import quiet
from pytest_imagedetail.transport import Access

# They log Keystone's address, and at DEBUG the whole token document.
_TALKATIVE: Final = ("keystoneauth", "openstack", "urllib3", "requests", "stevedore")
_SECRET: Final = re.compile(
    r"passw|passcode|^code$|code_verifier|secret|token|receipt|(private|access|consumer)_key"
)
_NO_SECRET: Final = re.compile(r"url|endpoint|type|method")  # `access_token_endpoint` is an address
_SECRET_IDS: Final = ("application_credential_id", "trust_id")  # who asks, like user and project
_VERSION: Final = re.compile(r"/v\d+(?:\.\d+)?(?:/|$)")
_SECONDS: Final = 60.0  # openstacksdk itself would wait for ever
_COMPUTE: Final = "compute"
_MADE_UP: Final = "defaults"  # the cloud that openstacksdk has where nobody named any
_VARIABLES: Final = "envvars"  # the cloud that it makes of OS_* variables

# Whatever else openstacksdk, keystoneauth and their plugins trip over in a file that is odd.
_ODD: Final = (LookupError, AttributeError, TypeError, ValueError, RuntimeError)


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


def connect(os_cloud: str) -> Access:
    """Authenticate as clouds.yaml says and find the compute endpoint.

    Args:
        os_cloud: The name of the cloud in clouds.yaml; "envvars" for what `OS_*` variables say.

    Raises:
        CredentialsError: openstacksdk is missing, the cloud is not configured, Keystone refuses, or
            its catalog has no compute service.
    """
    return access(authenticate(configure(os_cloud)))


def configure(os_cloud: str | None) -> Configuration:
    """Read what clouds.yaml, secure.yaml and the environment say of a cloud.

    Args:
        os_cloud: Its name; None for `OS_CLOUD`, the `OS_*` variables or the only cloud there is.

    Raises:
        CredentialsError: openstacksdk is missing, a file cannot be read, or the cloud is not there
            or not usable.
    """
    sdk_version()
    _refuse_unreadable()
    from keystoneauth1.exceptions import AuthPluginException  # noqa: PLC0415
    from openstack.config import OpenStackConfig  # noqa: PLC0415
    from openstack.exceptions import SDKException  # noqa: PLC0415

    files: tuple[Path, ...] = ()
    known: Sequence[str] = ()
    with _hushed():
        try:
            read = OpenStackConfig()
            known, files = _names(read), _files(read)
            name = os_cloud or read.default_cloud
            if name in known:
                region = read.get_one(cloud=name)
                region.config["api_timeout"] = float(region.config.get("api_timeout") or _SECONDS)
                return _configuration(region, files=files if name != read.envvar_key else ())
            failure = _unknown(name if name != _MADE_UP else None, known, files)
        except (AuthPluginException, SDKException, *_ODD) as error:
            failure = _unusable(os_cloud, error, files)
    raise failure


def authenticate(configuration: Configuration) -> Login:
    """Get a token.

    Raises:
        CredentialsError: Keystone cannot be reached or refuses.
    """
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    with _hushed():
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
        except (ClientException, OSError, *_ODD) as error:
            failure = _refused(configuration, error)
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

    with _hushed():
        try:
            endpoint = login.session.get_endpoint(**_wanted(login), skip_discovery=True)
        except ClientException:
            endpoint = None
        if not endpoint:
            return _no_endpoint(login)
        if not _is_http(endpoint):
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


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:  # half an IPv6 address
        return False


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
    override = sdk.get_endpoint(_COMPUTE)
    return {
        "service_type": sdk.get_service_type(_COMPUTE),  # compute_legacy, say, for /v2/PROJECT
        "region_name": login.configuration.region,
        "interface": sdk.get_interface(_COMPUTE),
        **({"endpoint_override": override} if override else {}),
    }


def _version_document(login: Login, endpoint: str) -> tuple[str, str | None]:
    """The endpoint with its version, and the newest microversion, if its document names them."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415

    try:
        found = login.session.get_endpoint_data(**_wanted(login))
    except (ClientException, OSError, *_ODD):  # a wrong token, or no such document: no matter
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
        if name in _SECRET_IDS or (_SECRET.search(name) and not _NO_SECRET.search(name))
    )


@contextmanager
def _hushed() -> Iterator[None]:
    """Neither logs nor warnings of the libraries: both quote, and neither is for our user."""
    with quiet(*_TALKATIVE), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _configuration(region: Any, *, files: tuple[Path, ...]) -> Configuration:
    interface = region.get_interface(_COMPUTE)
    configuration = Configuration(
        cloud=region.name,
        files=files,
        auth_type=str(region.config.get("auth_type") or "none"),
        region=region.get_region_name(_COMPUTE) or None,
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
    return [key for key, url in urls.items() if not _is_http(url)]


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


def _refuse_unreadable() -> None:
    """Raise if a file is broken that openstacksdk would pass over, to read another in its stead."""
    from openstack.config import loader  # noqa: PLC0415

    for variable, searched in (
        ("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
        ("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
    ):
        named = os.environ.get(variable)
        if named and not Path(named).exists():
            raise CredentialsError(
                f"{variable} names a file that is not there",
                where=named,
                remedy=f"correct {variable}, or unset it: then the usual folders are searched",
            )
        paths = [Path(each) for each in ([named] if named else searched)]
        path = next((path for path in paths if path.exists()), None)
        where, problem = _fault(path) if path is not None else ("", "")
        if problem:
            raise CredentialsError(
                problem,
                where=where,
                remedy="correct it; quote a password that is more than letters and digits",
            )


def _fault(path: Path) -> tuple[str, str]:
    """Where a file is broken and how; the second is empty if it is not. No value is quoted."""
    try:
        text = path.read_bytes()
        if path.suffix == ".json":
            document = json.loads(text)
        else:
            document = yamltext.read(path, error=CredentialsError, remedy="")
    except OSError as error:
        return str(path), f"the file cannot be read: {error.strerror}"
    except ValueError:
        return str(path), "the file is no JSON"
    except CredentialsError as error:  # its problem may quote: `password: *word` is an alias
        return error.where, "the file is no YAML"
    if document is not None and not _has_clouds(document):
        return str(path), "the file has no `clouds:` with each cloud below it under its name"
    return str(path), ""


def _has_clouds(document: Any) -> bool:
    return isinstance(document, dict) and isinstance(document.get("clouds", {}), dict)


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


def _refused(configuration: Configuration, error: Exception) -> CredentialsError:
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


def _kind(configuration: Configuration) -> str:
    """The auth type without Keystone's version."""
    return configuration.auth_type.removeprefix("v3").removeprefix("v2")


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


def _tls_reason(error: Exception) -> str:
    """What OpenSSL says, as far as it names nobody."""
    match = re.search(r"certificate verify failed: ([A-Za-z -]+)", str(error))
    if match is not None:
        return f": {match.group(1).strip().lower()}"
    match = re.search(r"\[SSL: ([A-Z_]+)\]", str(error))
    return f": {match.group(1).replace('_', ' ').lower()}" if match else ""


def _no_endpoint(login: Login) -> CredentialsError:
    configuration = login.configuration
    kind = configuration.sdk.get_service_type(_COMPUTE)
    offered = _offered(login)
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
