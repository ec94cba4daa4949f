"""The shape of a listing: what its images look like, whichever images they are.

Two clouds with different images can be compared by it, and a cloud with a reference recording.
"""

from pytest_imagedetail.compare.shape.description import Shape, describe
from pytest_imagedetail.compare.shape.differences import shape_differences, unseen

__all__ = ["Shape", "describe", "shape_differences", "unseen"]
