"""Start the three services of a cloud, wait until they answer, and stop them."""

import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from .cloud import SERVICES, RealcloudError, end_of, environment_of

SERVE = Path(__file__).with_name("serve.py")
TIMEOUT = 120.0  # seconds to start
REQUEST_TIMEOUT = 30.0


def free_ports():
    """Return a free port for each service."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in SERVICES]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(SERVICES, sockets, strict=True)}


@contextmanager
def serving(cloud):
    """Run the services."""
    with ExitStack() as stack:
        started = {name: stack.enter_context(_process(cloud, name)) for name in SERVICES}
        for name, process in started.items():
            _wait(cloud, name, process)
        yield


@contextmanager
def _process(cloud, service):
    # -P: the service must not import modules beside serve.py.
    command = (cloud.bin / "python", "-P", "-s", SERVE, service, str(cloud.ports[service]))
    with (
        cloud.log(service).open("ab") as log,
        subprocess.Popen(
            command,
            env=environment_of(cloud.folder),
            stdin=subprocess.PIPE,  # the service exits when this process does
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C must not reach it
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _wait(cloud, service, process):
    deadline = time.monotonic() + TIMEOUT
    while not _answers(cloud.ports[service]):
        if process.poll() is not None or time.monotonic() > deadline:
            log = end_of(cloud.log(service))
            raise RealcloudError(f"{service} of {cloud.name} does not answer\n{log}")
        time.sleep(0.1)


def _answers(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
