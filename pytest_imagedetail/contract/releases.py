"""List the releases of OpenStack in their order, and the newest microversion of each."""

import re
from typing import Final

API_VERSIONS: Final = frozenset({"v1.1", "v2", "v2.0", "v2.1"})
"""The names of Nova and of vendors for one and the same API, as in the paths of links.

Nova 2013.1 etc/nova/api-paste.ini has v1.1 and v2 lead to the same application; v2.1 since 2015.1.
"""

_MICROVERSION: Final = re.compile(r"(\d+)\.(\d+)", re.ASCII)

# In order of publication: codename, year-based name, newest microversion. Source of the last:
# `_MAX_API_VERSION` in Nova's `api_version_request.py` (15.1.5 to 33.0.2), before that
# `rest_api_version_history.rst`; of 2026.2 the recordings here.
_RELEASES: Final = (
    ("bexar", "2011.1", None),
    ("cactus", "2011.2", None),
    ("diablo", "2011.3", None),
    ("essex", "2012.1", None),
    ("folsom", "2012.2", None),
    ("grizzly", "2013.1", None),
    ("havana", "2013.2", None),
    ("icehouse", "2014.1", None),
    ("juno", "2014.2", None),
    ("kilo", "2015.1", (2, 3)),
    ("liberty", "2015.2", (2, 12)),
    ("mitaka", "2016.1", (2, 25)),
    ("newton", "2016.2", (2, 38)),
    ("ocata", "2017.1", (2, 42)),
    ("pike", "2017.2", (2, 53)),
    ("queens", "2018.1", (2, 60)),
    ("rocky", "2018.2", (2, 65)),
    ("stein", "2019.1", (2, 72)),
    ("train", "2019.2", (2, 79)),
    ("ussuri", "2020.1", (2, 87)),
    ("victoria", "2020.2", (2, 87)),
    ("wallaby", "2021.1", (2, 88)),
    ("xena", "2021.2", (2, 90)),
    ("yoga", "2022.1", (2, 90)),
    ("zed", "2022.2", (2, 93)),
    ("antelope", "2023.1", (2, 95)),
    ("bobcat", "2023.2", (2, 95)),
    ("caracal", "2024.1", (2, 96)),
    ("dalmatian", "2024.2", (2, 96)),
    ("epoxy", "2025.1", (2, 100)),
    ("flamingo", "2025.2", (2, 100)),
    ("gazpacho", "2026.1", (2, 103)),
    ("hibiscus", "2026.2", (2, 104)),
)

_INDEX: Final = {name: index for index, row in enumerate(_RELEASES) for name in row[:2]}

MAX_MICROVERSIONS: Final = {codename: newest for codename, _, newest in _RELEASES if newest}
"""The newest microversion of each release that has any."""


def release_index(name: str | None) -> int | None:
    """Return the index of a release in time; None if it is unknown or not declared.

    Takes codenames and year-based names in any case: "Juno", "2014.2", "2026.2".
    """
    return None if name is None else _INDEX.get(name.lower())


_NEWEST: Final = tuple((_INDEX[name], newest) for name, newest in MAX_MICROVERSIONS.items())


def releases_of(microversion: str | None) -> range | None:
    """Return the releases whose newest microversion this is, as indexes of `release_name`.

    A microversion between those of two releases belongs to a development version; both count. One
    newer than any known gives an empty range: the release is newer than any listed here.

    Args:
        microversion: As Nova's version document has it, for example "2.96"; None or a text of
            another form says nothing, and gives None.
    """
    match = _MICROVERSION.fullmatch(microversion or "")
    if match is None:
        return None
    number = int(match[1]), int(match[2])
    same = [index for index, newest in _NEWEST if newest == number]
    if same:
        return range(same[0], same[-1] + 1)
    later = [index for index, newest in _NEWEST if newest > number]
    if not later:
        return range(newest_release() + 1, newest_release() + 1)
    return range(max(later[0] - 1, _NEWEST[0][0]), later[0] + 1)


def release_names() -> tuple[str, ...]:
    """Return every known release as "codename (year-based name)", oldest first."""
    return tuple(release_name(index) for index in range(len(_RELEASES)))


def release_name(index: int) -> str:
    """Return the release with an index as "codename (year-based name)"."""
    codename, number, _ = _RELEASES[index]
    return f"{codename} ({number})"


def release_number(index: int) -> str:
    """Return the year-based name of the release with an index."""
    return _RELEASES[index][1]


def newest_release() -> int:
    """Return the index of the newest known release."""
    return len(_RELEASES) - 1


def reached(release: str | None, first: str) -> bool:
    """Tell whether a release is as new as another; an undeclared or unknown one is."""
    index, bound = release_index(release), release_index(first)
    return index is None or bound is None or index >= bound
