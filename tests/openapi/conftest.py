"""The document of an application with every built-in plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ipcraft.app import Application, create_application, document
from ipcraft.config import load_settings


@pytest.fixture(scope="package")
def app() -> Iterator[Application]:
    """Give an application; it opens no database before somebody asks."""
    app = create_application(load_settings(path=Path("/dev/null"), environ={}))
    yield app
    app.close()


@pytest.fixture(scope="package")
def described(app: Application) -> Mapping[str, Any]:
    """Give its document."""
    return document(app)
