"""The four SQLite databases: their tables, and Keystone's keys and first administrator."""

import grp
import os
import pwd
import sqlite3
from contextlib import closing

from .commands import Commands
from .layout import Layout
from .services import environment
from .state import State

TIMEOUT = 300

# glance <= 24 registers its old commands twice, which Python 3.11's argparse refuses ("conflicting
# subparser"); later ones do not mind their absence.
GLANCE_MANAGE = """\
import sys
import glance.cmd.manage as manage
manage.add_legacy_command_parsers = lambda *_: None
sys.exit(manage.main())
"""


def create(layout: Layout, state: State, commands: Commands) -> None:
    """Create every database of the cloud."""
    layout.database("keystone").parent.mkdir()
    _create_keystone(layout, state, commands)
    _manage(
        layout,
        commands,
        *(layout.python, "-c", GLANCE_MANAGE),
        *("--config-file", layout.etc("glance") / "glance-api.conf", "db", "sync"),
    )
    nova_manage = (layout.bin / "nova-manage", "--config-file", layout.etc("nova") / "nova.conf")
    _manage(layout, commands, *nova_manage, "api_db", "sync")
    _manage(layout, commands, *nova_manage, "db", "sync", "--local_cell")
    for name in ("keystone", "glance", "nova", "nova_api"):
        # Without it Keystone answers some requests with 500 "database is locked", or hangs.
        with closing(sqlite3.connect(layout.database(name))) as database:
            database.execute("PRAGMA journal_mode = WAL")


def _create_keystone(layout: Layout, state: State, commands: Commands) -> None:
    manage = (
        layout.bin / "keystone-manage",
        "--config-file",
        layout.etc("keystone") / "keystone.conf",
    )
    # Keystone insists on hearing who owns the keys when it runs as root.
    owner = (
        "--keystone-user",
        pwd.getpwuid(os.geteuid()).pw_name,
        "--keystone-group",
        grp.getgrgid(os.getegid()).gr_name,
    )
    url = f"{state.url('keystone')}/v3"
    _manage(layout, commands, *manage, "db_sync")
    _manage(layout, commands, *manage, "fernet_setup", *owner)
    _manage(layout, commands, *manage, "credential_setup", *owner)
    _manage(
        layout,
        commands,
        *manage,
        "bootstrap",
        *("--bootstrap-region-id", "RegionOne"),
        *("--bootstrap-public-url", url),
        *("--bootstrap-internal-url", url),
        *("--bootstrap-admin-url", url),
        # By the environment: command lines are for everybody to see.
        OS_BOOTSTRAP_PASSWORD=state.passwords["admin"],
    )


def _manage(layout: Layout, commands: Commands, *argv: object, **variables: str) -> None:
    commands.run(
        *(str(word) for word in argv),
        timeout=TIMEOUT,
        environment={**environment(layout), **variables},
    )
