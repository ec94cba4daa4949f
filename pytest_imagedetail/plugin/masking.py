"""Keep the secrets that a run knows out of reports, logs and warnings."""

import io
import logging
import os
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any
from warnings import WarningMessage

import pytest

from pytest_imagedetail.body import xml as xmltext
from pytest_imagedetail.redact.final_check import without_secrets

Secrets = Callable[[], frozenset[str]]
"""Returns what nothing may show, as far as the run knows by then."""


class Masking:
    """Hooks that mask secrets in reports, before others print, write or send these."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the secrets out of a report of any kind."""
        if not (secrets := self._secrets()):
            return
        for name in ("sections", "user_properties", "wasxfail", "context"):
            if hasattr(report, name):
                setattr(report, name, _hidden(getattr(report, name), secrets))
        if isinstance(report.longrepr, tuple):  # of a skipped test: file, line and reason
            report.longrepr = _hidden(report.longrepr, secrets)
            return
        text = report.longreprtext
        # The summary's line stands beside the text and may say what the text does not.
        line = str(getattr(getattr(report.longrepr, "reprcrash", None), "message", ""))
        shown = _shown(text, secrets)
        if shown != text or _shown(line, secrets) != line:
            report.longrepr = shown

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: WarningMessage) -> None:
        """Take the secrets out of what a test warned of; its category stays."""
        if not (secrets := self._secrets()):
            return
        warning = warning_message.message
        text = f"{warning}\n{getattr(warning, 'args', '')}"  # a worker sends the arguments
        if _shown(text, secrets) != text:
            warning_message.message = Warning(_shown(str(warning), secrets))

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Empty the frames that hold a secret, for no report is made of an interrupted test."""
        if not (secrets := self._secrets()):
            return
        error: BaseException | None = excinfo.value
        while error is not None:
            _empty_frames(error, secrets)
            shown = _shown(str(error), secrets)
            if shown != str(error):
                error.args = (shown,)
                if isinstance(error, pytest.exit.Exception):
                    error.msg = shown
            error = error.__cause__ or error.__context__

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Mask what tests wrote into JUnit's file past their reports: attributes of elements."""
        result = yield
        config = session.config
        name = config.getoption("--junit-xml", default=None)
        if name and not hasattr(config, "workerinput") and (secrets := self._secrets()):
            path = config.invocation_params.dir / os.path.expandvars(Path(name).expanduser())
            _mask_junit(path, secrets)
        return result


def mask_logs(secrets: Secrets) -> None:
    """Mask what is logged wherever it is shown or written; what `caplog` gives a test stays."""
    for handler in logging.getLogger().handlers:
        formatter, stream = handler.formatter, getattr(handler, "stream", None)
        if formatter is None or isinstance(formatter, _Masked) or isinstance(stream, io.StringIO):
            continue
        handler.setFormatter(_Masked(formatter, secrets))


def _mask_junit(path: Path, secrets: frozenset[str]) -> None:
    text = path.read_text(encoding="utf-8")
    shown = xmltext.replace_strings(text, lambda value, _: _shown(value, secrets))
    if shown != text:
        path.write_text(shown, encoding="utf-8")


class _Masked(logging.Formatter):
    """Mask the secrets in what another formatter makes."""

    def __init__(self, inner: logging.Formatter, secrets: Secrets) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        return _shown(self._inner.format(record), self._secrets())


def _empty_frames(error: BaseException, secrets: frozenset[str]) -> None:
    place = error.__traceback__
    while place is not None:
        if any(_holds(value, secrets) for value in place.tb_frame.f_locals.values()):
            with suppress(RuntimeError):  # it still runs: it is pytest's own
                place.tb_frame.clear()
        place = place.tb_next


def _holds(value: object, secrets: frozenset[str]) -> bool:
    try:
        text = repr(value)
    except Exception:  # whatever a foreign repr raises, pytest would show it
        return True
    return _shown(text, secrets) != text


def _hidden(value: Any, secrets: frozenset[str]) -> Any:
    """Return a value of a report without the secrets; the same one if it has none."""
    if isinstance(value, str):
        return _shown(value, secrets)
    if type(value) is dict:
        return {_hidden(key, secrets): _hidden(each, secrets) for key, each in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(_hidden(each, secrets) for each in value)
    fields = getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        with suppress(TypeError):  # it is not made of its fields
            return type(value)(**{name: _hidden(getattr(value, name), secrets) for name in fields})
    text = str(value)
    shown = _shown(text, secrets)
    return value if shown == text else shown


def _shown(text: str, secrets: frozenset[str]) -> str:
    return without_secrets(text, secrets) if secrets else text
