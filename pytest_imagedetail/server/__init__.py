"""Recordings as clouds: an HTTP server on loopback for programs in any language."""

from pytest_imagedetail.server.http import Server

__all__ = ["Server"]
