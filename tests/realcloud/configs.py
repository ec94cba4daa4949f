"""The configuration files of the three services."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from .cloud import Cloud

Sections = Mapping[str, Mapping[str, str | Path]]

# The paste files of the services in the virtual environment. Keystone has none.
PASTE = {"nova": "etc/nova/api-paste.ini", "glance": "etc/glance/glance-api-paste.ini"}

# Glance 19 and older have no default policy: without rules, everything is forbidden.
GLANCE_POLICY = """\
{
    "context_is_admin": "role:admin",
    "default": "",
    "publicize_image": "role:admin",
    "deactivate": "role:admin",
    "reactivate": "role:admin"
}
"""


def write(cloud: Cloud) -> None:
    """Write every configuration file of the cloud."""
    for service, name, sections in (
        ("keystone", "keystone.conf", keystone(cloud)),
        ("glance", "glance-api.conf", glance(cloud)),
        ("nova", "nova.conf", nova(cloud)),
    ):
        folder = cloud.etc(service)
        folder.mkdir(parents=True)
        (folder / name).write_text(render(sections), encoding="utf-8")
    for service, paste in PASTE.items():
        shutil.copy(cloud.environment / paste, cloud.etc(service))
    (cloud.etc("glance") / "policy.json").write_text(GLANCE_POLICY, encoding="utf-8")


def render(sections: Sections) -> str:
    """Return an INI file."""
    blocks = (
        "\n".join([f"[{section}]", *(f"{key} = {value}" for key, value in options.items()), ""])
        for section, options in sections.items()
    )
    return "\n".join(blocks)


def keystone(cloud: Cloud) -> Sections:
    """Return the sections of keystone.conf."""
    return {
        "DEFAULT": {"use_stderr": "true", "public_endpoint": cloud.url("keystone")},
        "database": _database(cloud, "keystone"),
        "token": {"provider": "fernet"},
        "fernet_tokens": {"key_repository": cloud.folder / "fernet"},
        "fernet_receipts": {"key_repository": cloud.folder / "fernet"},
        "credential": {"key_repository": cloud.folder / "credential"},
    }


def glance(cloud: Cloud) -> Sections:
    """Return the sections of glance-api.conf."""
    # With `enabled_backends`, Glance 18 fails every upload with KeyError: 'backend'.
    old = cloud.release.glance_series < 20
    images = {"filesystem_store_datadir": cloud.folder / "images"}
    return {
        "DEFAULT": {
            "use_stderr": "true",
            "public_endpoint": cloud.url("glance"),
            "worker_self_reference_url": cloud.url("glance"),
            **({} if old else {"enabled_backends": "files:file"}),
        },
        "database": _database(cloud, "glance"),
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": cloud.etc("glance") / "glance-api-paste.ini",
        },
        "keystone_authtoken": _authtoken(cloud, "glance"),
        "oslo_concurrency": {"lock_path": cloud.folder / "lock"},
        **(_old_stores(cloud, images) if old else _stores(cloud, images)),
    }


def _old_stores(cloud: Cloud, images: Mapping[str, Path]) -> Sections:
    return {
        "glance_store": {"stores": "file", "default_store": "file", **images},
        "oslo_policy": {"policy_file": cloud.etc("glance") / "policy.json"},
    }


def _stores(cloud: Cloud, images: Mapping[str, Path]) -> Sections:
    return {
        "glance_store": {"default_backend": "files"},
        "files": images,
        "os_glance_tasks_store": {"filesystem_store_datadir": cloud.folder / "tasks"},
        "os_glance_staging_store": {"filesystem_store_datadir": cloud.folder / "staging"},
    }


def nova(cloud: Cloud) -> Sections:
    """Return the sections of nova.conf: no cell, conductor, placement or message queue."""
    return {
        "DEFAULT": {
            "use_stderr": "true",
            "host": "realcloud",
            "my_ip": "127.0.0.1",
            "transport_url": "fake:/",
            "state_path": cloud.folder / "nova",
        },
        "api": {"auth_strategy": "keystone"},
        "database": _database(cloud, "nova"),
        "api_database": _database(cloud, "nova_api"),
        "glance": {"api_servers": cloud.url("glance")},
        "cache": {"enabled": "false"},
        "keystone_authtoken": _authtoken(cloud, "nova"),
        "oslo_concurrency": {"lock_path": cloud.folder / "lock"},
    }


def _database(cloud: Cloud, name: str) -> dict[str, str | Path]:
    return {
        "connection": f"sqlite:///{cloud.database(name)}?timeout=60",
        "sqlite_synchronous": "false",
    }


def _authtoken(cloud: Cloud, user: str) -> dict[str, str | Path]:
    return {
        "www_authenticate_uri": cloud.url("keystone"),
        "auth_url": f"{cloud.url('keystone')}/v3",
        "auth_type": "password",
        "username": user,
        "password": cloud.passwords[user],
        "project_name": "service",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "service_token_roles_required": "true",
    }
