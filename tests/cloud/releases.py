"""The simulated releases.

Essex follows the source of Nova 2012.1. The others were measured on Nova 19.3.2, 20.6.1, 22.4.0,
25.2.0, 27.1.0, 30.3.0, 32.0.0, 33.0.0 and 34.0.0.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One release by its highest microversion; Essex has none, and only `/v2/{project}`."""

    max_microversion: tuple[int, int] | None

    @property
    def is_essex(self):
        return self.max_microversion is None

    @property
    def has_schema(self):
        """Return whether a JSON schema checks the query (Nova 30.0.0, commit 41b436bff7)."""
        return not self.is_essex and self.max_microversion >= (2, 96)

    @property
    def versions(self):
        return ("v2",) if self.is_essex else ("v2", "v2.1")

    def endpoint(self, project):
        return f"/v2/{project}" if self.is_essex else "/v2.1"


RELEASES = {
    "essex": Release(None),
    "2019.1": Release((2, 72)),
    "2019.2": Release((2, 79)),
    "2020.2": Release((2, 87)),
    "2022.1": Release((2, 90)),
    "2023.1": Release((2, 95)),
    "2024.2": Release((2, 96)),
    "2025.2": Release((2, 100)),
    "2026.1": Release((2, 103)),
    "2026.2": Release((2, 104)),
}
