"""The releases that can be run, with versions, pins and reasons.

Every release was installed from PyPI and run on Python 3.11. Rocky (Nova 18) and older cannot run:
`import nova` is a syntax error since Python 3.7, because of a module named `async`.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from types import MappingProxyType

PYTHON = "3.11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One OpenStack release."""

    series: int  # Nova's major version, which names the release on the command line
    name: str
    nova: str
    glance: str
    keystone: str
    until: date  # packages uploaded later are ignored, so that the build stays the same
    max_microversion: str  # measured on the running cloud
    pins: tuple[str, ...] = ()
    # Python 3.10 removed collections.MutableMapping and others; keystone <= 18 uses them.
    old_collections: bool = False

    @property
    def cloud(self):
        """The cloud's name in clouds.yaml and in cassette folders."""
        return f"nova-{self.name}"

    @property
    def glance_series(self):
        return int(self.glance.partition(".")[0])

    @property
    def requirements(self):
        """The packages to install: the services, a WSGI server, the pins."""
        services = (f"nova=={self.nova}", f"glance=={self.glance}", f"keystone=={self.keystone}")
        return (*services, "cheroot", *self.pins)

    @property
    def fingerprint(self):
        """A hash of everything that determines the virtual environment."""
        parts = (PYTHON, self.until.isoformat(), str(self.old_collections), *self.requirements)
        return sha256("\n".join(parts).encode()).hexdigest()


# Each pin with the failure without it.
_SQLALCHEMY_1 = "sqlalchemy<2"  # keystone <= 23 imports sqlalchemy-migrate, which fails on 2
# nova <= 22 adds columns through sqlalchemy-migrate, which fails on 1.4 with oslo.db 12
_SQLALCHEMY_1_3 = "sqlalchemy<1.4"
_PINS_OF_30 = (
    "setuptools<81",  # nova 30 imports pkg_resources, which setuptools 81 removed
    "bcrypt<4.1",  # the self-test of passlib, used by keystone 26, fails with bcrypt 5
    "cryptography<46",  # cursive needs a curve (SECT571K1) that cryptography 48 removed
    "oslo.utils<10",  # glance 29 imports oslo_utils.secretutils.md5, which 10 removed
    "oslo.db<17",  # glance 29 uses oslo.db's EngineFacade, which 18 removed
    "oslo.context<6",  # keystone 26 answers 500 with oslo.context 6
)
_PINS_OF_19 = (
    _SQLALCHEMY_1_3,
    "werkzeug<1",  # keystone 15 imports werkzeug.contrib, which werkzeug 1 removed
    "jinja2<3",  # flask 1 imports jinja2.Markup, which jinja2 3.1 removed
    "markupsafe<2.1",  # jinja2 2 imports markupsafe.soft_unicode, which 2.1 removed
    "itsdangerous<2",  # flask 1 imports itsdangerous.json, which 2.1 removed
)

_ROWS = (
    # name, nova, glance, keystone, until, max_microversion
    ("2026.2", "34.0.0", "33.0.0", "30.0.0", date(2026, 11, 23), "2.104"),
    # In July 2026, cursive and cryptography were incompatible.
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
    "2023.1": (_SQLALCHEMY_1,),
    "2022.1": (_SQLALCHEMY_1,),
    "2020.2": (_SQLALCHEMY_1_3,),
    "2019.2": (_SQLALCHEMY_1_3,),
    "2019.1": _PINS_OF_19,
}


def _release(name, nova, glance, keystone, until, max_microversion):
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


RELEASES = MappingProxyType({each.series: each for each in (_release(*row) for row in _ROWS)})
