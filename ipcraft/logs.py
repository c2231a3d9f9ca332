"""Structured logs on standard error: a line of JSON or of text per event.

Every line carries the id of the request it belongs to. Secrets are cut out of what is
written, wherever they stand: API keys (their public prefix stays), webhook secrets,
bearer tokens, session cookies, ``token=`` and passwords in URLs. Only a line that is logged with
``unredacted=True`` is written whole: it has to carry the secret to who reads the log.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from ipcraft.context import request_id

_CUT = "***"
_SECRET_KEYS = frozenset(
    ("api_key", "authorization", "cookie", "password", "secret", "secret_key", "session", "token")
)
_SECRETS = re.compile(
    r"(ipc_[0-9A-Za-z]{8}|whsec_|bearer |session=|token=)[^\s\"'&;,]+"
    r"|(://[^:/@\s\"]*:)[^/\s\"]+(?=@)",
    re.IGNORECASE,
)

_MARKS = ("ipc_", "whsec_", "bearer ", "session=", "token=", "://")

_Renderer = Callable[[WrappedLogger, str, EventDict], str]


def configure_logs(*, level: str = "info", form: Literal["json", "text"] = "text") -> None:
    """Set the logs of this process up, ours and those of the libraries below us."""
    least = logging.getLevelNamesMapping()[level.upper()]
    render = _renderer(form)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        _add_time_and_request,
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_CurrentStandardError())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, _add_time_and_request],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    # Libraries say at "info" what only their authors want to know.
    logging.basicConfig(handlers=[handler], level=max(least, logging.WARNING), force=True)


def redact(text: str) -> str:
    """Cut the secrets out of a text."""
    lower = text.lower()
    # PERF: 1 us where the expression takes 16; nearly no line has a mark.
    if any(mark in lower for mark in _MARKS):
        return _SECRETS.sub(_cut, text)
    return text


def _cut(match: re.Match[str]) -> str:
    return f"{match[1] or match[2]}{_CUT}"


def _add_time_and_request(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    event["time"] = now.replace("+00:00", "Z")
    identifier = request_id()
    if identifier is not None:
        event["request_id"] = identifier
    return event


def _renderer(form: Literal["json", "text"]) -> _Renderer:
    inner = _json if form == "json" else _text_renderer()

    def render(logger: WrappedLogger, name: str, event: EventDict) -> str:
        if event.pop("unredacted", False):
            return inner(logger, name, event)
        for key in _SECRET_KEYS & event.keys():
            event[key] = _CUT
        return redact(inner(logger, name, event))

    return render


def _json(logger: WrappedLogger, name: str, event: EventDict) -> str:
    event = structlog.processors.format_exc_info(logger, name, event)
    return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()


def _text_renderer() -> _Renderer:
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(),
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )


class _StandardError:
    """Write lines to what is standard error now: a test or a daemon may have replaced it."""

    def __init__(self, *args: object) -> None:
        pass

    def msg(self, message: str) -> None:
        sys.stderr.write(message + "\n")

    debug = info = warning = error = critical = exception = msg


class _CurrentStandardError:
    """Be a stream for `logging` that is standard error as it is now."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
