"""The table of secrets' and owners' names, and the shapes of self-evident secrets.

Redaction, the final check, `lint` and `scrub` read this table; `docs/redaction.md` lists it.
"""

import re
from collections.abc import Mapping
from typing import Final


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split(", "))


_KEYS: Final = _names(
    "access, account, activation, admin, api, app, application, auth, ceph, cephx, cert, "
    "certificate, cipher, client, consumer, crypt, enc, encryption, fernet, heartbeat, hmac, join, "
    "jwt, license, luks, master, pass, preshared, priv, private, product, recovery, rndc, secret, "
    "service, session, shared, signing, ssl, storage, store, swift, tls, unseal, url, vpn, "
    "wireguard, wrap"
)
SECRETS: Final = _names(
    "password, passwd, passphrase, pass phrase, passcode, passwort, pass, pwd, pw, psk, secret, "
    "token, jwt, bearer, cookie, authorization, credential, cred, otp, adminpass, rootpass, "
    "userpass, dbpass, mysqlpass, rootpw, totp, webhook, password hash, passwd hash, secret hash, "
    "secret id, session id, token id, user data, snmp community, community string, webhook url, "
    "webhook uri, code verifier, saml response, auth receipt, access key id, connection string, "
    "pass hash, pw hash, pwd hash, secret key base, personality, keyring, bindpw, kek, "
    "client assertion, device code, id token hint, basic auth, proxy auth, sshpass, vendor data, "
    "requirepass, kubeconfig, dockerconfigjson, dockercfg, kennwort, senha, contrasena, pswd, "
    "configdrive, mot de passe, oauth verifier, pass word, password sha, password md, "
    "key private, csrf, xsrf"
) | {f"{first} key" for first in _KEYS}
"""Words that name a secret when they end a name: `db_password`, `adminPass`, `signingKey`."""

_SHORTEST_JOINED: Final = 5
JOINED: Final = tuple(name.replace(" ", "") for name in SECRETS if len(name) >= _SHORTEST_JOINED)
"""The same, joined at the end of a word: `dbpassword`, `apikey`."""

ORDINARY: Final[Mapping[str, re.Pattern[str]]] = {
    "bearer": re.compile(r".*\s.*", re.DOTALL),
    "personality": re.compile(r".*", re.DOTALL),
    "otp": re.compile(r"\d{1,2}(?:\.\d+)*"),
    "auth": re.compile(r"[A-Z]*[a-z0-9_.-]*[A-Z]*|\w+://.*|.*\s.*", re.DOTALL),
}
"""Texts that are not secret under these words: a person's name under `bearer`, a character under
`personality` (Nova's is a list of files), the version of Erlang's `OTP`, a method under `auth`."""

PROSE: Final = _names(
    "to, is, are, was, and, or, for, if, in, on, with, when, as, can, must, may, should, option, "
    "options, flag, argument, parameter"
)
"""Words that follow an option in a sentence: `Use --password to set a password`."""

QUALIFIERS: Final = _names(
    "b64, base64, new, old, pem, plain, plaintext, text, value, data, confirm, confirmation, db, "
    "encrypted, seed"
)
"""Words that may follow a secret's name: `password_old`, `private_key_pem`, `otpSeed`."""

IN_QUERIES: Final = _names(
    "sig, signature, temp url sig, x amz signature, x goog signature, key, code, assertion, sid"
)
"""Names of secrets in the query of a URL only."""

PUBLIC: Final = _names(
    "realm, uri, id, key id, algorithm, signed header, header, username, user name, host, domain, "
    "qop, oauth callback, oauth signature method"
)
"""Parameters of an `Authorization` header that are not secret, however long they are."""

OWNERS: Final = _names(
    "project, tenant, user, owner, member, domain, trust, trustor, trustee, creator, "
    "application credential, created by, updated by, deleted by"
)
"""Names of owners, with or without `id` after them: `trustee_user_id`, `createdBy`."""

ALWAYS_OWNERS: Final = _names(
    "owner, owner id, project id, tenant id, user id, tenantid, userid, projectid"
)
"""Names under which a value is an owner's id whatever its form: `admin`, `413274`."""

VALUES: Final = _names("value, val, v")
HOLDING: Final = VALUES | _names(
    "default, output value, parameter value, text, data, content, payload, blob, raw, plain, "
    "plaintext, $t, $, #text"
)
"""Keys of a value that a name beside it names: `{"name": "password", "value": "..."}`."""

NAMING: Final = _names("name, key, property, variable")
NAMING_VALUES: Final = _names(
    "id, k, field, param, parameter, attribute, attr, option, setting, header, label, env, var"
)
POINTERS: Final = _names("path, add, replace, test")
"""Keys of a JSON Patch, OpenStack's older form included, whose value may point to a name."""

NAMED: Final = dict.fromkeys(NAMING, HOLDING) | dict.fromkeys(NAMING_VALUES | POINTERS, VALUES)
"""Last words of keys whose value may be a name, and the keys of what it names."""

BELOW: Final = HOLDING | {"key"}
"""The same below a secret's name: `{"credential": {"key": "..."}}`."""

BELOW_TOKENS: Final = frozenset({"id", "audit id"})
"""Keys of a value below a token's name: `{"token": {"id": "..."}}`. Other ids are not secret."""

PASSWORDS: Final = ("password", "passwd", "passphrase", "passcode", "passwort", "pass", "pwd", "pw")
"""Endings of names below which everything is secret: `{"adminPass": {"a": "..."}}`."""

OBJECTS: Final = _names("secret, credential, cred")
"""Last words of names below which texts are secret, except ids and owners."""

MAPS: Final = _names("token, secret, key")
"""Last words whose plurals map names to secrets: `{"tokens": {"ci": "..."}}`."""

IDENTIFIERS: Final = frozenset({"xmlns", "schema location", "namespace", "$schema"})
"""Names of identifiers that look like URLs but are not addresses."""

ABOUT: Final = IDENTIFIERS | _names(
    "ref, ttl, length, path, url, uri, policy, format, version, count, name, type, kind, status, "
    "description, method, algorithm, mode, rel, href, created, updated, created at, updated at, "
    "expires, expires at, expiration, issued at, enabled, bit length, content type, adapter, "
    "label, title, pattern, hidden, constraint, example, $ref, get param, get attr, fn get att, "
    "get resource"
)
"""Keys below a secret's name that describe or refer to it, and last words of such keys."""

LOGINS: Final = frozenset({"login", "user", "user name", "username"})
"""Keys beside which `key` is a secret: `{"username": "u", "key": "..."}`."""

HARMLESS: Final = {""} | _names(
    "true, false, none, null, yes, no, on, off, enabled, disabled, required, optional, 0, 1"
)
"""Values that are not secret under any name."""

NO_VALUE: Final = re.compile(  # a file's path, `${NAME}`, `{{ name }}`, or a mask
    r"(?:~|/(?:etc|home|mnt|opt|root|run|srv|tmp|usr|var))(?:/[\w.@-]+)*/?"
    r"|[A-Za-z]:(?:\\[\w. -]+)*|\$\{\w+\}|\{\{ *[\w.]+ *\}\}|%\(\w+\)s|\*+"
)

ADDRESSES: Final = frozenset({"addr", "address", "ip", "ipv", "ip v", "mac"})
"""Words that end the name of a network address: `vip_address`, `accessIPv4`, `mac`."""


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
