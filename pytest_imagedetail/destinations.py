"""Where a link leads, whatever the way it is written.

A version and the project that asked are writing: R7 and R8 take them out. A host, another project
and what stands behind them say where a client ends up.
"""

from dataclasses import dataclass
from typing import Final

from pytest_imagedetail import contract, placeholder

_OWN: Final = frozenset({"<v>", "<project>", placeholder.CALLER, *contract.API_VERSIONS})
_SERVICES: Final = {"self": "<compute>", "bookmark": "<compute>", "alternate": "<image>"}
_RESOURCES: Final = {"images": "<id>", "servers": "<server>"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a link leads.

    Attributes:
        host: As normalized, "<compute>" say; with its scheme unless it is a placeholder.
        path: The segments but for a version and the project that asked.
    """

    host: str
    path: tuple[str, ...]

    def is_own(self, relation: str) -> bool:
        """Whether an image or a server is found there that has this link as that relation.

        Args:
            relation: "self", say; any of the three that Nova sends if it is empty, for a list of
                links that cannot be told apart by theirs.
        """
        hosts = {_SERVICES.get(relation)} if relation else {*_SERVICES.values()}
        if self.host not in hosts or len(self.path) != 2:  # noqa: PLR2004
            return False
        return _RESOURCES.get(self.path[0]) == self.path[1]


def destination(href: str) -> Destination:
    """Where a link of an image or a server leads.

    Args:
        href: As normalized; the own id is `<id>` or `<server>`.
    """
    scheme, separator, rest = href.partition("://")
    if not separator:
        scheme, rest = "", href
    host, *segments = rest.split("/")
    path = tuple(each for each in segments if each not in _OWN)
    if host == "<image>" and path[-2:] == ("images", "<id>"):
        path = tuple(filter(placeholder.is_id, path[:-2])) + path[-2:]  # glance_link_prefix
    return Destination(host=f"{scheme}{separator}{host}", path=path)
