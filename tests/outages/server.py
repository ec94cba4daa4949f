"""A cloud that answers requests for a listing as a test plans."""

import json
import socket
import struct
import threading
from contextlib import suppress

LONGEST = 60  # seconds before a stuck test ends; none comes near


class FaultyServer:
    """Stands before a simulated cloud: Keystone's answers pass, listings come from a script.

    Attributes:
        script: What happens to each request for a listing, in order: functions of the server
            and the connection. A request beyond its end is a 500.
        asked: The target and the token of every request for a listing.
        logins: How often Keystone was asked for a token.
        over: Set when the test ends, for what waits.
    """

    def __init__(self, cloud):
        self.cloud = cloud
        self.script = []
        self.asked = []
        self.logins = 0
        self.arrived = threading.Event()
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        self.go_away()
        self._thread.join(LONGEST)
        assert not self._thread.is_alive()

    @property
    def endpoint(self):
        """The compute endpoint as the catalog has it."""
        path = self.cloud.compute_url.partition("//")[2].partition("/")[2]
        return f"http://127.0.0.1:{self.port}/{path}"

    @property
    def secrets(self):
        """What no message may show."""
        account = self.cloud.account
        return (f":{self.port}", "127.0.0.1", account.token, account.password, account.project_id)

    def clouds_yaml(self, name, **options):
        """An entry for clouds.yaml that leads here instead of to the cloud."""
        port = self.cloud.auth_url.split(":")[2].partition("/")[0]
        text = self.cloud.clouds_yaml(name).replace(f":{port}/", f":{self.port}/")
        return text + "".join(f"    {key}: {value}\n" for key, value in options.items())

    def plan(self, *acts):
        """Set the script and forget what was asked so far."""
        self.script[:] = acts
        self.asked.clear()
        self.logins = 0
        self.arrived.clear()

    def go_away(self):
        """Close the port."""
        with suppress(OSError):  # wakes accept()
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self):
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                break
            threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(LONGEST)

    def _serve(self, connection):
        with connection, suppress(ConnectionError):
            connection.settimeout(LONGEST)
            request = _read_request(connection)
            if not request:
                return
            target = request.split(b" ", 2)[1].decode()
            if "/images/detail" not in target:
                self.logins += request.startswith(b"POST ")
                connection.sendall(self._pass_on(request))
                return
            self.asked.append((target, _token(request)))
            act = self.script.pop(0) if self.script else say(500, b"nothing was planned")
            self.arrived.set()
            act(self, connection)

    def _pass_on(self, request):
        """Ask the cloud; it answers for this address, which the Host header names."""
        port = int(self.cloud.auth_url.split(":")[2].partition("/")[0])
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection")]
        with socket.create_connection(("127.0.0.1", port), LONGEST) as onward:
            onward.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            received = b"".join(iter(lambda: onward.recv(65536), b""))
        return received.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)


def _read_request(connection):
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"),
        0,
    )
    while len(body) < length and (more := connection.recv(65536)):
        body += more
    return head + b"\r\n\r\n" + body


def _token(request):
    (line,) = (line for line in request.split(b"\r\n") if line.lower().startswith(b"x-auth-token:"))
    return line.partition(b":")[2].strip().decode()


def head_of(status, *fields, length=None):
    """A status line and header fields, with their end."""
    lines = [b"HTTP/1.1 %d Outage" % status, b"Content-Type: application/json", *fields]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def page(server, *names, next_=None):
    """One page of a listing as bytes, with links that hold the address and the project."""
    images = [
        {
            "id": f"70a599e0-31e7-49b7-b260-{number:012}",
            "name": name,
            "status": "ACTIVE",
            "links": [{"rel": "self", "href": f"{server.endpoint}/images/{number}"}],
        }
        for number, name in enumerate(names, start=1)
    ]
    document = {"images": images}
    if next_ is not None:
        href = f"{server.endpoint}/images/detail?marker={next_}"
        document["images_links"] = [{"rel": "next", "href": href}]
    return json.dumps(document).encode()


def say(status, body=b"", *fields):
    """Answer with a status and a body."""
    return send(head_of(status, *fields, length=len(body)) + body)


def send(data):
    """Send these bytes and close the connection."""

    def act(server, connection):
        connection.sendall(data)

    return act


def show(*names, next_=None):
    """Answer with a good page."""

    def act(server, connection):
        body = page(server, *names, next_=next_)
        connection.sendall(head_of(200, length=len(body)) + body)

    return act


def reset(sent):
    """Send these bytes, then reset the connection."""

    def act(server, connection):
        connection.sendall(sent)
        server.over.wait(0.05)  # the bytes arrive before the reset drops them
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def last(act):
    """Answer, and be gone before anyone asks again."""

    def act_and_go(server, connection):
        server.go_away()
        act(server, connection)

    return act_and_go


def hang(sent=b""):
    """Send these bytes and then nothing."""

    def act(server, connection):
        connection.sendall(sent)
        server.over.wait(LONGEST)

    return act


def drip(head, drop):
    """Send a head, then a drop now and then for as long as anyone listens."""

    def act(server, connection):
        connection.sendall(head)
        while not server.over.wait(0.2):
            connection.sendall(drop)

    return act
