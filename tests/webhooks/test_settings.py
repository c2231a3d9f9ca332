"""The settings of webhooks."""

from __future__ import annotations

from typing import Any

import pytest

from ipcraft.config import ConfigError, load_settings
from ipcraft_webhooks.retries import SCHEDULE
from ipcraft_webhooks.schemas import WebhookSettings


def section(**variables: str) -> Any:
    """Read the section from variables."""
    environ = {f"IPCRAFT_WEBHOOKS_{name.upper()}": value for name, value in variables.items()}
    return load_settings(environ=environ).section("webhooks", WebhookSettings)


def test_the_schedule_is_the_contracts_unless_said_otherwise() -> None:
    """Nobody has to set anything."""
    assert tuple(section()["retry_schedule"]) == SCHEDULE


def test_a_schedule_is_seconds_between_commas() -> None:
    """Parts of a second are seconds, too."""
    assert section(retry_schedule="0.5, 10,3600")["retry_schedule"] == [0.5, 10.0, 3600.0]


@pytest.mark.parametrize(
    "variables",
    [
        {"retry_schedule": "5,-1"},
        {"retry_schedule": "5,later"},
        {"retry_schedule": "5,nan"},
        {"retry_schedule": "1000000"},
        {"concurrency": "3"},
        {"concurrency": "many"},
    ],
)
def test_a_bad_setting_stops_the_start(variables: dict[str, str]) -> None:
    """The error names the variable."""
    (name,) = variables
    with pytest.raises(ConfigError, match=f"IPCRAFT_WEBHOOKS_{name.upper()}"):
        section(**variables)
