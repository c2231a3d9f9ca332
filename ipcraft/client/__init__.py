"""A client of a served IPCraft: typed, small, and safe to lose answers with.

>>> from ipcraft.client import Client
>>> with Client("https://ipam.example", key="ipc_...") as ipam:  # doctest: +SKIP
...     for subnet in ipam.subnets.each():
...         print(subnet["network"], subnet["utilization"])
...     address = ipam.subnets.take_next(subnet["id"], hostname="web-03")

Importing it is cheap: what speaks HTTP is imported with the first request.
"""

from __future__ import annotations

from ipcraft.client.answers import Answer
from ipcraft.client.client import Client
from ipcraft.client.collections import Addresses, Collection, Subnets
from ipcraft.client.errors import ClientError, RequestRefused, Unreachable
from ipcraft.client.objects import Address, Section, Subnet, Usage, Vlan, Vrf

__all__ = [
    "Address",
    "Addresses",
    "Answer",
    "Client",
    "ClientError",
    "Collection",
    "RequestRefused",
    "Section",
    "Subnet",
    "Subnets",
    "Unreachable",
    "Usage",
    "Vlan",
    "Vrf",
]
