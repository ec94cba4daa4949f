"""Dates in a query, read as leniently as Glance reads them; touches nothing."""

import re
from datetime import UTC, datetime, timedelta

# What the iso8601 library accepts, which is what Glance reads dates with.
_ISO_8601 = re.compile(
    r"(?P<year>\d{4})"
    r"((?P<month>-\d{1,2}|\d{2}(?!\Z))"
    r"((?P<day>-\d{1,2}|\d{2})"
    r"([ T](?P<hour>\d{2})(:?(?P<minute>\d{2})(:?(?P<second>\d{1,2})([.,](?P<fraction>\d+))?)?)?"
    r"(?P<zone>Z|(?P<sign>[+-])(?P<zone_hour>\d{2}):?(?P<zone_minute>\d{2})?)?)?)?)?",
    re.ASCII,
)


def parse_time(text: str) -> datetime:
    """Read a date as Glance does; without a zone it is UTC.

    Raises:
        ValueError: Not ISO 8601. A plus sign that was not quoted arrives as a space, and is none.
    """
    match = _ISO_8601.fullmatch(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 date: {text!r}")
    moment = datetime(
        int(match["year"]),
        int((match["month"] or "1").lstrip("-")),
        int((match["day"] or "1").lstrip("-")),
        int(match["hour"] or 0),
        int(match["minute"] or 0),
        int(match["second"] or 0),
        int((match["fraction"] or "0")[:6].ljust(6, "0")),
        tzinfo=UTC,
    )
    try:
        return moment - _offset(match)
    except OverflowError as error:
        raise ValueError(f"outside the calendar: {text!r}") from error


def _offset(match: re.Match[str]) -> timedelta:
    if match["sign"] is None:
        return timedelta()
    offset = timedelta(hours=int(match["zone_hour"]), minutes=int(match["zone_minute"] or 0))
    return -offset if match["sign"] == "-" else offset
