"""Read bodies and files as text: JSON, XML, YAML and compression, each with its own parser."""
