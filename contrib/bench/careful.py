"""What care costs: a key against doing a write twice, and a tag against lost updates."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from bench.datasets import SMALL, Inventory
from bench.figures import Figures, Series
from bench.grounds import Grounds, say
from bench.load import drive, shared, warm
from bench.messages import header, request
from bench.operations import get_address
from bench.table import Goal, Line
from bench.tidying import delete_created

_CHEAP = (Goal("ratio", ">=", 0.9),)
_CLIENTS = (1, 16)
_PATIENCE = 120.0

Round = Callable[[int], Figures]
"""Send one round with so many clients."""


def careful(grounds: Grounds) -> list[Line]:
    """Measure writes with a key and with a tag, by turns with the same writes without."""
    inventory = grounds.inventory(SMALL)
    keyed, plain = (_taking(grounds, inventory, keys=keys) for keys in (True, False))
    tagged, untagged = (_changing(grounds, inventory, tags=tags) for tags in (True, False))
    return [
        *_compare(grounds, "POST first-free, Idempotency-Key", keyed, plain),
        *_compare(grounds, "PATCH address, If-Match", tagged, untagged),
    ]


def _compare(grounds: Grounds, operation: str, with_care: Round, without: Round) -> list[Line]:
    lines = []
    for clients in _CLIENTS:
        say(f"{operation}, {clients} clients")
        mine, others = Series(), Series()
        for _ in range(grounds.effort.rounds):
            others.add(without(clients))
            mine.add(with_care(clients))
        lines.append(
            Line(
                operation=operation,
                series=mine,
                data=SMALL.name,
                clients=clients,
                ratio=mine.rate_beside(others),
                to="op/s without",
                goals=_CHEAP,
                note=f"without {others.rate:,.0f}/s, p50 {others.p50:.2f} ms",
            )
        )
    return lines


def _taking(grounds: Grounds, inventory: Inventory, *, keys: bool) -> Round:
    """Take addresses of random /24s."""
    chooser = random.Random(1)
    effort, account = grounds.effort, inventory.account

    def requests() -> Iterator[bytes]:
        while True:
            path = f"/api/v1/subnets/{chooser.choice(inventory.leaves)}/first-free"
            headers = {"Idempotency-Key": str(uuid.uuid4())} if keys else {}
            yield request(
                "POST", path, key=account.key, body={"hostname": "taken.example"}, headers=headers
            )

    delete_created(account, warm(account.endpoint, requests()), collection="addresses")

    def take(clients: int) -> Figures:
        messages = list(islice(requests(), effort.amount(clients)))
        figures = drive(
            account.endpoint,
            shared(iter(messages), clients),
            expected=201,
            seconds=effort.seconds,
            keep=True,
        )
        delete_created(account, figures.answers, collection="addresses")
        return figures

    return take


def _changing(grounds: Grounds, inventory: Inventory, *, tags: bool) -> Round:
    """Change addresses, each once a round; their tags are asked for off the clock."""
    effort, account = grounds.effort, inventory.account
    warm(account.endpoint, get_address(inventory))

    def change(clients: int) -> Figures:
        chosen = random.sample(list(inventory.addresses), effort.amount(clients))
        known = _tags(inventory, chosen)
        messages = [
            request(
                "PATCH",
                f"/api/v1/addresses/{each}",
                key=account.key,
                body={"owner": uuid.uuid4().hex},
                headers={"If-Match": known[each]} if tags else {},
            )
            for each in chosen
        ]
        return drive(
            account.endpoint, shared(iter(messages), clients), seconds=effort.seconds, keep=False
        )

    return change


def _tags(inventory: Inventory, addresses: list[str]) -> Mapping[str, str]:
    account = inventory.account
    asking = [request("GET", f"/api/v1/addresses/{each}", key=account.key) for each in addresses]
    answers = drive(account.endpoint, [iter(asking)], seconds=_PATIENCE, keep=True).answers
    return {
        address: header(answer, "ETag") for address, answer in zip(addresses, answers, strict=True)
    }
