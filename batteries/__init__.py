"""Faults that are provoked in five HTTP recorders, side by side."""
