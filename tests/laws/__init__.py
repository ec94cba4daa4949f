"""Properties that hold for all listings, mostly tested with hypothesis."""
