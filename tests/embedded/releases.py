"""Which releases behave alike, for tests that are the same for all of them."""

MAXIMUM = {
    "2019.1": "2.72",
    "2019.2": "2.79",
    "2020.2": "2.87",
    "2022.1": "2.90",
    "2023.1": "2.95",
    "2024.2": "2.96",
    "2025.2": "2.100",
    "2026.1": "2.103",
    "2026.2": "2.104",
}
"""The newest microversion of every release that has any."""

GLANCE_V2 = list(MAXIMUM)
"""Releases whose Nova asks Glance v2."""

SCHEMA = [release for release in MAXIMUM if release >= "2024.2"]
"""Releases whose Nova checks limit and offset by a schema (Nova 30.0.0)."""
