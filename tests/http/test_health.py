"""Health: alive, ready, degraded, failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from falcon.testing import Result, TestClient

from ipcraft.contributions import HealthCheck
from ipcraft.http.health import health_routes

Serve = Callable[..., TestClient]


def ready(serve: Serve, *checks: HealthCheck, degraded: Mapping[str, str] | None = None) -> Result:
    """Ask ``/readyz``."""
    return serve(*health_routes(checks, degraded=degraded or {})).simulate_get("/readyz")


def well() -> None:
    """Find nothing wrong."""


def ill() -> str:
    """Find something wrong."""
    return "does not answer"


def test_healthz_is_ok_whatever_is_down(serve: Serve) -> None:
    """The process is alive when it answers."""
    client = serve(*health_routes([HealthCheck("storage", ill)], degraded={}))
    answer = client.simulate_get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readyz_is_ok_when_every_check_is(serve: Serve) -> None:
    """Every check is shown."""
    answer = ready(serve, HealthCheck("storage", well))
    expected: dict[str, Any] = {"status": "ok", "checks": {"storage": None}, "plugins": {}}
    assert (answer.status_code, answer.json) == (200, expected)


def test_readyz_says_why_it_is_not(serve: Serve) -> None:
    """A required check that fails makes it 503, with the reason in the error's sentence."""
    answer = ready(serve, HealthCheck("storage", ill), HealthCheck("queue", well))
    assert answer.status_code == 503
    assert answer.json["status"] == "failed"
    assert answer.json["checks"] == {"storage": "does not answer", "queue": None}
    assert answer.json["error"] == "Not ready: storage: does not answer"
    assert answer.json["code"] == "not_ready"
    assert answer.json["request_id"] == answer.headers["x-request-id"]


def test_a_check_that_is_not_required_degrades(serve: Serve) -> None:
    """What can be done without is shown, and the process still serves."""
    answer = ready(serve, HealthCheck("mail", ill, required=False), HealthCheck("storage", well))
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")


def test_a_skipped_plugin_degrades(serve: Serve) -> None:
    """A plugin that was left out at boot is shown with its reason."""
    answer = ready(serve, degraded={"ldap": "failed to import"})
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["plugins"] == {"ldap": "failed to import"}


def test_a_check_that_raises_has_failed(serve: Serve) -> None:
    """An exception is a reason like another; what it says stays in the log."""

    def broken() -> str:
        raise RuntimeError("password inside")

    answer = ready(serve, HealthCheck("storage", broken))
    assert answer.status_code == 503
    assert answer.json["checks"] == {"storage": "the check failed with RuntimeError"}
    assert "password inside" not in answer.text
