"""Ids of projects and users: `00000000000000000000000000000001` and so on."""

import re
from collections import Counter

from pytest_imagedetail.placeholder import CALLER, ID, is_id, is_secret
from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.urls import BEFORE_RESOURCE
from pytest_imagedetail.shapes import looks_like_id


def is_placeholder_id(value: str) -> bool:
    """Whether redaction wrote this in the place of a project's or a user's id."""
    return is_id(value) is not None or is_secret(value) is not None


class Ids:
    """The projects and users of one recording; the project that asked is the first."""

    def __init__(self, known: Numbering | None, *, secrets: Secrets, counts: Counter[str]) -> None:
        self._caller = secrets.project_id
        self._secret = sorted(secrets.ids)
        self._numbered = {} if known is None else dict(known.ids)
        self._numbered.pop(secrets.project_id or "", None)
        self._first = 0 if known is None else 1
        self._counts = counts

    def learn(self, value: str) -> None:
        """Give an id its placeholder."""
        if value in self._numbered:
            return
        taken = set(self._numbered.values())
        number = 0 if value == self._caller else self._first
        while ID.write(number) in taken:
            number += 1
        # A placeholder stays what it is: redacting twice is redacting once.
        self._numbered[value] = value if is_placeholder_id(value) else ID.write(number)

    def learn_caller(self) -> None:
        """Give the project that asked its placeholder, if the session knows which it is."""
        if self._caller is not None:
            self.learn(self._caller)

    def of(self, value: str) -> str | None:
        """The placeholder of a whole value; None if it is no id that was learnt."""
        placeholder = self._numbered.get(value)
        if placeholder is not None:
            self._counts["ids"] += 1
        return placeholder

    def replace_in_path(self, path: str) -> str:
        """Replace the project that stands before a resource, as short as it may be."""
        match = BEFORE_RESOURCE.search(path)
        placeholder = self.of(match[1]) if match else None
        if match is None or placeholder is None:
            return path
        return path[: match.start(1)] + placeholder + path[match.end(1) :]

    def replace(self, text: str) -> str:
        """Replace what looks like an id and is one that was learnt or that the session knows."""
        for value in self._secret:
            if looks_like_id(value) and value in text:
                self.learn(value)
        for value, placeholder in self._numbered.items():
            if value != placeholder and value in text and looks_like_id(value):
                text, count = re.subn(
                    rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", placeholder, text
                )  # an underscore is no part of it: AUTH_<project>
                self._counts["ids"] += count
        return text

    def replaced(self) -> set[str]:
        """The ids themselves."""
        found = {value for value, new in self._numbered.items() if value != new}
        return {value for value in found.union(self._secret) if looks_like_id(value)}

    def placeholders(self) -> set[str]:
        """What stands in their places."""
        return set(self._numbered.values())

    def numbered(self) -> dict[str, str]:
        """The placeholders by id, but for that of the project that asked."""
        return {value: new for value, new in self._numbered.items() if new != CALLER}
