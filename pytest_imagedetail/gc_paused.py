"""Pause Python's garbage collector while many small values are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pause the garbage collector if it is enabled; also works as a decorator."""
    # A parsed body is some ten containers for each image, none of them garbage. Walking through
    # them again and again takes as long as parsing 10,000 images, and longer at 100,000.
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
