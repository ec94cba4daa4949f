"""Judge by its name whether a value is secret, an owner's id or an address (`redact.table`)."""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from pytest_imagedetail.redact import table

Scope = Literal["", "values", "token", "own texts", "texts", "all"]
"""How much of a value is secret: "" is nothing. Otherwise a string or a number is secret, and
of an object or a list

- "values": what stands under `value` and the like, as in `{"api_key": {"value": "..."}}`.
- "token": the same, and the id, as in `{"token": {"id": "..."}}`.
- "own texts": every text except ids and owners, as in `{"credential": {"blob": "..."}}`.
- "texts": every text, as in `{"tokens": {"ci": "..."}}`.
- "all": everything, as in `{"adminPass": {"a": 1}}`.

The last three exclude what describes the secret, such as its type (`table.ABOUT`).
"""

_WORD: Final = re.compile(r"IPv|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[$#]\w*")
_COUNT: Final = re.compile(r"[+-]?\d[\d.,]*")
_MAX_LENGTH: Final = 64
_SHORTEST_PLURAL: Final = 3
_TRAIT: Final = "trait:"  # before a trait that Placement requires or forbids, not a secret
_cached: Final = lru_cache(maxsize=2048)  # a listing repeats its names


@_cached
def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case, without trailing numbers and plural endings."""
    parts = [part.lower() for part in _WORD.findall(name[-_MAX_LENGTH:])]
    while parts and parts[-1].isdigit():
        parts.pop()
    if parts and parts[-1].endswith("sses"):
        parts[-1] = parts[-1].removesuffix("es")
    elif parts and len(parts[-1]) >= _SHORTEST_PLURAL and not parts[-1].endswith("ss"):
        parts[-1] = parts[-1].removesuffix("s")
    return tuple(parts)


@_cached
def names_secret(name: str) -> bool:
    """Return whether a name is that of a secret."""
    parts = () if _TRAIT in name else words(name)
    if _ends_as_secret(parts):
        return True
    return len(parts) > 1 and parts[-1] in table.QUALIFIERS and _ends_as_secret(parts[:-1])


def _ends_as_secret(parts: tuple[str, ...]) -> bool:
    has_secret_word = any(" ".join(parts[-length:]) in table.SECRETS for length in (1, 2, 3))
    return has_secret_word or (bool(parts) and parts[-1].endswith(table.JOINED))


def holds_secret(name: str, value: object) -> bool:
    """Return whether a value is a secret by its name; a number under a plural is a count."""
    if not names_secret(name):
        return False
    if not isinstance(value, str):
        return True
    ordinary = table.ORDINARY.get(words(name)[-1], _COUNT if _is_plural(name) else None)
    return ordinary is None or ordinary.fullmatch(value) is None


@_cached
def _is_plural(name: str) -> bool:
    ending = name.rstrip(string.digits + string.punctuation)[-2:].lower()
    return ending.endswith("s") and ending != "ss"


def holds_secret_in_query(name: str, value: str) -> bool:
    """Return whether a value of a URL's query or a form is a secret or a signature."""
    return holds_secret(name, value) or " ".join(words(name)) in table.IN_QUERIES


@_cached
def names_owner(name: str) -> bool:
    """Return whether an id under a name is that of a project, a user, a domain or a trust."""
    parts = words(name)
    if parts and parts[-1] in {"id", "uuid"}:
        parts = parts[:-1]
    endings = {" ".join(parts[-length:]) for length in (1, 2)}
    return not endings.isdisjoint(table.OWNERS) or is_in(name, table.ALWAYS_OWNERS)


@_cached
def names_address(name: str) -> bool:
    """Return whether a name is that of a network address."""
    parts = words(name)
    return any(" ".join(parts[-length:]) in table.ADDRESSES for length in (1, 2))


@_cached
def is_in(name: str, known: frozenset[str]) -> bool:
    """Return whether the words of a name are among known names."""
    return " ".join(words(name)) in known or name.lower() in known


def secret_keys(
    pairs: Sequence[tuple[str, Any]], scope: Scope, beside: Mapping[str, str]
) -> dict[str, Scope]:
    """Return the keys of an object whose values are secret, with the scope of each.

    `scope` is that of the object, and `beside` the result of `names_beside`.
    """
    scopes: dict[str, Scope] = {}
    has_login = "key" in dict(pairs) and any(is_in(key, table.LOGINS) for key, _ in pairs)
    for key, value in pairs:
        name = key if names_secret(key) else beside.get(key, "")
        name = name if holds_secret(name, value) else ""
        is_login = has_login and key == "key"
        if name or is_login or (scope and _is_in_scope(scope, key, value)):
            scopes[key] = scope_of(name) if name and scope != "all" else scope or "values"
    return scopes


def _is_in_scope(scope: Scope, key: str, value: object) -> bool:
    is_id = words(key)[-1:] == ("id",)
    if scope == "own texts" and (is_id or names_owner(key) or is_in(key, table.LOGINS)):
        return False
    if scope == "all" or (scope in {"texts", "own texts"} and _is_text(value)):
        return not (is_in(key, table.ABOUT) or _ends_in(key, table.ABOUT))
    return is_in(key, table.BELOW) or (scope == "token" and is_in(key, table.BELOW_TOKENS))


def names_beside(pairs: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """Return the keys that a name beside them marks as a secret and the like, and that name."""
    named = [
        (_name_in(value) if last in table.POINTERS else value, table.NAMED[last])
        for key, value in pairs
        if (last := _last(key)) in table.NAMED and isinstance(value, str)
    ]
    for kind in (names_secret, names_owner, names_address):
        for name, holding in named:
            if kind(name):
                return {key: name for key, _ in pairs if is_in(key, holding)}
    return {}


def _name_in(pointer: str) -> str:
    """Return the last name in a pointer such as `/passwords/0`; "" for another format's path."""
    parents, _, name = pointer.rstrip("/-" + string.digits).rpartition("/")
    return "" if parents and not pointer.startswith("/") else name


def scope_of(name: str, *, is_record: bool = False) -> Scope:
    """Return the scope of a secret's name; `is_record` is for one of several objects below it."""
    if words(name)[-1].endswith(table.PASSWORDS):
        return "all"
    if _ends_in(name, table.MAPS) and _is_plural(name) and not is_record:
        return "texts"
    if _ends_in(name, table.OBJECTS) and not is_record:
        return "own texts"
    return "token" if _ends_in(name, {"token"}) else "values"


def _ends_in(name: str, known: Collection[str]) -> bool:
    return _last(name) in known


def _last(name: str) -> str:
    return (words(name) or ("",))[-1]


def _is_text(value: object) -> bool:
    """Return whether a value is a text, a list with a text, or an element of XML with a text."""
    for item in value if isinstance(value, list) else [value]:
        text = item[1] if isinstance(item, tuple) and item[0] == "#text" else item
        if isinstance(text, str) and text.strip() and _COUNT.fullmatch(text) is None:
            return True
    return False


def is_harmless(value: str) -> bool:
    """Return whether a value is not secret under any name: nothing, a flag, or a path."""
    return value.lower() in table.HARMLESS or table.NO_VALUE.fullmatch(value) is not None
