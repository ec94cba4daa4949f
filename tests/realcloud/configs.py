"""The configuration files of the three services."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from .layout import Layout
from .releases import Release
from .state import State

Sections = Mapping[str, Mapping[str, str | Path]]

# Where each service's own paste file lies in its virtual environment. Keystone has none.
PASTE = {"nova": "etc/nova/api-paste.ini", "glance": "etc/glance/glance-api-paste.ini"}

# Glance 19 and older have no policy in their code: without any rule all is forbidden.
GLANCE_POLICY = """\
{
    "context_is_admin": "role:admin",
    "default": "",
    "publicize_image": "role:admin",
    "deactivate": "role:admin",
    "reactivate": "role:admin"
}
"""


def write(release: Release, layout: Layout, state: State) -> None:
    """Write every configuration file of the cloud."""
    for service, name, sections in (
        ("keystone", "keystone.conf", keystone(layout, state)),
        ("glance", "glance-api.conf", glance(release, layout, state)),
        ("nova", "nova.conf", nova(layout, state)),
    ):
        folder = layout.etc(service)
        folder.mkdir(parents=True)
        (folder / name).write_text(render(sections), encoding="utf-8")
    for service, paste in PASTE.items():
        shutil.copy(layout.environment / paste, layout.etc(service))
    (layout.etc("glance") / "policy.json").write_text(GLANCE_POLICY, encoding="utf-8")


def render(sections: Sections) -> str:
    """An INI file."""
    blocks = (
        "\n".join([f"[{section}]", *(f"{key} = {value}" for key, value in options.items()), ""])
        for section, options in sections.items()
    )
    return "\n".join(blocks)


def keystone(layout: Layout, state: State) -> Sections:
    """Sections of keystone.conf."""
    return {
        "DEFAULT": {"use_stderr": "true", "public_endpoint": state.url("keystone")},
        "database": _database(layout, "keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": layout.cloud / "fernet"},
        "fernet_receipts": {"key_repository": layout.cloud / "fernet"},
        "credential": {"key_repository": layout.cloud / "credential"},
    }


def glance(release: Release, layout: Layout, state: State) -> Sections:
    """Sections of glance-api.conf."""
    return {
        "DEFAULT": {
            "use_stderr": "true",
            "public_endpoint": state.url("glance"),
            "worker_self_reference_url": state.url("glance"),
            **({"enabled_backends": "files:file"} if _has_many_stores(release) else {}),
        },
        "database": _database(layout, "glance"),
        **_stores(release, layout),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": layout.etc("glance") / "glance-api-paste.ini",
        },
        "keystone_authtoken": _authtoken(state, "glance"),
        "oslo_concurrency": {"lock_path": layout.cloud / "lock"},
        **_policy(release, layout),
    }


def nova(layout: Layout, state: State) -> Sections:
    """Sections of nova.conf: an API that needs no cell, conductor, placement or message queue."""
    return {
        "DEFAULT": {
            "use_stderr": "true",
            "host": "realcloud",
            "my_ip": "127.0.0.1",
            "transport_url": "fake:/",
            "state_path": layout.cloud / "nova",
        },
        "api": {"auth_strategy": "keystone"},
        "database": _database(layout, "nova"),
        "api_database": _database(layout, "nova_api"),
        "glance": {"api_servers": state.url("glance")},
        "cache": {"enabled": "false"},
        "keystone_authtoken": _authtoken(state, "nova"),
        "oslo_concurrency": {"lock_path": layout.cloud / "lock"},
    }


def _has_many_stores(release: Release) -> bool:
    # Glance 18 knows the option, and fails every upload with KeyError: 'backend'.
    return release.glance_series >= 20


def _stores(release: Release, layout: Layout) -> Sections:
    if not _has_many_stores(release):
        return {
            "glance_store": {
                "stores": "file",
                "default_store": "file",
                "filesystem_store_datadir": layout.cloud / "images",
            }
        }
    return {
        "glance_store": {"default_backend": "files"},
        "files": {"filesystem_store_datadir": layout.cloud / "images"},
        "os_glance_tasks_store": {"filesystem_store_datadir": layout.cloud / "tasks"},
        "os_glance_staging_store": {"filesystem_store_datadir": layout.cloud / "staging"},
    }


def _policy(release: Release, layout: Layout) -> Sections:
    if release.glance_series >= 20:
        return {}
    return {"oslo_policy": {"policy_file": layout.etc("glance") / "policy.json"}}


def _database(layout: Layout, name: str) -> dict[str, str | Path]:
    return {
        "connection": f"sqlite:///{layout.database(name)}?timeout=60",
        "sqlite_synchronous": "false",
    }


def _authtoken(state: State, user: str) -> dict[str, str | Path]:
    return {
        "www_authenticate_uri": state.url("keystone"),
        "auth_url": f"{state.url('keystone')}/v3",
        "auth_type": "password",
        "username": user,
        "password": state.passwords[user],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "service_token_roles_required": "true",
    }
