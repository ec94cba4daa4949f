"""Holds Python's garbage collector back while many small values are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage meanwhile, if any was to be collected; also a decorator.

    A parsed body is some ten containers for each image, none of them garbage and none in a cycle.
    The collector walks through them again and again as they grow in number, which takes as long
    as parsing 10,000 images does.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
