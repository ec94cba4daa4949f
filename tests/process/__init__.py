"""Cassettes under faults that are really provoked: nothing is lost, or it is said what."""
