"""The table of secrets' and owners' names, and the shapes of self-evident secrets.

Redaction, the final check, `lint` and `scrub` read this table; `docs/redaction.md` lists it.
"""

import re
import string
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final


def _table(names: str) -> frozenset[str]:
    return frozenset(names.split(", "))


_KEYS: Final = _table(
    "access, account, activation, admin, api, app, application, auth, ceph, cephx, cipher, client, "
    "consumer, crypt, enc, encryption, fernet, heartbeat, hmac, join, jwt, license, luks, master, "
    "pass, preshared, priv, private, product, recovery, rndc, secret, service, session, shared, "
    "signing, ssl, storage, store, swift, tls, unseal, url, vpn, wireguard, wrap"
)
SECRETS: Final = _table(
    "password, passwd, passphrase, pass phrase, passcode, passwort, pass, pwd, pw, psk, secret, "
    "token, jwt, bearer, cookie, authorization, credential, cred, otp, adminpass, rootpass, "
    "userpass, dbpass, mysqlpass, rootpw, totp, webhook, password hash, passwd hash, secret hash, "
    "secret id, session id, token id, user data, snmp community, community string, webhook url, "
    "webhook uri, code verifier, saml response, auth receipt, access key id, connection string, "
    "pass hash, pw hash, pwd hash, secret key base, personality, keyring, bindpw, kek, "
    "client assertion, device code, id token hint, basic auth, proxy auth, sshpass, vendor data, "
    "requirepass, kubeconfig, dockerconfigjson, dockercfg, kennwort, senha, contrasena, pswd, "
    "configdrive, mot de passe"
) | {f"{first} key" for first in _KEYS}
"""Words that name a secret when they end a name: `db_password`, `adminPass`, `signingKey`."""

_SHORTEST_JOINED: Final = 5
_JOINED: Final = tuple(name.replace(" ", "") for name in SECRETS if len(name) >= _SHORTEST_JOINED)
"""The same, joined at the end of a word: `dbpassword`, `apikey`."""

ORDINARY: Final[Mapping[str, re.Pattern[str]]] = {
    "bearer": re.compile(r".*\s.*", re.DOTALL),
    "personality": re.compile(r".*", re.DOTALL),
    "otp": re.compile(r"\d{1,2}(?:\.\d+)*"),
    "auth": re.compile(r"[A-Z]*[a-z0-9_.-]*[A-Z]*|\w+://.*|.*\s.*", re.DOTALL),
}
"""Texts that are not secret under these words: a person's name under `bearer`, a character under
`personality` (Nova's is a list of files), the version of Erlang's `OTP`, a method under `auth`."""

PROSE: Final = _table(
    "to, is, are, was, and, or, for, if, in, on, with, when, as, can, must, may, should, option, "
    "options, flag, argument, parameter"
)
"""Words that follow an option in a sentence: `Use --password to set a password`."""

QUALIFIERS: Final = _table(
    "b64, base64, new, old, pem, plain, plaintext, text, value, data, confirm, confirmation"
)
"""Words that may follow a secret's name: `password_old`, `private_key_pem`."""

IN_QUERIES: Final = _table(
    "sig, signature, temp url sig, x amz signature, x goog signature, key, code, assertion, sid"
)
"""Names of secrets in the query of a URL only."""

PUBLIC: Final = _table(
    "realm, uri, id, key id, algorithm, signed header, header, username, user name, host, domain, "
    "qop, oauth callback, oauth signature method"
)
"""Parameters of an `Authorization` header that are not secret, however long they are."""

OWNERS: Final = _table(
    "project, tenant, user, owner, member, domain, trust, trustor, trustee, creator, "
    "application credential, created by, updated by, deleted by"
)
"""Names of owners, with or without `id` after them: `trustee_user_id`, `createdBy`."""

ALWAYS_OWNERS: Final = _table(
    "owner, owner id, project id, tenant id, user id, tenantid, userid, projectid"
)
"""Names under which a value is an owner's id whatever its form: `admin`, `413274`."""

NAMING: Final = _table("name, key, property, variable, output key, parameter key, parameter name")
"""Keys whose value names the value under a key in `HOLDING`."""

HOLDING: Final = _table(
    "value, values, val, default, output value, parameter value, text, data, content, contents, "
    "payload, blob, raw, plain, plaintext, $t, $, #text"
)
"""Keys of a value that a key in `NAMING` names: `{"name": "password", "value": "..."}`."""

BELOW: Final = HOLDING | {"key"}
"""The same below a secret's name: `{"credential": {"key": "..."}}`."""

BELOW_TOKENS: Final = frozenset({"id", "audit id"})
"""Keys of a value below a token's name: `{"token": {"id": "..."}}`. Other ids are not secret."""

PASSWORDS: Final = ("password", "passwd", "passphrase", "passcode", "passwort", "pass", "pwd", "pw")
"""Endings of names below which everything is secret: `{"adminPass": {"a": "..."}}`."""

OBJECTS: Final = _table("secret, credential, cred")
"""Last words of names below which texts are secret, except ids and owners."""

MAPS: Final = _table("token, secret, key")
"""Last words whose plurals map names to secrets: `{"tokens": {"ci": "..."}}`."""

IDENTIFIERS: Final = frozenset({"xmlns", "schema location", "namespace", "$schema"})
"""Names of identifiers that look like URLs but are not addresses."""

ABOUT: Final = IDENTIFIERS | _table(
    "ref, ttl, length, path, url, uri, policy, format, version, count, name, type, kind, status, "
    "description, method, algorithm, mode, rel, href, created, updated, created at, updated at, "
    "expires, expires at, expiration, issued at, enabled, bit length, content type, adapter, "
    "label, title, pattern, hidden, constraint, example, $ref, get param, get attr, fn get att, "
    "get resource"
)
"""Keys below a secret's name that describe or refer to it, and last words of such keys."""

LOGINS: Final = frozenset({"login", "user", "user name", "username"})
"""Keys beside which `key` is a secret: `{"username": "u", "key": "..."}`."""

HARMLESS: Final = {""} | _table(
    "true, false, none, null, yes, no, on, off, enabled, disabled, required, optional, 0, 1"
)
"""Values that are not secret under any name."""

_NO_VALUE: Final = re.compile(  # a file's path, `${NAME}`, `{{ name }}`, or a mask
    r"(?:~|/(?:etc|home|mnt|opt|root|run|srv|tmp|usr|var))(?:/[\w.@-]+)*/?"
    r"|[A-Za-z]:(?:\\[\w. -]+)*|\$\{\w+\}|\{\{ *[\w.]+ *\}\}|%\(\w+\)s|\*+"
)

ADDRESSES: Final = frozenset({"addr", "ip", "ipv", "ip v", "mac", "ip address", "mac address"})
"""Words that end the name of a network address: `addr`, `accessIPv4`, `mac_address`."""


def _key(prefixes: str, rest: str) -> str:
    """Return a pattern for keys at the start of a word; the leading prefix lets `re` skip ahead."""
    escaped = map(re.escape, prefixes.split())
    return "|".join(rf"{prefix}(?<!\w{prefix}){rest}" for prefix in escaped)


SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    what: re.compile(pattern)
    for what, pattern in {
        "a Fernet token": r"gAAAAA[\w-]{20,}={0,2}",
        "a JSON web token": r"eyJ[\w-]{8,1000}\.eyJ[\w-]{8,}(?:\.[\w-]*)?",
        "a private key": (
            r"-----BEGIN [A-Z ]*PRIVATE KEY[\s\S]*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"
        ),
        "an AWS access key": _key("AKIA ASIA", r"[0-9A-Z]{16}(?![0-9A-Za-z_])"),
        "a GitHub token": _key("ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"\w{30,}"),
        "a GitLab token": _key("glpat- gldt- glft- glsoat- glrt- glcbt- glptt-", r"[\w-]{16,}"),
        "a Slack token": _key("xoxa- xoxb- xoxe- xoxp- xoxr- xoxs-", r"[\w-]{16,}"),
        "a token of a package index": _key("pypi-Ag", r"[\w-]{16,}"),
        "a Vault token": _key("hvs. hvb.", r"[\w-]{16,}"),
        "a token of another service": _key("npm_ hf_ dop_v1_ glsa_ dckr_pat_", r"[0-9A-Za-z]{27,}"),
        "a SendGrid key": _key("SG.", r"[\w-]{16,}\.[\w-]{16,}"),
        "a password hash": r"\$(?:[156y]|gy|apr1|2[abxy])\$(?:[\w./=,-]{1,40}\$){1,3}[\w./]{22,}",
        "a Google key": _key("AIza", r"[\w-]{35,}"),
        "a Stripe key": _key("sk_live_ rk_live_", r"\w{16,}"),
        "an OpenAI key": _key("sk-ant- sk-proj- sk-svcacct- sk-admin-", r"[\w-]{16,}"),
    }.items()
}
"""Self-evident secrets, which need no name."""

WEBHOOK: Final = re.compile(
    r"https://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks"
    r"|[\w.-]+\.webhook\.office\.com|outlook\.office(?:365)?\.com/webhook)/"
    r"|https?://[^\s/?#]+/(?:[\w.~%-]{1,64}/){0,4}(?:web)?hooks?/(?:[\w.~%-]{1,64}/){0,3}"
    r"(?:(?=[a-z]*\d)[0-9a-z]{16}|[0-9a-f]{8}-[0-9a-f]{4}-)",
    re.IGNORECASE,
)
"""URLs that are secrets themselves: of known services, and any with `/hooks/` before a long id."""

EMAIL: Final = re.compile(
    r"(?<![\w.%+-])[\w.+-]+(?:@|%40)(?:[A-Za-z0-9-]+\.)+(?!invalid\b)[A-Za-z]{2,}(?a:(?![\w-]|:[\w/~]))"
)
"""An e-mail address, percent-encoded or not."""

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
    return len(parts) > 1 and parts[-1] in QUALIFIERS and _ends_as_secret(parts[:-1])


def _ends_as_secret(parts: tuple[str, ...]) -> bool:
    has_secret_word = any(" ".join(parts[-length:]) in SECRETS for length in (1, 2, 3))
    return has_secret_word or (bool(parts) and parts[-1].endswith(_JOINED))


def holds_secret(name: str, value: object) -> bool:
    """Return whether a value is a secret by its name; a number under a plural is a count."""
    if not names_secret(name):
        return False
    if not isinstance(value, str):
        return True
    ordinary = ORDINARY.get(words(name)[-1], _COUNT if _is_plural(name) else None)
    return ordinary is None or ordinary.fullmatch(value) is None


@_cached
def _is_plural(name: str) -> bool:
    ending = name.rstrip(string.digits + string.punctuation)[-2:].lower()
    return ending.endswith("s") and ending != "ss"


def holds_secret_in_query(name: str, value: str) -> bool:
    """Return whether a value of a URL's query or a form is a secret or a signature."""
    return holds_secret(name, value) or " ".join(words(name)) in IN_QUERIES


@_cached
def names_owner(name: str) -> bool:
    """Return whether an id under a name is that of a project, a user, a domain or a trust."""
    parts = words(name)
    if parts and parts[-1] in {"id", "uuid"}:
        parts = parts[:-1]
    endings = {" ".join(parts[-length:]) for length in (1, 2)}
    return not endings.isdisjoint(OWNERS) or is_in(name, ALWAYS_OWNERS)


@_cached
def names_address(name: str) -> bool:
    """Return whether a name is that of a network address."""
    parts = words(name)
    return any(" ".join(parts[-length:]) in ADDRESSES for length in (1, 2))


@_cached
def is_in(name: str, table: frozenset[str]) -> bool:
    """Return whether the words of a name are in a table of names."""
    return " ".join(words(name)) in table or name.lower() in table


def secret_keys(
    pairs: Sequence[tuple[str, Any]], under: str, beside: Mapping[str, str]
) -> dict[str, str]:
    """Return the keys of an object whose values are secret, and what is secret below each.

    `under` says what the name above makes secret: "all" values; all texts ("mapped"), or all but
    ids and owners ("own"); values "held" under `value` and the like, for a "token" also its id; or
    "" for nothing. `beside` is the result of `names_beside`.
    """
    keys = {}
    has_login = "key" in dict(pairs) and any(is_in(key, LOGINS) for key, _ in pairs)
    for key, value in pairs:
        name = key if names_secret(key) else beside.get(key, "")
        name = name if holds_secret(name, value) else ""
        is_login = has_login and key == "key"
        if name or is_login or (under and _is_secret_under(under, key, value)):
            keys[key] = below(name) if name and under != "all" else under or "held"
    return keys


def _is_secret_under(under: str, key: str, value: object) -> bool:
    if under == "own" and (names_owner(key) or is_in(key, LOGINS) or words(key)[-1:] == ("id",)):
        return False
    if under == "all" or (under in {"mapped", "own"} and _is_text(value)):
        return not (is_in(key, ABOUT) or _ends_in(key, ABOUT))
    return is_in(key, BELOW) or (under == "token" and is_in(key, BELOW_TOKENS))


def names_beside(pairs: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """Return the keys that a name beside them marks as a secret and the like, and that name."""
    named = [value for key, value in pairs if is_in(key, NAMING) and isinstance(value, str)]
    for kind in (names_secret, names_owner, names_address):
        for name in filter(kind, named):
            return {key: name for key, _ in pairs if is_in(key, HOLDING)}
    return {}


def below(name: str, *, is_record: bool = False) -> str:
    """Return `under` for a secret's name; `is_record` is for one of several objects below it."""
    if words(name)[-1].endswith(PASSWORDS):
        return "all"
    if _ends_in(name, MAPS) and _is_plural(name) and not is_record:
        return "mapped"
    if _ends_in(name, OBJECTS) and not is_record:
        return "own"
    return "token" if _ends_in(name, {"token"}) else "held"


def _ends_in(name: str, table: Collection[str]) -> bool:
    return any(last in table for last in words(name)[-1:])


def _is_text(value: object) -> bool:
    """Return whether a value is a text, a list with a text, or an element of XML with a text."""
    for item in value if isinstance(value, list) else [value]:
        text = item[1] if isinstance(item, tuple) and item[0] == "#text" else item
        if isinstance(text, str) and text.strip() and _COUNT.fullmatch(text) is None:
            return True
    return False


def is_harmless(value: str) -> bool:
    """Return whether a value is not secret under any name: nothing, a flag, or a path."""
    return value.lower() in HARMLESS or _NO_VALUE.fullmatch(value) is not None
