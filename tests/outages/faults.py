"""Every kind of outage with the message that it must end in."""

import gzip
from dataclasses import dataclass

from outages.server import (
    drip,
    hang,
    head_of,
    last,
    reset,
    say,
    send,
    show,
)

_TRY_AGAIN = (
    "nothing was written and an older recording is untouched",
    "check that the cloud is up and reachable from here, then ask again",
)
_REDIRECTED = (
    "redirects are not followed, because the token would be sent along",
    "check that the compute endpoint in the catalog is right, its scheme and path too",
)
_A_PART = (
    "the listing would not be complete, so it is not used",
    "record a part, which is marked as one: --query limit=1000 in a shell, limit=1000 in a test",
)
_BUSY = ("the cloud is busy or failed: ask again later; nothing was written",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of outage.

    Attributes:
        acts: What happens to each request in turn.
        problem: How the first line of the message begins; {read} and {whole} are timeouts.
        where: What follows the name of the cloud in it.
        remedies: The lines of what to do.
    """

    acts: tuple
    problem: str
    where: str = ""
    remedies: tuple = _TRY_AGAIN

    def begins(self, read, whole):
        """How the first line of the message begins, with these timeouts in seconds."""
        return self.problem.format(read=read, whole=whole)

    def goes_on(self, cloud):
        """The lines below the first."""
        remedies = [f"  next:  {line}" for line in self.remedies]
        return [f"  where: cloud {cloud}{self.where}", *remedies]


def _first(act, **facts):
    """A fault of the first page."""
    return Fault(acts=(act,), **facts)


def _second(act, **facts):
    """A fault of the second page."""
    return Fault(acts=(show("changed", next_="m1"), act), **facts)


FAULTS = {
    "reset in the body": _first(
        reset(head_of(200, length=1000) + b"x" * 37), problem="no answer: Connection reset by peer"
    ),
    "gone after page 1": Fault(
        acts=(last(show("changed", next_="m1")),),
        problem="no answer: Connection refused",
        where=", page 2",
    ),
    "busy with a page of HTML": _first(
        say(503, b"<html><body>Service Unavailable</body></html>"),
        problem="the cloud answered 503, not 200 or 203: "
        "<html><body>Service Unavailable</body></html>",
        where=", query all",
        remedies=_BUSY,
    ),
    "moved": _first(
        say(301, b"it has moved", b"Location: https://elsewhere.example/v2"),
        problem="the cloud answered 301, not 200 or 203: it has moved",
        where=", query all",
        remedies=_REDIRECTED,
    ),
    "silent": _first(hang(), problem="no answer within {read:g} seconds"),
    "dripping body": _first(
        drip(head_of(200, length=10**6), b" "),
        problem="the answer was not whole within {whole:g} seconds",
    ),
    "cut body": _first(
        send(head_of(200, length=100) + b"x" * 37),
        problem="the answer ended early, after 37 bytes of its body",
    ),
    "cut compression": _first(
        say(200, gzip.compress(b'{"images": []}')[:-9], b"Content-Encoding: gzip"),
        problem="the answer's compression is damaged or unknown",
    ),
    "a length that is none": _first(
        send(head_of(200, length=10**20)),
        problem="the answer announces an invalid length",
    ),
    "page 2 fails": _second(
        say(500, b"computeFault"),
        problem="the cloud answered 500, not 200 or 203: computeFault",
        where=", query all, page 2",
        remedies=_BUSY,
    ),
    "page 3 in a field of a vendor": _second(
        say(200, b'{"images": [], "has_more": true}'),
        problem="the cloud shows a further page in a form that is not understood: 'has_more'",
        where=", query all, page 2",
        remedies=_A_PART,
    ),
    "page 2 leads to itself": _second(
        show("changed", next_="m1"),
        problem="the pages do not end: page 2 links back to an earlier one",
        where=", query all",
        remedies=("the cloud's paging is broken; record one page with limit=1000",),
    ),
}
