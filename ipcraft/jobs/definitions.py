"""Jobs: what they are called, what they do, how often they are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, Retrying
from tenacity.wait import wait_base, wait_exponential, wait_none, wait_random

_DOUBLING = wait_exponential(multiplier=2, max=300) + wait_random(0, 1)


@dataclass(frozen=True, slots=True)
class Retries:
    """Say how often a job is tried, and how long to wait after each failure.

    `wait` is one of tenacity's strategies, by default 2 s, 4 s, 8 s and so on up to 5 minutes,
    each with up to a second more so that not all come back at once.
    Source: https://tenacity.readthedocs.io/en/latest/api.html#wait-functions
    """

    attempts: int = 5
    wait: wait_base = _DOUBLING

    def pause(self, attempt: int) -> float | None:
        """Give the seconds to wait after this attempt, the first being 1; None after the last."""
        if attempt >= self.attempts:
            return None
        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = attempt
        return float(self.wait(state))


ONCE = Retries(1, wait_none())
"""No second try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Give a function a name that work can be queued under.

    `run` takes the payload, a JSON object. It may run more than once for one order, also after
    it has succeeded: its process can be killed before that is noted. Whatever it raises is a
    failure, after which it is tried again; `ipcraft.errors.Hopeless` says that this would be in
    vain. A job with `every` also runs by itself, once in so many seconds over all processes,
    with an empty payload.
    """

    name: str
    """Such as ``accounts.tidy``, beginning with the plugin's name."""
    run: Callable[[Mapping[str, Any]], object]
    retries: Retries = Retries()
    every: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Ask for one run of a job. It stands in the database until the job is done or given up."""

    id: str
    job: str
    """The job's name."""
    payload: Mapping[str, Any]
    request_id: str | None = None
    """The request that asked for it; its log lines carry the id."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Be what a queue carries of an order: enough to find it, and nothing that it says.

    Who has the `lease` may work the order off, until it ends or somebody else is given another.
    """

    order_id: str
    job: str
    """The job's name."""
    lease: str
