"""Rate limits: how exact they are over four workers, and what they and the identity cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from itertools import islice, repeat

from bench.datasets import SMALL, Inventory, build
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.limit import limit_round
from bench.load import drive, shared, warm
from bench.messages import request
from bench.operations import get_address
from bench.table import Goal, Line

WORKERS = 4
CLIENTS = 8
SECONDS = 60
RATE = 30
"""Requests a second that the plan Pro includes."""

_OUT_OF_REACH = 1_000_000
_PLACES = ("local", "redis")
_ANSWERS = frozenset({200, 429})
_EXACT = (Goal("value", "<=", 2, " % off"),)
_CHEAP = (Goal("of limit", ">=", 0.45),)


def rates(grounds: Grounds) -> list[Line]:
    """Measure both limiters."""
    lines = [_exactness(grounds, where) for where in _PLACES]
    for where in _PLACES:
        site = grounds.site(f"cost-{where}", variables=_variables(grounds, where, _OUT_OF_REACH))
        inventory = build(SMALL.scaled(grounds.effort.scale), site)
        lines += [_cost(grounds, inventory, where, clients=clients) for clients in (1, 16)]
    return lines


def _variables(grounds: Grounds, where: str, rate: int) -> Mapping[str, str]:
    """Give the settings with which organizations may send so many requests a second."""
    limited = {"IPCRAFT_PLANS_CATALOGUE": json.dumps({"enterprise": {"rate_limit": rate}})}
    return limited | ({"IPCRAFT_REDIS_URL": grounds.redis.url} if where == "redis" else {})


def _exactness(grounds: Grounds, where: str) -> Line:
    """Send as much as can be, and compare what is let through with what the plan includes."""
    site = grounds.site(
        f"rates-{where}", workers=WORKERS, variables=_variables(grounds, where, RATE)
    )
    account = site.organization("rates")
    asking = repeat(request("GET", "/api/v1/sections", key=account.key))
    warm(account.endpoint, asking)
    time.sleep(1)  # the window that has begun ends
    seconds = grounds.effort.sized(SECONDS, least=3)
    say(f"{CLIENTS} clients at {RATE} requests a second for {seconds} s, {where}")
    figures = drive(account.endpoint, shared(asking, CLIENTS), expected=_ANSWERS, seconds=seconds)
    allowed, included = figures.statuses[200], RATE * figures.seconds
    return Line(
        operation=f"rate limit of {RATE} a second",
        series=Series([figures]),
        data=where,
        clients=CLIENTS,
        value=abs(allowed / included - 1) * 100,
        goals=_EXACT,
        note=f"{allowed:,} of {included:,.0f} let through in {figures.seconds:.1f} s, "
        f"{allowed / included - 1:+.2%}; {WORKERS} workers",
    )


def _cost(grounds: Grounds, inventory: Inventory, where: str, *, clients: int) -> Line:
    """Ask for addresses with a key and a limit, next to the bare application."""
    say(f"GET address with key and limit, {where}, {clients} clients")
    limit, mine = Series(), Series()
    requests = get_address(inventory)
    warm(inventory.account.endpoint, requests)
    for _ in range(grounds.effort.rounds):
        limit.add(limit_round(grounds, "select", clients=clients))
        mine.add(_round(grounds, inventory, requests, clients=clients))
    return Line(
        operation="GET address, key and rate limit",
        series=mine,
        data=where,
        clients=clients,
        of_limit=mine.rate_beside(limit),
        goals=_CHEAP,
        note=f"limit {limit.rate:,.0f}/s",
    )


def _round(
    grounds: Grounds, inventory: Inventory, requests: Iterator[bytes], *, clients: int
) -> Figures:
    messages = list(islice(requests, grounds.effort.amount(clients)))
    return drive(
        inventory.account.endpoint,
        shared(iter(messages), clients),
        seconds=grounds.effort.seconds,
    )
