"""Check an answer of one cloud by what the API promises, without a baseline."""
