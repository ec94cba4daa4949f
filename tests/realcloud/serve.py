"""Serve the WSGI application of one service: serve.py keystone|glance|nova PORT.

It runs in the virtual environment of a release, and can import only its packages.
"""

import inspect
import os
import sys
import threading
from importlib import import_module
from importlib.util import find_spec

THREADS = 8


def keystone():
    """Return Keystone's WSGI application."""
    wsgi = import_module("keystone.server.wsgi")
    return wsgi.initialize_public_application()


def glance():
    """Return Glance's WSGI application."""
    return import_module("glance.common.wsgi_app").init_app()


def nova():
    """Return Nova's WSGI application for the compute API."""
    if find_spec("nova.monkey_patch"):
        monkey_patch = import_module("nova.monkey_patch")
        # nova <= 31 patches at import. The environment makes it use threads.
        if hasattr(monkey_patch, "patch"):
            monkey_patch.patch()
    initialize = import_module("nova.api.openstack.wsgi_app").init_application
    # nova >= 33 takes a second name. Look first, because a failed call cannot be repeated.
    names = ("osapi_compute", "nova-api-os-compute")
    return initialize(*names[: len(inspect.signature(initialize).parameters)])


APPLICATIONS = {"keystone": keystone, "glance": glance, "nova": nova}


def main(service, port):
    """Serve until standard input is closed."""
    threading.Thread(target=end_with_stdin, daemon=True).start()
    sys.argv = [service]  # services read the command line
    application = APPLICATIONS[service]()
    server = import_module("cheroot.wsgi").Server(
        ("127.0.0.1", int(port)), application, numthreads=THREADS, server_name="localhost"
    )
    server.safe_start()


def end_with_stdin():
    """Exit when the parent process exits."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
