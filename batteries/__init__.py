"""Cassettes you can trust: faults that are really provoked, side by side, in five recorders."""
