"""A payment service that stalls, and what everybody else notices of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from bench.api import exchange
from bench.datasets import SMALL, Inventory, build
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.load import drive, shared
from bench.operations import get_address
from bench.servers import Account
from bench.table import Goal, Line
from ipcraft.testing.services import StripeStandIn

_CLIENTS = 4
_BUYERS = 8
_PAUSE = 2.0
"""Seconds after which a buyer who was told to come again does."""
_LONGEST = 60.0


def stalling(grounds: Grounds) -> list[Line]:
    """Read the inventory while owners try to buy from a Stripe that never answers."""
    with StripeStandIn() as stripe:
        variables = {**stripe.environ, "IPCRAFT_PUBLIC_URL": "https://bench.example"}
        site = grounds.site("stalling", variables=variables)
        inventory = build(SMALL.scaled(grounds.effort.scale), site)
        buyers = [site.organization(f"buyer-{number}") for number in range(_BUYERS)]
        quiet, stalled = Series(), Series()
        for count in range(grounds.effort.rounds):
            say(f"reading beside a Stripe that stalls, round {count + 1}")
            quiet.add(_read(inventory, seconds=grounds.effort.seconds))
            stripe.manner = "silent"
            with _buying(buyers):
                stalled.add(_read(inventory, seconds=grounds.effort.seconds))
            stripe.manner = "whole"
    return [
        Line(operation="GET address, nobody buys", series=quiet, clients=_CLIENTS),
        Line(
            operation="GET address, Stripe stalls",
            series=stalled,
            data=f"{_BUYERS} owners at the checkout",
            clients=_CLIENTS,
            ratio=stalled.p99 / quiet.p99,
            to="p99 nobody buys",
            goals=(Goal("ratio", "<=", 1.10),),
        ),
    ]


def _read(inventory: Inventory, *, seconds: float) -> Figures:
    requests = shared(get_address(inventory), _CLIENTS)
    return drive(inventory.account.endpoint, requests, seconds=min(seconds, _LONGEST))


@contextmanager
def _buying(buyers: Sequence[Account]) -> Iterator[None]:
    """Have owners try to buy again and again, as people do who are told to come again."""
    ended = Event()
    with ThreadPoolExecutor(len(buyers)) as pool:
        trying = [pool.submit(_buy, each, ended) for each in buyers]
        try:
            yield
        finally:
            ended.set()
    for each in trying:
        each.result()


def _buy(buyer: Account, ended: Event) -> None:
    while not ended.is_set():
        exchange(buyer.endpoint, "POST", "/api/v1/billing/checkout", key=buyer.key)
        ended.wait(_PAUSE)
