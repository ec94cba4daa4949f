"""What a battery says of one tool: it holds, it fails, it does not apply, it was not provoked."""


class Fault(Exception):  # noqa: N818  what was found, not a failure of the battery
    """The tool has the fault; the text says in a few words what happened."""


class NotApplicable(Exception):  # noqa: N818  as above
    """The tool does not do what the row is about; the text says why."""


class NotProvoked(Exception):  # noqa: N818  as above
    """What should have happened to the tool did not happen, so nothing is known."""
