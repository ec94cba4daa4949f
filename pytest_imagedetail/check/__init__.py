"""Check what one cloud answers, without a second one: relations that hold, and a forecast."""
