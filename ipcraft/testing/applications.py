"""Applications for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ipcraft.app import Application, create_application
from ipcraft.config import load_settings
from ipcraft.logs import configure_logs

SECRET_KEY = "a secret key that only tests know"
"""The secret of the applications made for tests, and of the processes they serve."""


def make_application(
    database_url: str,
    *,
    enable: Sequence[str] = (),
    disable: Sequence[str] = (),
    sections: Mapping[str, Mapping[str, object]] | None = None,
    settings: Mapping[str, object] | None = None,
    clock: Callable[[], float] = time.time,
) -> Application:
    """Make an application with third-party plugins enabled and built-in ones switched off.

    `sections` are the plugins' settings, as in ``[plugins.NAME]``, `settings` the core's own,
    such as ``{"signup": "open"}``. The tables of every plugin are brought up to date. Nothing
    is read from the environment or from a file.
    """
    loaded = load_settings(
        path=Path("/dev/null"),
        environ={},
        overrides={
            "database_url": database_url,
            "secret_key": SECRET_KEY,
            **(settings or {}),
            "plugins": {"enable": list(enable), "disable": list(disable), **(sections or {})},
        },
    )
    configure_logs(level="warning", form="text")
    app = create_application(loaded, clock=clock)
    app.storage.upgrade()
    return app
