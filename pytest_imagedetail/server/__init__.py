"""Recordings as clouds: an HTTP server on loopback for programs in any language."""

from pytest_imagedetail.server.recording import Recorder
from pytest_imagedetail.server.serving import Server, Servers

__all__ = ["Recorder", "Server", "Servers"]
