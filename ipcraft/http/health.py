"""Health: ``/healthz`` says that the process is alive, ``/readyz`` whether it can serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypedDict

import falcon
import structlog
from msgspec import Meta

from ipcraft.contributions import HealthCheck, Route
from ipcraft.http.errors import ErrorObject, error_body
from ipcraft.http.operations import Content, operation

_log = structlog.get_logger("ipcraft.http")


class LifeObject(TypedDict):
    """Says that the process is alive."""

    status: Literal["ok"]


class ReadinessObject(TypedDict):
    """Says whether the process can serve."""

    status: Literal["ok", "degraded", "failed"]
    checks: Annotated[
        dict[str, str | None],
        Meta(description="Each check, with the reason why it fails.", examples=[{"storage": None}]),
    ]
    plugins: Annotated[
        dict[str, str],
        Meta(description="Each plugin that was left out, with the reason.", examples=[{}]),
    ]


class UnreadyObject(ReadinessObject, ErrorObject):
    """Says why the process cannot serve."""


def health_routes(checks: Sequence[HealthCheck], *, degraded: Mapping[str, str]) -> list[Route]:
    """Give the two routes.

    `degraded` says of each plugin that was skipped at boot why.
    """
    return [
        Route("/healthz", Alive(), public=True),
        Route("/readyz", Ready(checks, degraded=degraded), public=True),
    ]


class Alive:
    """Answer that the process serves requests at all."""

    @operation(answers={200: LifeObject})
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200, whatever else is down."""
        resp.media = {"status": "ok"}


class Ready:
    """Answer whether every part we depend on can be used, and why not.

    ``status`` is ``ok``; ``degraded`` (200) when a check that is not required fails or a
    plugin was skipped at boot; ``failed`` (503) when a required check fails. ``checks``
    maps each check to null or the reason, ``plugins`` each skipped plugin to the reason.
    """

    def __init__(self, checks: Sequence[HealthCheck], *, degraded: Mapping[str, str]) -> None:
        self._checks = tuple(checks)
        self._degraded = dict(degraded)

    @operation(
        answers={
            200: ReadinessObject,
            503: Content(UnreadyObject, description="A part that requests need is down."),
        }
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Run every check, now."""
        reasons = {check.name: _reason(check) for check in self._checks}
        failed = [check.name for check in self._checks if check.required and reasons[check.name]]
        unwell = self._degraded or any(reasons.values())
        answer: dict[str, object] = {
            "status": "failed" if failed else "degraded" if unwell else "ok",
            "checks": reasons,
            "plugins": self._degraded,
        }
        if failed:
            why = "; ".join(f"{name}: {reasons[name]}" for name in failed)
            answer |= error_body(req, f"Not ready: {why}", code="not_ready")
            resp.status = falcon.HTTP_503
        resp.media = answer


def _reason(check: HealthCheck) -> str | None:
    try:
        return check.check()
    except Exception as error:  # noqa: BLE001 - a check that fails is an answer too
        _log.exception("a health check failed", check=check.name)
        return f"the check failed with {type(error).__name__}"
