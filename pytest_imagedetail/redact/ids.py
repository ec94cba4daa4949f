"""Ids of projects and users: `00000000000000000000000000000001` and so on."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from pytest_imagedetail.redact.known import Numbering, Secrets
from pytest_imagedetail.redact.placeholder import CALLER, ID, is_id, is_secret
from pytest_imagedetail.redact.shapes import OWNER_ID, is_owner_id, looks_like_id
from pytest_imagedetail.redact.urls import BEFORE_RESOURCE

_AS_KEYSTONE_MAKES_THEM: Final = re.compile(  # found in one go, however many are known
    rf"(?<![^\W_])(?:{OWNER_ID.pattern})(?![^\W_])", re.IGNORECASE
)  # an underscore is no part of one: AUTH_<project>


def is_placeholder_id(value: str) -> bool:
    """Whether redaction wrote this in the place of a project's or a user's id."""
    return is_id(value) is not None or is_secret(value) is not None


class Ids:
    """The projects and users of one recording; the project that asked is the first."""

    def __init__(self, known: Numbering, *, secrets: Secrets, counts: Counter[str]) -> None:
        self._caller = secrets.project_id
        self._secret = sorted(secrets.ids)
        self._others = known.ids
        self._asking: set[str] = set()  # the project that asked: another one in another answer
        self._number = known.first_id
        self._seen = 0  # how many of the others are in these two
        self._taken: set[str] = set()
        self._odd: list[str] = []  # Keystone would not make them
        self._words: set[str] = set()
        self._counts = counts

    def learn_word(self, value: str) -> None:
        """Give an owner's id that could be a word its placeholder; only `of` replaces it."""
        if value not in self._others and value not in (self._caller, CALLER):
            self._words.add(value)
        self.learn(value)

    def learn(self, value: str) -> None:
        """Give an id its placeholder."""
        if value != CALLER and is_placeholder_id(value):
            self._others[value] = value  # it stays what it is: redacting twice is redacting once
        elif value in (self._caller, CALLER):
            self._asking.add(value)
        elif value not in self._others:
            self._others[value] = self._next()

    def _next(self) -> str:
        """The first placeholder that is free; numbers only go up."""
        self._catch_up()
        while (new := ID.write(self._number)) in self._taken or (new == CALLER and self._asking):
            self._number += 1
        return new

    def _catch_up(self) -> None:
        """Look at what was learnt since, here or for another part that is numbered by the same."""
        for value, placeholder in islice(self._others.items(), self._seen, None):
            self._taken.add(placeholder)
            if looks_like_id(value) and not is_owner_id(value):
                self._odd.append(value)
        self._seen = len(self._others)

    def learn_caller(self) -> None:
        """Give the project that asked its placeholder, if the session knows which it is."""
        if self._caller is not None:
            self.learn(self._caller)

    def of(self, value: str) -> str | None:
        """The placeholder of a whole value; None if it is no id that was learnt."""
        placeholder = CALLER if value in self._asking else self._others.get(value)
        if placeholder is not None:
            self._counts["ids"] += 1
        return placeholder

    def replace_in_path(self, path: str) -> str:
        """Replace the project that stands before a resource, as short as it may be."""
        match = BEFORE_RESOURCE.search(path)
        if match is None or match[1] in self._words:  # a prefix may be called as an owner is
            return path
        placeholder = self.of(match[1])
        if placeholder is None:
            return path
        return path[: match.start(1)] + placeholder + path[match.end(1) :]

    def replace(self, text: str) -> str:
        """Replace what looks like an id and is one that was learnt or that the session knows."""
        for value in self._secret:
            if looks_like_id(value) and value in text:
                self.learn(value)
        self._catch_up()
        text = _AS_KEYSTONE_MAKES_THEM.sub(self._known, text)
        for value in chain(filter(looks_like_id, self._asking), self._odd):
            if value in text:
                pattern = rf"(?<![^\W_]){re.escape(value)}(?![^\W_])"
                text = re.sub(pattern, self._known, text)
        return text

    def _known(self, match: re.Match[str]) -> str:
        """An id by its placeholder, if it is one that was learnt."""
        found = match.group()
        placeholder = CALLER if found in self._asking else self._others.get(found, found)
        self._counts["ids"] += placeholder != found
        return placeholder

    def replaced(self) -> set[str]:
        """The ids themselves."""
        found = {value for value, new in self._numbered() if value != new}
        return {value for value in found.union(self._secret) if looks_like_id(value)}

    def placeholders(self) -> set[str]:
        """What stands in their places."""
        return {*self._others.values(), *([CALLER] if self._asking else [])}

    def _numbered(self) -> Iterator[tuple[str, str]]:
        """Every id and its placeholder; who asks is not also somebody else."""
        others = (each for each in self._others.items() if each[0] not in self._asking)
        return chain(((value, CALLER) for value in self._asking), others)
