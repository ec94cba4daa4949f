"""The simulated releases and their differences.

Essex follows the source of Nova 2012.1 and of its Glance registry. The others were measured on Nova
19.3.2, 20.6.1, 22.4.0, 25.2.0, 27.1.0, 30.3.0, 32.0.0, 33.0.0 and 34.0.0.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One release of Nova.

    Attributes:
        name: A key of `RELEASES`.
        max_microversion: The highest on `/v2.1`; None for Essex, which has only `/v2/{project}`.
        has_schema: Whether a JSON schema checks the query (Nova 30.0.0, commit 41b436bff7).
    """

    name: str
    max_microversion: tuple[int, int] | None = None
    has_schema: bool = False

    @property
    def is_essex(self) -> bool:
        return self.max_microversion is None

    @property
    def versions(self) -> tuple[str, ...]:
        return ("v1.1", "v2") if self.is_essex else ("v2", "v2.1")

    def endpoint(self, project: str) -> str:
        return f"/v2/{project}" if self.is_essex else "/v2.1"


RELEASES = {
    each.name: each
    for each in (
        Release(name="essex"),
        Release(name="2019.1", max_microversion=(2, 72)),
        Release(name="2019.2", max_microversion=(2, 79)),
        Release(name="2020.2", max_microversion=(2, 87)),
        Release(name="2022.1", max_microversion=(2, 90)),
        Release(name="2023.1", max_microversion=(2, 95)),
        Release(name="2024.2", max_microversion=(2, 96), has_schema=True),
        Release(name="2025.2", max_microversion=(2, 100), has_schema=True),
        Release(name="2026.1", max_microversion=(2, 103), has_schema=True),
        Release(name="2026.2", max_microversion=(2, 104), has_schema=True),
    )
}
