"""Deleting what a round created, off the clock, so that a small data set stays small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.load import drive, shared
from bench.messages import document, request, status
from bench.servers import Account

_CLIENTS = 4
_PATIENCE = 120.0


def delete_created(account: Account, answers: Sequence[bytes], *, collection: str) -> None:
    """Delete the resource of each 201 among the answers from ``/api/v1/{collection}``."""
    requests = _deletions(account, answers, collection=collection)
    drive(account.endpoint, shared(requests, _CLIENTS), expected=204, seconds=_PATIENCE)


def _deletions(account: Account, answers: Sequence[bytes], *, collection: str) -> Iterator[bytes]:
    for answer in answers:
        if status(answer) == 201:
            path = f"/api/v1/{collection}/{document(answer)['id']}"
            yield request("DELETE", path, key=account.key)
