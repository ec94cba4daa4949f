"""Mask the secrets of a recording run in reports, logs and warnings."""

import copy
import io
import json
import logging
import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from typing import Any, Final
from urllib.parse import quote
from warnings import WarningMessage

import pytest

from pytest_imagedetail.model import MASKED

_WINDOW: Final = 12  # characters of a secret that are enough to mask
_SHORTEST: Final = 8  # shorter secrets could occur in ordinary text
_COLOR: Final = re.compile(r"\x1b\[[\d;]*m")  # pytest may color a part of a secret


def start_masking(config: pytest.Config, secrets: Callable[[], frozenset[str]]) -> None:
    """Register the hooks once, and mask the output of pytest's current log handlers."""
    name = "imagedetail-masking"
    masking = config.pluginmanager.get_plugin(name)
    if masking is None:
        masking = Masking(secrets)
        config.pluginmanager.register(masking, name)
    for handler in logging.getLogger().handlers:
        formatter, stream = handler.formatter, getattr(handler, "stream", None)
        # Handlers that write to memory are for `caplog` and reports; the hooks mask those.
        is_masked = isinstance(formatter, _MaskedFormatter) or isinstance(stream, io.StringIO)
        if formatter and not is_masked:
            handler.setFormatter(_MaskedFormatter(formatter, masking.mask))


class Masking:
    """Hooks that mask secrets before other hooks print, write or send them."""

    def __init__(self, secrets: Callable[[], frozenset[str]]) -> None:
        self._secrets = secrets
        self._known: frozenset[str] = frozenset()
        self._windows: frozenset[str] = frozenset()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Mask a report here, because earlier hooks lack a subtest's output and context."""
        for name in ("longrepr", "sections", "wasxfail", "context"):
            if hasattr(report, name):
                setattr(report, name, self._mask_value(getattr(report, name)))
        report.user_properties = [
            (self.mask(name), value if self.mask(text := str(value)) == text else self.mask(text))
            for name, value in report.user_properties
        ]

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        """Mask a warning; its category stays."""
        warning = warning_message.message
        text = f"{warning}\n{getattr(warning, 'args', '')}"  # workers send the arguments
        if self.mask(text) != text:
            warning_message.message = Warning(self.mask(str(warning)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Clear the arguments of an interrupted test that --full-trace would show."""
        error: BaseException | None = excinfo.value
        while error is not None:
            traceback.clear_frames(error.__traceback__)
            error = error.__cause__ or error.__context__

    def mask(self, text: str) -> str:
        """Replace the secrets known by now."""
        known = self._secrets()
        if known != self._known:
            self._known, self._windows = known, windows_of(known)
        return mask(text, self._windows)

    def _mask_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {self.mask(str(key)): self._mask_value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(map(self._mask_value, value))
        if is_dataclass(value):  # a traceback and its entries, the context of a subtest
            value = copy.copy(value)
            for field in fields(value):
                object.__setattr__(value, field.name, self._mask_value(getattr(value, field.name)))
        return value


class _MaskedFormatter(logging.Formatter):
    def __init__(self, inner: logging.Formatter, masked: Callable[[str], str]) -> None:
        super().__init__()
        self._inner = inner
        self._masked = masked

    def format(self, record: logging.LogRecord) -> str:
        return self._masked(self._inner.format(record))


def windows_of(secrets: Iterable[str]) -> frozenset[str]:
    """Return the texts to search for: all 12-character windows of each secret, or a shorter one.

    Each secret is covered as is, in a repr, in JSON and percent-encoded. Left out are numbers,
    secrets of fewer than eight characters, and lower-case words of fewer than 16 letters.
    """
    windows: set[str] = set()
    for secret in secrets:
        is_word = secret.isalpha() and secret.islower() and len(secret) < 2 * _SHORTEST
        if len(secret) < _SHORTEST or secret.isdigit() or is_word:
            continue
        percent = (quote(secret, safe=safe, errors="replace") for safe in ("", "/"))
        for form in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], *percent):
            starts = range(max(1, len(form) - _WINDOW + 1))
            windows.update(form[start : start + _WINDOW] for start in starts)
    return frozenset(windows)


def mask(text: str, windows: frozenset[str]) -> str:
    """Replace each run of overlapping windows; a changed text loses its colors."""
    plain = _COLOR.sub("", text)
    sizes = sorted(set(map(len, windows)), reverse=True)
    parts: list[str] = []
    end = 0
    for start in range(len(plain) if windows else 0):
        size = next((size for size in sizes if plain[start : start + size] in windows), 0)
        if size:
            if start > end or not parts:
                parts += [plain[end:start], MASKED]
            end = max(end, start + size)
    return "".join([*parts, plain[end:]]) if parts else text
