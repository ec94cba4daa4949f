"""What traffic itself shows: tokens, passwords, owners, and which host is which service."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from pytest_imagedetail.redact import names, placeholders
from pytest_imagedetail.redact.known import Known, origin

_SERVICES: Final = {"self": "compute-links", "bookmark": "compute-links", "alternate": "image"}
_PARAMETER: Final = re.compile(r'(?<!\w)\w++=(?:"([^"]*)"|([^\s,]+))')


@dataclass(slots=True, kw_only=True)
class Learned:
    """Collect what stands under a secret's or an owner's name, and where links lead.

    Attributes:
        secrets: Tokens, passwords and keys.
        owners: Ids of projects, users, domains and trusts.
        origins: Where links lead, and the service of each origin.
    """

    secrets: set[str] = field(default_factory=set)
    owners: set[str] = field(default_factory=set)
    origins: dict[str, str] = field(default_factory=dict)

    def secret(self, value: str) -> None:
        """Learn a secret."""
        if value.strip() and not placeholders.holds(value):
            self.secrets.add(value.strip())

    def link(self, fields: Mapping[str, Any]) -> None:
        """Learn which service a link leads to: an image's alternate leads to Glance."""
        href, service = fields.get("href"), _SERVICES.get(str(fields.get("rel")))
        if isinstance(href, str) and "://" in href and service is not None:
            self.origins.setdefault(origin(href), service)

    def header(self, name: str, value: str) -> None:
        """Learn from a header that no recording keeps; its name is in lower case."""
        if name in {"authorization", "proxy-authorization"}:
            self._authorization(value)
        elif name in {"cookie", "set-cookie"}:
            pairs = value.split(";") if name == "cookie" else value.split(";")[:1]
            for pair in pairs:
                self.secret(unquote(pair.partition("=")[2].strip(' "')))
        elif names.names_secret(name) or name.endswith("-key"):
            self.secret(value)
        elif names.names_owner(name) and value:
            self.owners.add(value)

    def _authorization(self, value: str) -> None:
        scheme, _, rest = value.strip().partition(" ")
        self.secret(rest or scheme)
        for match in _PARAMETER.findall(rest):
            self.secret("".join(match))
        try:
            text = base64.b64decode(rest, validate=True).decode("utf-8")
        except ValueError:  # not base64, or not text
            return
        self.secret(text.partition(":")[2])

    def added_to(self, known: Known) -> Known:
        """Return what was known and what was learned; no second origin of a known host."""
        hosts = {urlsplit(each).hostname for each in known.origins}
        found = {
            url: service
            for url, service in self.origins.items()
            if url and urlsplit(url).hostname not in hosts
        }
        return known | Known(
            secrets=frozenset(self.secrets), owners=frozenset(self.owners), origins=found
        )
