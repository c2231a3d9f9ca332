"""The inventory of a served IPCraft, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import requests

from ipcraft.plugin import Invalid, NotFound, RequestError, Unavailable, is_id
from ipcraft_ipam.networks import parse_network

_TIMEOUT = 30.0


def take(
    url: str, subnet: str, body: Mapping[str, Any], *, key: str, vrf: str | None = None
) -> list[str]:
    """Take addresses of a subnet, named by its id or its network in a VRF, by default the global.

    `body` has a ``count`` and what else ``POST first-free`` knows. Raises `RequestError` with
    what the server said, and `Unavailable` when there is none.
    """
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        api = f"{url.rstrip('/')}/api/v1"
        subnet_id = subnet if is_id(subnet, "sub") else _find(session, api, subnet, vrf=vrf)
        taken = _ask(session, "POST", f"{api}/subnets/{subnet_id}/first-free", json=dict(body))
    return [address["ip"] for address in cast("list[dict[str, str]]", taken)]


def search(url: str, query: str, *, limit: int, key: str) -> dict[str, Any]:
    """Search, and give the answer of ``GET search``. Raises as `take` does."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        asked = f"{url.rstrip('/')}/api/v1/search"
        answer = _ask(session, "GET", asked, params={"q": query, "limit": limit})
    return cast("dict[str, Any]", answer)


def _find(session: requests.Session, api: str, text: str, *, vrf: str | None) -> str:
    network = str(parse_network(text))
    vrf_id = _vrf_id(session, api, vrf) if vrf else ""
    for subnet in _list(session, f"{api}/subnets", network=network, vrf_id=vrf_id):
        return str(subnet["id"])
    raise NotFound(f"there is no subnet {network}" + (f" in VRF {vrf}" if vrf else ""))


def _vrf_id(session: requests.Session, api: str, text: str) -> str:
    if is_id(text, "vrf"):
        return text
    names = [{"name": text}]
    if ":" in text:
        names.append({"rd": text})
    for name in names:
        for vrf in _list(session, f"{api}/vrfs", **name):
            return str(vrf["id"])
    raise NotFound(f"there is no VRF {text}")


def _list(session: requests.Session, url: str, **params: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", _ask(session, "GET", url, params=params))


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
