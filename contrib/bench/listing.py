"""The list of all subnets with utilization, next to serializing the same rows without it."""

from __future__ import annotations

import calendar
import socket
import time
from itertools import repeat
from typing import Any

from bench.api import call
from bench.datasets import LARGE
from bench.figures import Series
from bench.grounds import Grounds, say
from bench.load import drive
from bench.messages import request
from bench.servers import connection
from bench.table import Goal, Line

_REPEATS = 5
_INSERT = """
INSERT INTO subnets (network, prefix_length, id, name, description, section_id, vrf_id, gateway,
                     is_pool, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def listing(grounds: Grounds) -> list[Line]:
    """List the subnets of the large data set on both servers, by turns."""
    account = grounds.inventory(LARGE).account
    found: list[dict[str, Any]] = call(account, "/api/v1/subnets")
    bare = grounds.bare
    with connection(grounds.bare_database) as owner:
        owner.execute("TRUNCATE subnets")
        owner.cursor().executemany(_INSERT, [_row(item) for item in found])
        owner.execute("VACUUM ANALYZE subnets")
    ours, plain = Series(), Series()
    listed = request("GET", "/api/v1/subnets", key=account.key)
    for number in range(grounds.effort.rounds):
        say(f"GET subnets, round {number + 1}")
        seconds = grounds.effort.seconds
        plain.add(drive(bare, [repeat(request("GET", "/subnets"), _REPEATS)], seconds=seconds))
        ours.add(drive(account.endpoint, [repeat(listed, _REPEATS)], seconds=seconds))
    rows = f"{len(found):,} rows"
    return [
        Line(operation="limit: serialize subnets", series=plain, data=rows, clients=1),
        Line(
            operation="GET subnets with utilization",
            series=ours,
            data=rows,
            clients=1,
            ratio=ours.p50 / plain.p50,
            to="p50 without",
            goals=(Goal("ratio", "<=", 3),),
        ),
    ]


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    """Turn an answered subnet into a row of the bare application, as compact as ours."""
    network, _, length = item["network"].partition("/")
    gateway = None if item["gateway"] is None else _packed(item["gateway"])
    created = calendar.timegm(time.strptime(item["created_at"], "%Y-%m-%dT%H:%M:%SZ"))
    return (
        *(_packed(network), int(length), item["id"], item["name"] or "", item["description"] or ""),
        *(item["section_id"], item["vrf_id"], gateway, item["is_pool"], created),
    )


def _packed(ip: str) -> bytes:
    if ":" in ip:
        return b"\x06" + socket.inet_pton(socket.AF_INET6, ip)
    return b"\x04" + socket.inet_aton(ip)
