"""The inventory of a served IPCraft, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import requests

from ipcraft.plugin import Invalid, NotFound, RequestError, Unavailable, is_id
from ipcraft_ipam.networks import parse_network

_TIMEOUT = 30.0


def take(url: str, subnet: str, body: Mapping[str, Any], *, key: str) -> list[str]:
    """Take addresses of a subnet, named by its id or its network in the global VRF.

    `body` has a ``count`` and what else ``POST first-free`` knows. Raises `RequestError` with
    what the server said, and `Unavailable` when there is none.
    """
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        subnets = f"{url.rstrip('/')}/api/v1/subnets"
        subnet_id = subnet if is_id(subnet, "sub") else _find(session, subnets, subnet)
        taken = _ask(session, "POST", f"{subnets}/{subnet_id}/first-free", json=dict(body))
    return [address["ip"] for address in cast("list[dict[str, str]]", taken)]


def _find(session: requests.Session, subnets: str, text: str) -> str:
    network = str(parse_network(text))
    found = cast("list[dict[str, Any]]", _ask(session, "GET", subnets, params={"network": network}))
    for subnet in found:
        if subnet["vrf_id"] is None:
            return str(subnet["id"])
    raise NotFound(f"there is no subnet {network}")


def _ask(session: requests.Session, method: str, url: str, **options: Any) -> object:
    try:
        response = session.request(method, url, timeout=_TIMEOUT, **options)
    except requests.Timeout as error:
        raise Unavailable(f"{url} does not answer within {_TIMEOUT:.0f} s") from error
    except requests.ConnectionError as error:
        raise Unavailable(f"{url} cannot be reached") from error
    except requests.RequestException as error:
        raise Invalid(f"{url}: {error}") from error
    try:
        answer: object = response.json()
    except requests.JSONDecodeError as error:
        raise Invalid(f"{url} answered {response.status_code} and no JSON") from error
    if response.ok:
        return answer
    reason = answer.get("error") if isinstance(answer, dict) else None
    raise RequestError(f"{url} answered {response.status_code}: {reason or answer}")
