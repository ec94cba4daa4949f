"""The configuration files of the three services."""

import shutil

# The paste files of the services in the virtual environment. Keystone has none.
PASTE = {"nova": "etc/nova/api-paste.ini", "glance": "etc/glance/glance-api-paste.ini"}

KEYSTONE = """\
[DEFAULT]
use_stderr = true
public_endpoint = {keystone}
[database]
connection = sqlite:///{folder}/keystone.sqlite?timeout=60
sqlite_synchronous = false
[token]
provider = fernet
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/fernet
[credential]
key_repository = {folder}/credential
"""
AUTHTOKEN = """\
[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}/v3
auth_type = password
username = {service}
password = {password}
project_name = service
user_domain_name = Default
project_domain_name = Default
service_token_roles_required = true
[oslo_concurrency]
lock_path = {folder}/lock
"""
GLANCE = """\
[DEFAULT]
use_stderr = true
public_endpoint = {glance}
worker_self_reference_url = {glance}
{backends}
[database]
connection = sqlite:///{folder}/glance.sqlite?timeout=60
sqlite_synchronous = false
[paste_deploy]
flavor = keystone
config_file = {folder}/etc/glance/glance-api-paste.ini
"""
OLD_STORES = """\
[glance_store]
stores = file
default_store = file
filesystem_store_datadir = {folder}/images
[oslo_policy]
policy_file = {folder}/etc/glance/policy.json
"""
STORES = """\
[glance_store]
default_backend = files
[files]
filesystem_store_datadir = {folder}/images
[os_glance_tasks_store]
filesystem_store_datadir = {folder}/tasks
[os_glance_staging_store]
filesystem_store_datadir = {folder}/staging
"""
# No cell, conductor, placement or message queue.
NOVA = """\
[DEFAULT]
use_stderr = true
host = realcloud
my_ip = 127.0.0.1
transport_url = fake:/
state_path = {folder}/nova
[api]
auth_strategy = keystone
[database]
connection = sqlite:///{folder}/nova.sqlite?timeout=60
sqlite_synchronous = false
[api_database]
connection = sqlite:///{folder}/nova_api.sqlite?timeout=60
sqlite_synchronous = false
[glance]
api_servers = {glance}
[cache]
enabled = false
"""

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


def write(cloud):
    """Write every configuration file of the cloud."""
    # With `enabled_backends`, Glance 18 fails every upload with KeyError: 'backend'.
    old = cloud.release.glance_series < 20
    urls = {service: cloud.url(service) for service in ("keystone", "glance")}
    backends = "" if old else "enabled_backends = files:file"
    for service, name, text in (
        ("keystone", "keystone.conf", KEYSTONE),
        ("glance", "glance-api.conf", GLANCE + AUTHTOKEN + (OLD_STORES if old else STORES)),
        ("nova", "nova.conf", NOVA + AUTHTOKEN),
    ):
        own = {"service": service, "password": cloud.passwords.get(service)}
        folder = cloud.etc(service)
        folder.mkdir(parents=True)
        (folder / name).write_text(
            text.format(folder=cloud.folder, backends=backends, **urls, **own), encoding="utf-8"
        )
    for service, paste in PASTE.items():
        shutil.copy(cloud.environment / paste, cloud.etc(service))
    (cloud.etc("glance") / "policy.json").write_text(GLANCE_POLICY, encoding="utf-8")
