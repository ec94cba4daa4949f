"""Read clouds.yaml, secure.yaml and the OS_* variables with openstacksdk."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from itertools import chain
from pathlib import Path
from ssl import SSLContext
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pytest_imagedetail.body import yaml as yamltext
from pytest_imagedetail.body.json import leaves
from pytest_imagedetail.errors import CredentialsError, did_you_mean
from pytest_imagedetail.redact import names
from pytest_imagedetail.redact.known import is_searchable
from pytest_imagedetail.settings import find_root
from pytest_imagedetail.transport.http import interim_skipped, silenced, tls_context
from pytest_imagedetail.transport.request import is_endpoint, is_http_url

# These log Keystone's address, and at DEBUG the whole token document.
_LOGGERS: Final = ("keystoneauth", "openstack", "urllib3", "requests", "stevedore")
_TIMEOUT: Final = 60.0  # openstacksdk itself has none
_BUILT_IN: Final = "defaults"  # openstacksdk's cloud if none is configured
_ALSO_SECRET: Final = frozenset({"application_credential_id", "code", "trust_id"})
_REMEDY: Final = "correct it; quote passwords with special characters"
_FILES: Final = yamltext.Files(CredentialsError, _REMEDY)
COMPUTE: Final = "compute"

# What openstacksdk, keystoneauth and their plugins raise for malformed files and responses.
MALFORMED: Final = (LookupError, AttributeError, TypeError, ValueError, RuntimeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One cloud of clouds.yaml or of the OS_* variables."""

    cloud: str
    files: tuple[Path, ...]  # empty if it comes from variables
    auth_type: str
    region: str | None  # None for the catalog's first
    interface: str  # "public", "internal" or "admin", or several in order of preference
    tls: SSLContext = field(repr=False)
    sdk: Any = field(repr=False)  # openstacksdk's CloudRegion

    @property
    def where(self) -> str:
        """Describe the cloud and its file, for error messages."""
        source = f"of {self.files[0]}" if self.files else "of the OS_* variables"
        return f"cloud {self.cloud!r} {source}"


def sdk_version() -> str:
    """Return the version of openstacksdk; raise CredentialsError if it is not installed."""
    try:
        import openstack.config  # noqa: F401, PLC0415  heavy, and optional

        return metadata.version("openstacksdk")
    except ImportError:
        raise CredentialsError(
            "recording needs openstacksdk, which is not installed",
            remedy="install it: pip install openstacksdk",
        ) from None


def configure(os_cloud: str | None, *, declared: Iterable[str] = ()) -> Configuration:
    """Read the configuration of a cloud, by default of `OS_CLOUD`; raise CredentialsError.

    The error for a misspelled name also suggests names `declared` in imagedetail.yaml.
    """
    sdk_version()
    from keystoneauth1.exceptions import AuthPluginException  # noqa: PLC0415
    from openstack.config import OpenStackConfig  # noqa: PLC0415
    from openstack.exceptions import SDKException  # noqa: PLC0415

    first_files = [paths[:1] for paths in _credential_files().values()]
    files = tuple(path for paths in first_files for path in paths)
    for path in files:
        _clouds_in(path)  # openstacksdk would skip a broken file
    known: Sequence[str] = ()
    with quiet_sdk():
        try:
            config, secure = ([*map(str, paths)] for paths in first_files)
            sdk_config = OpenStackConfig(config_files=config, secure_files=secure)
            known = _names(sdk_config)
            name = os_cloud or sdk_config.default_cloud
            if name in known:
                region = sdk_config.get_one(cloud=name)
                region.config["api_timeout"] = float(region.config.get("api_timeout") or _TIMEOUT)
                used = files if name != sdk_config.envvar_key else ()
                configuration = _configuration(region, files=used)
                _check_complete(region.config)
                return configuration
            failure = _unknown(name if name != _BUILT_IN else None, known, files, declared)
        except (AuthPluginException, SDKException, OSError, *MALFORMED) as error:
            failure = _unusable(os_cloud, error, files)
    raise failure


@contextmanager
def quiet_sdk() -> Iterator[None]:
    """Silence logs and warnings of the libraries, which quote secrets; skip interim responses."""
    with silenced(*_LOGGERS), interim_skipped(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def configured_secrets(os_cloud: str) -> frozenset[str]:
    """Return the secrets in clouds.yaml, secure.yaml and the `OS_*` variables.

    A test's own client may log in with any of them. Secrets of other clouds are included, except
    ordinary words, which may occur elsewhere.
    """
    variables = {name[3:].lower(): text for name, text in os.environ.items() if name[:3] == "OS_"}
    secrets = set(secrets_in(variables))
    for path in chain.from_iterable(_credential_files().values()):
        for name, section in _clouds_in(path).items():
            values = secrets_in(section)
            secrets.update(values if name == os_cloud else filter(is_searchable, values))
    return frozenset(secret for secret in secrets if not names.is_harmless(secret))


def secrets_in(section: Any) -> Iterator[str]:
    """Yield the secrets of a section, at any depth."""
    for path, value in leaves(section):
        name = next((key for key in reversed(path) if isinstance(key, str)), "")
        is_text = isinstance(value, str | int) and not isinstance(value, bool)
        if is_text and (name in _ALSO_SECRET or names.names_secret(name)):
            yield str(value)
        elif isinstance(value, str) and "@" in value and is_http_url(value):
            yield unquote(urlsplit(value).password or "")


def _credential_files() -> dict[str, list[Path]]:
    """Return the files that openstacksdk may read, best first, by the variable that overrides them.

    The project's root comes after the current folder. Raise CredentialsError for a variable that
    names no file.
    """
    try:
        from openstack.config import loader  # noqa: PLC0415
    except ImportError:
        return {}  # then no client in this process reads them
    current = Path.cwd()
    root = find_root(current)
    files: dict[str, list[Path]] = {}
    for variable, candidates in (
        ("OS_CLIENT_CONFIG_FILE", [*map(Path, loader.CONFIG_FILES)]),
        ("OS_CLIENT_SECURE_FILE", [*map(Path, loader.SECURE_FILES)]),
    ):
        first = [path for path in candidates if path.parent == current]
        paths = dict.fromkeys([*first, *(root / path.name for path in candidates), *candidates])
        files[variable] = [path for path in paths if path.exists()]
        if override := os.environ.get(variable):
            files[variable] = [Path(override)]
            if not Path(override).exists():
                raise CredentialsError(
                    f"{variable} names a file that does not exist",
                    where=override,
                    remedy=f"correct {variable}, or unset it to search the usual folders",
                )
    return files


def _clouds_in(path: Path) -> dict[Any, Any]:
    """Return the clouds of a credential file; raise CredentialsError if it is broken.

    The error quotes no value, and chains no error with values in its frames.
    """
    where = str(path)
    try:
        # No variable holds the document: a traceback could show it.
        return dict((_FILES.read(path) or {}).get("clouds", {}).items())
    except CredentialsError as error:
        unreadable = isinstance(error.__cause__, OSError)
        problem = error.problem if unreadable else "the file is not valid YAML"
        where = error.where
    except AttributeError:
        problem = "the file has no `clouds:` with a section for each cloud"
    raise CredentialsError(problem, where=where, remedy=_REMEDY)


def _configuration(region: Any, *, files: tuple[Path, ...]) -> Configuration:
    interface = region.get_interface(COMPUTE)
    verify, certificate = region.get_requests_verify_args()
    configuration = Configuration(
        cloud=region.name,
        files=files,
        auth_type=str(region.config.get("auth_type") or "none"),
        region=region.get_region_name(COMPUTE) or None,
        interface=", ".join(interface) if isinstance(interface, list) else str(interface),
        tls=tls_context(verify=verify, certificate=certificate),
        sdk=region,
    )
    for key in ("auth_url", "endpoint"):  # no traceback may show the section
        if region.config["auth"].get(key) and not is_endpoint(str(region.config["auth"][key])):
            raise CredentialsError(
                f"{key} is not a valid http or https URL",
                where=configuration.where,
                remedy=f"write {key} as in https://HOST:PORT/v3",
            )
    return configuration


def _check_complete(section: Any) -> None:
    """Raise MissingRequiredOptions for options that keystoneauth checks only at login."""
    from keystoneauth1 import loading  # noqa: PLC0415
    from keystoneauth1.exceptions import MissingRequiredOptions  # noqa: PLC0415

    options = {option.dest: option for option in loading.get_plugin_options(section["auth_type"])}
    given = {name for name, value in section["auth"].items() if value not in (None, "")}
    needed = [("username", "user_id"), ("password",)] if "password" in options else []
    if missing := [options[either[0]] for either in needed if not given.intersection(either)]:
        raise MissingRequiredOptions(missing)


def _names(sdk_config: Any) -> tuple[str, ...]:
    """Return the configured clouds, without openstacksdk's built-in `defaults`."""
    clouds = sdk_config.get_cloud_names() if sdk_config.default_cloud != _BUILT_IN else ()
    return tuple(name for name in clouds if isinstance(name, str))


def _unknown(
    os_cloud: str | None, known: Sequence[str], files: tuple[Path, ...], declared: Iterable[str]
) -> CredentialsError:
    listing = f"it has: {', '.join(sorted(known))}"
    if os_cloud is None:
        problem = "no cloud is named"
        remedy = f"name one: --os-cloud NAME, or set OS_CLOUD\n{listing}"
    else:
        problem = f"clouds.yaml has no usable cloud {os_cloud!r}"
        remedy = (
            f"{did_you_mean(os_cloud, [*known, *declared])}{listing}\n"
            "name one that clouds.yaml has, or set OS_CLIENT_CONFIG_FILE to another file\n"
            f"or map the name in imagedetail.yaml: {os_cloud}: {{os_cloud: NAME}}"
        )
    if not known:
        remedy = (
            "write a clouds.yaml, or set OS_CLIENT_CONFIG_FILE to the one you have\n"
            "or source an openrc file (OS_AUTH_URL, OS_USERNAME, ...): its cloud is `envvars`"
        )
    return CredentialsError(problem, where=_where(files), remedy=remedy)


def _where(files: tuple[Path, ...]) -> str:
    if files:
        return str(files[0])
    return (
        "there is no clouds.yaml here, in the project's root, in ~/.config/openstack or in "
        "/etc/openstack"
    )


def _unusable(os_cloud: str | None, error: Exception, files: tuple[Path, ...]) -> CredentialsError:
    """Explain why a section is unusable; quote only errors without values."""
    from keystoneauth1.exceptions import (  # noqa: PLC0415
        MissingRequiredOptions,
        NoMatchingPlugin,
        OptionError,
    )

    problem = f"openstacksdk cannot read its section ({type(error).__name__})"
    remedy = "correct its section in clouds.yaml and secure.yaml"
    match error:
        case NoMatchingPlugin():
            problem = f"unknown auth_type {error.name!r}"
            remedy = "common ones: password, v3applicationcredential, token"
        case MissingRequiredOptions():
            missing = " and ".join(option.dest for option in error.options)
            problem = f"its auth section is incomplete: without {missing}"
        case OptionError():
            problem = f"its auth section is incomplete: {error}"
        case OSError():  # also from requests; its text names hosts
            problem = "its profile cannot be read: openstacksdk asks the vendor for it"
            remedy = "check the network, or write the profile's auth_url instead of the profile"
        case TypeError():  # "missing 1 required positional argument: 'auth_url'"
            problem = f"its auth section does not fit its auth_type: {error}"
    where = f"{_where(files)}, cloud {os_cloud!r}" if os_cloud else _where(files)
    return CredentialsError(problem, where=where, remedy=remedy)
