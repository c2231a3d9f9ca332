"""The log of deliveries: each attempt that was made in the last 30 days, and asking for another."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ipcraft.plugin import (
    CountedPage,
    Invalid,
    NotFound,
    Reader,
    Row,
    Seconds,
    Statement,
    Storage,
    Transaction,
    given,
    is_id,
    own,
)
from ipcraft_webhooks import webhooks
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.queue import DRAIN, Notice, waiting_row
from ipcraft_webhooks.tables import deliveries
from ipcraft_webhooks.tables import webhooks as webhooks_table

KEPT = 30 * 86_400
"""Seconds for which an attempt stays in the log."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Be an attempt; what was not made yet has no outcome. Times are seconds since the epoch."""

    id: str
    event_id: str
    event_type: str
    attempt: int
    response_status: int | None = None
    duration_ms: int | None = None
    response_body: str | None = None
    error: str | None = None
    delivered_at: int | None = None
    next_attempt_at: int | None = None


_c = deliveries.c
_OF_WEBHOOK = (_c.organization_id == own(), _c.webhook_id == given("webhook_id"))
_MADE = (*_OF_WEBHOOK, _c.delivered_at.is_not(None))
_PAGE = CountedPage(
    select(
        _c.id,
        _c.event_id,
        _c.event_type,
        _c.attempt,
        _c.response_status,
        _c.duration_ms,
        _c.response_body,
        _c.error,
        _c.delivered_at,
        _c.next_attempt_at,
    ).where(*_MADE),
    order=[_c.delivered_at.desc(), _c.id.desc()],
    total=select(func.count()).select_from(deliveries).where(*_MADE).scalar_subquery(),
    into=Delivery,
)
_NOTICE = Statement(
    select(_c.event_id, _c.event_type, _c.body).where(*_OF_WEBHOOK, _c.id == given("id")), Notice
)
_LAST_SERIES: Statement[Row] = Statement(
    select(func.max(_c.series)).where(*_OF_WEBHOOK, _c.event_id == given("event_id"))
)
_INSERT = Statement(insert(deliveries))
_WITH_LOG: Statement[Row] = Statement(
    select(webhooks_table.c.organization_id, webhooks_table.c.id).order_by(webhooks_table.c.id)
)
_old = (
    select(_c.id)
    .where(*_MADE, _c.delivered_at < given("before", Seconds))
    .order_by(_c.delivered_at)
    .limit(given("limit", BigInteger()))
)
_FORGET = Statement(delete(deliveries).where(_c.organization_id == own(), _c.id.in_(_old)))
_FORGOTTEN_AT_ONCE = 5_000


def page_of(
    reader: Reader, webhook_id: str, *, limit: int, offset: int
) -> tuple[list[Delivery], int]:
    """Give a part of the log of a webhook, the newest first, and its length. Raises `NotFound`."""
    webhooks.get(reader, webhook_id)
    return _PAGE.read(reader, webhook_id=webhook_id, limit=limit, offset=offset)


def log_ping(tx: Transaction, webhook_id: str, notice: Notice, outcome: Outcome) -> Delivery:
    """Write an attempt into the log that was made at once, and is not made again."""
    row = waiting_row(notice, webhook_id, series=0, now_ms=0)
    made = {
        "due_at": None,
        "delivered_at": outcome.at,
        "response_status": outcome.status,
        "duration_ms": outcome.duration_ms,
        "response_body": outcome.body,
        "error": outcome.error,
    }
    webhooks.get(tx, webhook_id)  # it may be gone by now
    tx.write(_INSERT, **(row | made))
    return Delivery(
        id=row["id"],
        event_id=notice.event_id,
        event_type=notice.event_type,
        attempt=1,
        response_status=outcome.status,
        duration_ms=outcome.duration_ms,
        response_body=outcome.body,
        error=outcome.error,
        delivered_at=outcome.at,
    )


def redeliver(tx: Transaction, webhook_id: str, delivery_id: str, *, now_ms: int) -> Delivery:
    """Have the event of a delivery sent again, with attempts of its own.

    Raises `NotFound`, and `Invalid` for a webhook that is switched off.
    """
    webhook = webhooks.get(tx, webhook_id)
    known = is_id(delivery_id, "del")
    notice = tx.one(_NOTICE, webhook_id=webhook_id, id=delivery_id) if known else None
    if notice is None:
        raise NotFound("There is no delivery with this id")
    if not webhook.is_active:
        raise Invalid("The webhook is not active; set is_active first", code="webhook_inactive")
    last = tx.value(_LAST_SERIES, webhook_id=webhook_id, event_id=notice.event_id)
    row = waiting_row(notice, webhook_id, series=last + 1, now_ms=now_ms)
    tx.write(_INSERT, **row)
    tx.wake(DRAIN)
    return Delivery(row["id"], notice.event_id, notice.event_type, attempt=1)


def forget_old(storage: Storage, *, now: int) -> None:
    """Delete what has been in the log for long enough, of every organization."""
    with storage.read_system() as tx:
        logs = tx.all(_WITH_LOG)
    for organization_id, webhook_id in logs:
        while _forget_some(storage, organization_id, webhook_id, before=now - KEPT):
            pass


def _forget_some(storage: Storage, organization_id: str, webhook_id: str, *, before: int) -> bool:
    def work(tx: Transaction) -> int:
        return tx.execute(_FORGET, webhook_id=webhook_id, before=before, limit=_FORGOTTEN_AT_ONCE)

    return storage.transact(organization_id, work) == _FORGOTTEN_AT_ONCE
