"""Record, replay and compare what OpenStack clouds answer to "List images details".

Importing this package imports nothing else: pytest loads it at every start.
"""

__version__ = "0.1.0"
