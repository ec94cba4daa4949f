"""Create the four SQLite databases, and Keystone's keys and administrator."""

import grp
import os
import pwd
import sqlite3
from contextlib import closing

# Glance 24 and older register their old commands twice, which argparse of Python 3.11 refuses
# ("conflicting subparser"). Newer releases do not need them.
GLANCE_MANAGE = """\
import sys
import glance.cmd.manage as manage
manage.add_legacy_command_parsers = lambda *_: None
sys.exit(manage.main())
"""


def create(cloud):
    """Create every database of the cloud."""
    _create_keystone(cloud)
    glance = (cloud.bin / "python", "-c", GLANCE_MANAGE)
    cloud.run(*glance, "--config-file", cloud.etc("glance") / "glance-api.conf", "db", "sync")
    nova = (cloud.bin / "nova-manage", "--config-file", cloud.etc("nova") / "nova.conf")
    cloud.run(*nova, "api_db", "sync")
    cloud.run(*nova, "db", "sync", "--local_cell")
    for name in ("keystone", "glance", "nova", "nova_api"):
        # Without it Keystone answers some requests with 500 "database is locked", or hangs.
        with closing(sqlite3.connect(cloud.database(name))) as database:
            database.execute("PRAGMA journal_mode = WAL")


def _create_keystone(cloud):
    config = cloud.etc("keystone") / "keystone.conf"
    manage = (cloud.bin / "keystone-manage", "--config-file", config)
    # If it runs as root, Keystone needs the owner of the keys.
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    owner = ("--keystone-user", user, "--keystone-group", group)
    cloud.run(*manage, "db_sync")
    cloud.run(*manage, "fernet_setup", *owner)
    cloud.run(*manage, "credential_setup", *owner)
    urls = (f"--bootstrap-{each}-url" for each in ("public", "internal", "admin"))
    cloud.run(
        *(*manage, "bootstrap", "--bootstrap-region-id", "RegionOne"),
        *(word for option in urls for word in (option, f"{cloud.url('keystone')}/v3")),
        OS_BOOTSTRAP_PASSWORD=cloud.passwords["admin"],  # everyone can read a command line
    )
