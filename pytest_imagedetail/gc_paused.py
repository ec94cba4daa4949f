"""Pause Python's garbage collector while many small objects are created."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_gc() -> Iterator[None]:
    """Pause the garbage collector if it is enabled; also works as a decorator."""
    # A parsed body has some ten live containers per image. Traversing them repeatedly takes as
    # long as parsing 10,000 images, and longer at 100,000.
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
