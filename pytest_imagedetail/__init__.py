"""Record, replay and compare OpenStack clouds' answers to "List images details".

Importing this package imports nothing else, because pytest loads it at every start.
"""

__version__ = "0.1.0"
