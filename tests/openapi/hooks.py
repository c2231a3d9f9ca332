"""Hooks of schemathesis: what texts look like, and what requests must leave alone.

Loaded by schemathesis in a process of its own, see `test_generated_requests.py`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response

KEEP = "IPCRAFT_TEST_KEEP"
"""The variable with the ids of what all requests need, with commas between them."""

RECEIVER = "IPCRAFT_TEST_RECEIVER"
"""The variable with the URL of our receiver, to which all webhooks lead."""

_TAKING = ("DELETE", "PATCH")
_MOVING = ("DELETE", "POST")
_ORGANIZATION = "/api/v1/organization"
_WEBHOOKS = "/api/v1/webhooks"

# Few networks, so that they meet: equal, nested, beside each other; and now and then any.
_OCTETS = st.integers(0, 3)
_PLACES = st.tuples(_OCTETS, _OCTETS, _OCTETS)
_NETWORKS = st.one_of(
    st.builds(
        lambda place, length: str(ip_network((f"10.{'.'.join(map(str, place))}", length), False)),
        _PLACES,
        st.sampled_from((8, 14, 16, 22, 24, 28, 31, 32)),
    ),
    st.builds(
        lambda address, length: str(ip_network((address, length), False)),
        st.ip_addresses(v=4),
        st.integers(0, 32),
    ),
    st.builds(
        lambda address, length: str(ip_network((address, length), False)),
        st.ip_addresses(v=6),
        st.integers(0, 128),
    ),
)
_ADDRESSES = st.one_of(
    _PLACES.map(lambda place: f"10.{'.'.join(map(str, place))}"), st.ip_addresses().map(str)
)
_NOTATIONS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda digits: ":".join(digits[at : at + 2] for at in range(0, 12, 2)),
    lambda digits: "-".join(digits[at : at + 2] for at in range(0, 12, 2)),
    lambda digits: ".".join(digits[at : at + 4] for at in range(0, 12, 4)),
)
_MAC_ADDRESSES = st.builds(
    lambda number, notation: notation(f"{number:012x}"),
    st.integers(0, 2**48 - 1),
    st.sampled_from(_NOTATIONS),
)

schemathesis.serializer.alias("application/zip", "application/octet-stream")
schemathesis.openapi.format("cidr", _NETWORKS)
schemathesis.openapi.format("ip", _ADDRESSES)
schemathesis.openapi.format("mac", _MAC_ADDRESSES)


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Lead a request elsewhere that would take away what all others need, or leave this machine.

    The key and whose it is are found in lists like all others, and would be revoked and demoted.
    """
    method = case.method.upper()
    if method in _MOVING and str((case.query or {}).get("dry_run")).lower() == "true":
        # What is only tried neither comes nor goes, and chains of calls build on both.
        del case.query["dry_run"]
    if method in _TAKING:
        for name, value in (case.path_parameters or {}).items():
            if value in os.environ[KEEP].split(","):
                case.path_parameters[name] = value[:-8] + "0" * 8
    body = case.body
    if not isinstance(body, dict):
        return
    if (method, case.path) == ("DELETE", _ORGANIZATION) and "name" in body:
        body["name"] = f"not {body['name']}"[:255]
    if case.path.startswith(_WEBHOOKS) and _is_url(body.get("url")):
        body["url"] = os.environ[RECEIVER]


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: Response,
) -> bool:
    """Leave out that a text of another format was taken: schemathesis does not know our formats.

    It takes null, where that is allowed, for a text that is no address.
    """
    told = isinstance(failure, AcceptedNegativeData) and "violates `format`" in failure.message
    return not told


def _is_url(value: Any) -> bool:
    try:
        return isinstance(value, str) and urlsplit(value).scheme in ("http", "https")
    except ValueError:
        return False
