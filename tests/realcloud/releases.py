"""The releases that can be run: which versions, which pins, and why.

Every row was installed and run on Python 3.11 from PyPI alone. Rocky (Nova 18) and older cannot
be: `import nova` is a syntax error on Python 3.7 and later (a module named `async`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from types import MappingProxyType

PYTHON = "3.11"


@dataclass(frozen=True, slots=True)
class Pin:
    """A requirement beyond the three services, and the failure seen without it."""

    requirement: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One OpenStack release.

    Attributes:
        series: Nova's major version, the name of the release on the command line.
        name: The release as in "2026.2".
        nova: Version of Nova; `glance` and `keystone` are those that were released with it.
        until: Packages uploaded after this day are not considered, so that the build stays put.
        max_microversion: The highest compute API microversion, as measured on the running cloud.
        pins: Further requirements.
        old_collections: Put `collections.MutableMapping` and its like back (Python 3.10 took
            them away, keystone <= 18 uses them).
    """

    series: int
    name: str
    nova: str
    glance: str
    keystone: str
    until: date
    max_microversion: str
    pins: tuple[Pin, ...] = ()
    old_collections: bool = False

    @property
    def cloud(self) -> str:
        """The cloud's name, as in clouds.yaml and in cassette folders."""
        return f"nova-{self.name}"

    @property
    def glance_series(self) -> int:
        return int(self.glance.partition(".")[0])

    @property
    def requirements(self) -> tuple[str, ...]:
        """What to install: the services, a WSGI server, the pins."""
        services = (f"nova=={self.nova}", f"glance=={self.glance}", f"keystone=={self.keystone}")
        return (*services, "cheroot", *(pin.requirement for pin in self.pins))

    @property
    def fingerprint(self) -> str:
        """A fingerprint of everything that decides what the virtual environment holds."""
        parts = (PYTHON, self.until.isoformat(), str(self.old_collections), *self.requirements)
        return sha256("\n".join(parts).encode()).hexdigest()


SQLALCHEMY_1 = Pin(
    "sqlalchemy<2", "keystone <= 23 imports sqlalchemy-migrate, which needs what SQLAlchemy 2 lost"
)
SQLALCHEMY_1_3 = Pin(
    "sqlalchemy<1.4",
    "nova <= 22 adds columns through sqlalchemy-migrate, which fails on 1.4 with oslo.db 12",
)

_PINS_OF_30 = (
    Pin("setuptools<81", "nova 30 imports pkg_resources, which later ones lack"),
    Pin(
        "bcrypt<4.1",
        "keystone 26 hashes through passlib, whose self-test offers bcrypt 5 more than 72 bytes",
    ),
    Pin("cryptography<46", "cursive names a curve (SECT571K1) that cryptography 48 lacks"),
    Pin("oslo.utils<10", "glance 29 imports oslo_utils.secretutils.md5, gone from 10"),
    Pin("oslo.db<17", "glance 29 uses oslo.db's EngineFacade, gone from 18"),
    Pin("oslo.context<6", "keystone 26 answers with 500 on top of oslo.context 6"),
)
_PINS_OF_19 = (
    SQLALCHEMY_1_3,
    Pin("werkzeug<1", "keystone 15 imports werkzeug.contrib, which werkzeug 1 lost"),
    Pin("jinja2<3", "flask 1 imports jinja2.Markup, which jinja2 3.1 lost"),
    Pin("markupsafe<2.1", "jinja2 2 imports markupsafe.soft_unicode, which 2.1 lost"),
    Pin("itsdangerous<2", "flask 1 imports itsdangerous.json, which 2.1 lost"),
)

_ROWS: tuple[tuple[str, str, str, str, date, str], ...] = (
    # name, nova, glance, keystone, until, max_microversion
    ("2026.2", "34.0.0", "33.0.0", "30.0.0", date(2026, 11, 23), "2.104"),
    # Not July 2026: the cursive of that day fails against its cryptography.
    ("2026.1", "33.0.0", "32.0.0", "29.0.1", date(2026, 11, 1), "2.103"),
    ("2025.2", "32.0.0", "31.0.0", "28.0.0", date(2026, 1, 1), "2.100"),
    ("2024.2", "30.3.0", "29.2.1", "26.1.1", date(2026, 5, 10), "2.96"),
    ("2023.1", "27.1.0", "26.0.0", "23.0.1", date(2023, 10, 20), "2.95"),
    ("2022.1", "25.2.0", "24.2.1", "21.0.1", date(2023, 10, 20), "2.90"),  # Yoga
    ("2020.2", "22.4.0", "21.1.0", "18.1.0", date(2022, 12, 20), "2.87"),  # Victoria
    ("2019.2", "20.6.1", "19.0.4", "16.0.2", date(2022, 12, 20), "2.79"),  # Train
    ("2019.1", "19.3.2", "18.0.1", "15.0.1", date(2022, 12, 20), "2.72"),  # Stein
)
_PINS = {
    "2024.2": _PINS_OF_30,
    "2023.1": (SQLALCHEMY_1,),
    "2022.1": (SQLALCHEMY_1,),
    "2020.2": (SQLALCHEMY_1_3,),
    "2019.2": (SQLALCHEMY_1_3,),
    "2019.1": _PINS_OF_19,
}


def _release(
    name: str, nova: str, glance: str, keystone: str, until: date, max_microversion: str
) -> Release:
    return Release(
        series=int(nova.partition(".")[0]),
        name=name,
        nova=nova,
        glance=glance,
        keystone=keystone,
        until=until,
        max_microversion=max_microversion,
        pins=_PINS.get(name, ()),
        old_collections=name < "2022.1",
    )


RELEASES: Mapping[int, Release] = MappingProxyType(
    {each.series: each for each in (_release(*row) for row in _ROWS)}
)
