"""What every error says, and that it survives a trip between processes."""

import inspect
import pickle

import pytest

from pytest_imagedetail import errors
from pytest_imagedetail.errors import ImageDetailError, ResponseError

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, ImageDetailError)
]


def made(each, **more):
    if each is ResponseError:
        more.setdefault("status_code", 401)
    return each("it broke", remedy="mend it\nor buy another", **more)


def test_says_problem_place_and_remedy():
    """A message is one block: the problem, where, and a line for each way out."""
    assert str(made(ImageDetailError, where="here.yaml, line 3")) == (
        "it broke\n  where: here.yaml, line 3\n  next:  mend it\n  next:  or buy another"
    )


def test_leaves_out_an_unknown_place():
    """An error about no place in particular has no empty `where` line."""
    assert str(made(ImageDetailError)) == "it broke\n  next:  mend it\n  next:  or buy another"


@pytest.mark.parametrize("each", CLASSES)
def test_survives_pickling(each):
    """pytest-xdist and process pools pickle errors; nothing of one may be lost."""
    error = made(each, where="here")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is each
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert again.args == error.args


@pytest.mark.parametrize("each", CLASSES)
def test_stands_in_the_tree_and_is_documented(each):
    """The tree in the module's first lines shows every class, and every class says what it is."""
    assert each.__name__ in (errors.__doc__ or "").split()
    assert each.__doc__


def test_a_response_error_knows_the_status():
    """Who catches it can tell a 401 from a 500 without reading the message."""
    assert made(ResponseError, status_code=500).status_code == 500
