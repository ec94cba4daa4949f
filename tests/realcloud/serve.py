"""Serve one service's WSGI application: serve.py keystone|glance|nova PORT.

Run by the Python of a release's virtual environment, whose packages are all it may import.
"""

import inspect
import os
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

THREADS = 8


def keystone() -> Any:
    """Keystone's WSGI application."""
    wsgi = import_module("keystone.server.wsgi")
    return wsgi.initialize_public_application()


def glance() -> Any:
    """Glance's WSGI application."""
    return import_module("glance.common.wsgi_app").init_app()


def nova() -> Any:
    """Nova's WSGI application for the compute API."""
    if find_spec("nova.monkey_patch"):
        monkey_patch = import_module("nova.monkey_patch")
        # nova <= 31 decides at import. What is decided, the environment says: threads.
        if hasattr(monkey_patch, "patch"):
            monkey_patch.patch()
    initialize = import_module("nova.api.openstack.wsgi_app").init_application
    # nova >= 33 wants a second name. Asked, not tried: a first failure is remembered for good.
    names = ("osapi_compute", "nova-api-os-compute")
    return initialize(*names[: len(inspect.signature(initialize).parameters)])


APPLICATIONS: dict[str, Callable[[], Any]] = {"keystone": keystone, "glance": glance, "nova": nova}


def main(service: str, port: str) -> None:
    """Serve until standard input is closed."""
    threading.Thread(target=end_with_stdin, daemon=True).start()
    sys.argv = [service]  # the services read the command line
    application = APPLICATIONS[service]()
    server = import_module("cheroot.wsgi").Server(
        ("127.0.0.1", int(port)), application, numthreads=THREADS, server_name="localhost"
    )
    server.safe_start()


def end_with_stdin() -> None:
    """End this process when the one that started it ends."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
