"""The client: one server, one key, everything that the key may do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ipcraft.client.answers import Answer
from ipcraft.client.collections import Addresses, Collection, Subnets
from ipcraft.client.connection import Connection
from ipcraft.client.files import Files
from ipcraft.client.objects import Section, Vlan, Vrf

API = "/api/v1"
"""Where the API begins below the server's URL."""

_EVENTS_AT_ONCE = 1000


class Client:
    """Speak to a served IPCraft with an API key. Use it in one thread at a time.

    `timeout` is how many seconds the server may be silent, `patience` for how many seconds a
    request is sent again at most. With `dry_run` every write is only tried.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str,
        timeout: float = 30.0,
        patience: float = 60.0,
        dry_run: bool = False,
    ) -> None:
        self._connection = Connection(url, key, timeout=timeout, patience=patience)
        self._params = {"dry_run": "true"} if dry_run else None
        self.sections: Collection[Section] = self.collection("sections")
        """The folders."""
        self.vrfs: Collection[Vrf] = self.collection("vrfs")
        """The VRFs."""
        self.vlans: Collection[Vlan] = self.collection("vlans")
        """The VLANs."""
        self.subnets = Subnets(self._connection, f"{API}/subnets", params=self._params)
        """The subnets."""
        self.addresses = Addresses(self._connection, f"{API}/addresses", params=self._params)
        """The addresses."""

    def collection(self, name: str) -> Collection[Any]:
        """Give the resources of another kind, such as ``webhooks`` or those of a plugin."""
        return Collection(self._connection, f"{API}/{name}", params=self._params)

    def events(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """Give the events that follow a sequence, up to the newest there is now."""
        while True:
            params = {"after": after, "limit": _EVENTS_AT_ONCE}
            found = self._connection.send("GET", f"{API}/events", params=params).body
            yield from found
            if len(found) < _EVENTS_AT_ONCE:
                return
            after = found[-1]["sequence"]

    def request(
        self, method: str, path: str, *, json: Any = None, once: bool = False, **params: Any
    ) -> Answer:
        """Send any other request below ``/api/v1`` and give the answer.

        `once` is for the few writes that take no `Idempotency-Key`, such as the test of a webhook.
        """
        writes = None if method in ("GET", "HEAD") else self._params
        return self._connection.send(
            method, f"{API}/{path}", json=json, params={**params, **(writes or {})}, once=once
        )

    def upload(self, path: str, files: Sequence[Path], **params: Any) -> Answer:
        """Send files to a path below ``/api/v1`` and give the answer.

        One is the body as it is, several are a form. Files of 16 MiB and more are sent once: a
        server does not keep the key of so large a body. Raises `OSError`, too.
        """
        body = Files(files)
        given = {**params, **(self._params or {})}
        once = not body.are_few
        return self._connection.send("POST", f"{API}/{path}", files=body, params=given, once=once)

    def download(self, path: str, **params: Any) -> Iterator[bytes]:
        """Give a file below ``/api/v1``, a piece at a time."""
        return self._connection.receive(f"{API}/{path}", params=params)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
