"""The verdicts of a battery; without an exception the tool is fine."""


class Fault(Exception):  # noqa: N818  a result, not a failure of the battery
    """The tool has the fault. The text says what happened."""


class NotApplicable(Exception):  # noqa: N818  as above
    """The row does not apply to the tool. The text says why."""


class NotProvoked(Exception):  # noqa: N818  as above
    """The fault could not be provoked, so nothing is known."""
