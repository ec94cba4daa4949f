"""The three services of a cloud: start them, wait until they answer, end them."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from .errors import ServiceError, UsageError
from .layout import Layout
from .processes import Process, spawn, stop
from .state import State, save

SERVICES = ("keystone", "glance", "nova")
SERVE = Path(__file__).with_name("serve.py")
START_TIMEOUT = 120.0
REQUEST_TIMEOUT = 30.0
FIRST_PORT = 20_000


def choose_ports(series: int) -> dict[str, int]:
    """A free port for each service.

    Each release looks in a hundred of its own, below the range the system lends to outgoing
    connections: a cloud that is started again should find its ports free.

    Raises:
        UsageError: That hundred is taken.
    """
    hundred = range(FIRST_PORT + 100 * series, FIRST_PORT + 100 * (series + 1))
    free = (port for port in hundred if is_free(port))
    ports = dict(zip(SERVICES, free, strict=False))
    if len(ports) < len(SERVICES):
        taken = f"The ports {hundred[0]} to {hundred[-1]} are all taken."
        message = f"{taken} See who has them with: ss -ltnp"
        raise UsageError(message)
    return ports


def is_free(port: int) -> bool:
    """Whether one can listen on the port."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections still linger is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def environment(layout: Layout) -> Mapping[str, str]:
    """What services and management commands see: nothing of the caller's OS_* or PYTHON*."""
    return {
        "PATH": os.defpath,
        "HOME": str(layout.cloud),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        # Two clouds of one release shall say the same, also where the order of a set shows.
        "PYTHONHASHSEED": "0",
        "PYTHONWARNINGS": "ignore",
        "OS_KEYSTONE_CONFIG_DIR": str(layout.etc("keystone")),
        "OS_GLANCE_CONFIG_DIR": str(layout.etc("glance")),
        "OS_NOVA_CONFIG_DIR": str(layout.etc("nova")),
        # Nova is served by threads.
        "OS_NOVA_DISABLE_EVENTLET_PATCHING": "1",
    }


def start(layout: Layout, state: State) -> State:
    """Start the services that do not run; gives the state with their processes."""
    for service in SERVICES:
        if service in state.alive:
            continue
        if not is_free(state.ports[service]):
            message = (
                f"Port {state.ports[service]}, which {service} of release {layout.series} needs, "
                "is taken. Free it (ss -ltnp tells who has it), or build the cloud again on other "
                f"ports: python -m tests.realcloud down {layout.series} and then up"
            )
            raise UsageError(message)
        layout.log(service).parent.mkdir(exist_ok=True, mode=0o700)
        state = _start_one(layout, state, service)
    return state


def _start_one(layout: Layout, state: State, service: str) -> State:
    started: list[State] = []

    def record(process: Process) -> None:
        started.append(state.with_process(service, process))
        save(started[0], layout)

    spawn(
        # -P: the modules beside serve.py must not be found by the service.
        (layout.python, "-P", "-s", SERVE, service, str(state.ports[service])),
        environment=environment(layout),
        log=layout.log(service),
        record=record,
    )
    return started[0]


def wait(layout: Layout, state: State, report: Callable[[str], None]) -> None:
    """Wait until every service answers.

    Raises:
        ServiceError: One ended, or did not answer in time.
    """
    deadline = time.monotonic() + START_TIMEOUT
    for service in SERVICES:
        log = layout.log(service)
        while not _answers(state.ports[service]):
            if not state.processes[service].alive:
                raise ServiceError(f"{service} ended while it was starting.", log)
            if time.monotonic() > deadline:
                raise ServiceError(f"{service} gave no answer in {START_TIMEOUT:.0f} s.", log)
            time.sleep(0.1)
        report(f"{service} answers on port {state.ports[service]}")


def end(layout: Layout, state: State, report: Callable[[str], None]) -> None:
    """End the services that run."""
    for service, process in state.alive.items():
        stop(process, log=layout.log(service))
        report(f"{service} (pid {process.pid}) has ended")


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_TIMEOUT)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
