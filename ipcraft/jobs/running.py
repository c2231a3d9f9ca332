"""Running jobs: one attempt at one order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from ipcraft.context import request_id, set_request_id
from ipcraft.errors import Hopeless
from ipcraft.jobs.definitions import Job, Order

_log = structlog.get_logger("ipcraft.jobs")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say how an attempt ended: `reason` is why it failed, `pause` the time to the next one."""

    reason: str | None = None
    pause: float | None = None

    @property
    def word(self) -> str:
        """Say it in a word."""
        if self.reason is None:
            return "done"
        return "failed" if self.pause is None else "again"


def attempt(job: Job, order: Order, *, number: int) -> Outcome:
    """Run the job once. `number` counts attempts that failed and this one, from 1.

    Failures are logged and raise nothing.
    """
    with on_behalf_of(order):
        try:
            job.run(order.payload)
        except Hopeless as error:
            _log.error("a job is given up", job=job.name, id=order.id, reason=str(error))
            return Outcome(_reason(error))
        except Exception as error:  # noqa: BLE001 - a job's failure must not end those of others
            pause = job.retries.pause(number)
            _log_failure(order, error, number=number, pause=pause)
            return Outcome(_reason(error), pause)
        return Outcome()


@contextmanager
def on_behalf_of(order: Order) -> Iterator[None]:
    """Ascribe what is logged and changed to the request that asked for the work."""
    before = request_id()
    set_request_id(order.request_id)
    try:
        yield
    finally:
        set_request_id(before)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _log_failure(order: Order, error: Exception, *, number: int, pause: float | None) -> None:
    what = {"job": order.job, "id": order.id, "attempt": number, "reason": str(error)}
    if pause is None:
        _log.error("a job failed for the last time", **what, exc_info=error)
    else:
        _log.warning("a job failed and is tried again", **what, pause=round(pause, 1))
