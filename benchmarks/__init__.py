"""Speeds, as ratios within one run; nothing here is a test that can fail by the clock."""
