"""Known differences are planted in realistic listings, and exactly those must be found."""
