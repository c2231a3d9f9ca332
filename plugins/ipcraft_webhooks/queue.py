"""The queue of attempts: put in for each event, taken with a lease, settled with an outcome.

What is taken is due again when the lease ends, unless it was settled before: who took it may have
died. What is due is found and taken across organizations, by upkeep; it is put in and settled as
the organization it belongs to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Integer, func, literal, null, select, update
from sqlalchemy.dialects.postgresql import insert

from ipcraft.plugin import (
    NotFound,
    Reader,
    Row,
    Seconds,
    Statement,
    Storage,
    Transaction,
    given,
    is_id,
    new_id,
    own,
)
from ipcraft_webhooks import webhooks as webhooks_of
from ipcraft_webhooks.outcomes import Outcome
from ipcraft_webhooks.retries import RetryLaw
from ipcraft_webhooks.tables import deliveries, webhooks

DRAIN = "webhooks"
"""The drain that makes the attempts, to be woken by this name."""

MOST_FAILURES = 100
"""Failed attempts in a row after which a webhook is switched off."""

GONE_REASON = "it answered 410 Gone"
FAILED_REASON = f"{MOST_FAILURES} attempts in a row failed"


@dataclass(frozen=True, slots=True)
class Notice:
    """Be what a webhook may be told: an event's name, type and body."""

    event_id: str
    event_type: str
    body: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Be an active webhook for which attempts wait. Its secrets are sealed."""

    organization_id: str
    webhook_id: str
    url: str
    secret: bytes
    previous_secret: bytes | None
    previous_until: int | None
    failure_count: int
    due_at: int = 0
    """When the first attempt is due, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Be an attempt that was taken, to be made before its lease ends."""

    id: str
    event_id: str
    number: int
    body: str
    leased_until: int
    """Milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Made:
    """Be an attempt of a webhook that was made, and what became of it."""

    webhook_id: str
    attempt: Attempt
    outcome: Outcome


_d = deliveries.c
_w = webhooks.c
_MILLISECONDS = BigInteger()
_ATTEMPT = [_d.webhook_id, _d.event_id, _d.series, _d.attempt]
_BY_ID = (_d.organization_id == own(), _d.id == given("id"))
# PERF: said in a way that no index serves, so that the row is found by its primary key.
_LEASED = func.coalesce(_d.due_at, 0) == given("leased_until", _MILLISECONDS)
_MADE = func.coalesce(_d.delivered_at, 0) > 0

_SUBSCRIBERS: Statement[Row] = Statement(
    select(_w.id, _w.event_types).where(_w.organization_id == own(), _w.is_active)
)
_HAS_SUBSCRIBERS: Statement[Row] = Statement(
    select(_w.id).where(_w.organization_id == own(), _w.is_active).limit(1)
)
_PUT = Statement(insert(deliveries).on_conflict_do_nothing(index_elements=_ATTEMPT))

# PERF: the webhooks for which something waits, found by as many steps in the index as there are
# webhooks, whether one attempt waits for each or 100,000. The whole order of the index is asked
# for, so that no other one will do.
_first = (
    select(_d.webhook_id)
    .where(_d.due_at.is_not(None))
    .order_by(_d.webhook_id, _d.due_at)
    .limit(1)
    .scalar_subquery()
)
_waiting = select(_first.label("webhook_id")).cte("waiting", recursive=True)
_after = deliveries.alias("after")
_next = (
    select(_after.c.webhook_id)
    .where(_after.c.due_at.is_not(None), _after.c.webhook_id > _waiting.c.webhook_id)
    .order_by(_after.c.webhook_id, _after.c.due_at)
    .limit(1)
    .scalar_subquery()
)
_waiting = _waiting.union_all(select(_next).where(_waiting.c.webhook_id.is_not(None)))
_of_waiting = deliveries.alias("of_waiting")
_earliest = (
    select(_of_waiting.c.due_at)
    .where(_of_waiting.c.webhook_id == _w.id, _of_waiting.c.due_at.is_not(None))
    .order_by(_of_waiting.c.due_at)
    .limit(1)
    .scalar_subquery()
)
_ENDPOINT = (
    _w.organization_id,
    _w.id,
    _w.url,
    _w.secret,
    _w.previous_secret,
    _w.previous_until,
    _w.failure_count,
)
_ONE_ENDPOINT = Statement(
    select(*_ENDPOINT).where(_w.organization_id == own(), _w.id == given("id")), Endpoint
)
_ENDPOINTS = Statement(
    select(*_ENDPOINT, _earliest)
    .select_from(_waiting.join(webhooks, _w.id == _waiting.c.webhook_id))
    .where(_w.is_active),
    Endpoint,
)
_DUE = Statement(
    select(_d.id, _d.event_id, _d.attempt, _d.body)
    .where(
        # An identifier is nobody else's, so the webhook says whose its attempts are.
        _d.webhook_id == given("webhook_id"),
        _d.due_at <= given("now", _MILLISECONDS),
    )
    .order_by(_d.due_at, _d.id)
    .limit(given("limit", BigInteger()))
    .with_for_update(skip_locked=True)
)
_LEASE = Statement(
    update(deliveries).where(*_BY_ID).values(due_at=given("leased_until", _MILLISECONDS))
)
_RELEASE = Statement(
    update(deliveries).where(*_BY_ID, _LEASED).values(due_at=given("now", _MILLISECONDS))
)
_SETTLE = Statement(
    update(deliveries)
    # Who made the attempt in the place of one whose lease had ended has settled it.
    .where(*_BY_ID, _LEASED)
    .values(
        due_at=null(),
        delivered_at=given("at", Seconds),
        response_status=given("status", Integer()),
        duration_ms=given("took", Integer()),
        response_body=given("answer"),
        error=given("reason"),
        next_attempt_at=given("next_at", Seconds),
    )
)
_COPIED = (
    "organization_id",
    "id",
    "webhook_id",
    "event_id",
    "event_type",
    "series",
    "attempt",
    "body",
    "due_at",
)
_RETRY = Statement(
    insert(deliveries)
    .from_select(
        list(_COPIED),
        select(
            _d.organization_id,
            given("new_id"),
            _d.webhook_id,
            _d.event_id,
            _d.event_type,
            _d.series,
            _d.attempt + literal(1, Integer()),
            _d.body,
            given("retry_at", _MILLISECONDS),
        ).where(*_BY_ID, _MADE),
    )
    .on_conflict_do_nothing(index_elements=_ATTEMPT)
)
_FORGIVE = Statement(
    update(webhooks)
    .where(_w.organization_id == own(), _w.id == given("id"), _w.failure_count != 0)
    .values(failure_count=0)
)
_BLAME: Statement[Row] = Statement(
    update(webhooks)
    .where(_w.organization_id == own(), _w.id == given("id"))
    .values(failure_count=_w.failure_count + given("failures", Integer()))
    .returning(_w.failure_count)
)


def has_subscribers(reader: Reader) -> bool:
    """Tell whether the organization has a webhook that is switched on."""
    return reader.one(_HAS_SUBSCRIBERS) is not None


def put(storage: Storage, organization_id: str, notices: Sequence[Notice], *, now_ms: int) -> None:
    """Have each active webhook told of what it wants to know.

    All of it is put in or nothing is, and what is there already stays as it is.
    """

    def work(tx: Transaction) -> None:
        rows = list(_rows(tx.all(_SUBSCRIBERS), notices, now_ms=now_ms))
        if rows:
            tx.write_many(_PUT, rows)
            tx.wake(DRAIN)

    with storage.look(organization_id) as reader:
        # PERF: most organizations have no webhook, and need no transaction.
        if not reader.all(_SUBSCRIBERS):
            return
    storage.transact(organization_id, work)


def endpoints(storage: Storage) -> list[Endpoint]:
    """Give the active webhooks for which attempts wait, of all organizations."""
    with storage.read_system() as tx:
        return tx.all(_ENDPOINTS)


def endpoint_of(reader: Reader, webhook_id: str) -> Endpoint:
    """Give a webhook of the organization as one to send to. Raises `NotFound`."""
    found = reader.one(_ONE_ENDPOINT, id=webhook_id) if is_id(webhook_id, "wh") else None
    if found is None:
        raise NotFound("There is no webhook with this id")
    return found


def take(
    storage: Storage, wanted: Sequence[tuple[Endpoint, int]], *, now_ms: int, leased_until: int
) -> list[list[Attempt]]:
    """Take for each endpoint at most so many of the attempts that are due, the oldest first."""

    def work(tx: Transaction) -> list[list[Attempt]]:
        taken = [
            _due(tx, endpoint, limit=limit, now_ms=now_ms, leased_until=leased_until)
            for endpoint, limit in wanted
        ]
        tx.write_many(_LEASE, _leases(wanted, taken))
        return taken

    return storage.transact_system(work)


def release(
    storage: Storage, organization_id: str, attempts: Iterable[Attempt], *, now_ms: int
) -> None:
    """Give attempts back that were taken and not made."""
    rows = [{"id": each.id, "leased_until": each.leased_until, "now": now_ms} for each in attempts]
    storage.transact(organization_id, lambda tx: tx.write_many(_RELEASE, rows))


def settle(
    storage: Storage,
    organization_id: str,
    made: Sequence[Made],
    *,
    law: RetryLaw,
    now_ms: int,
    switched_off: Callable[[Transaction, str], object],
) -> None:
    """Write down what became of attempts, and have those that failed made again as the law says.

    `switched_off` is called with each webhook that is switched off for it, in the transaction.
    """
    pauses = [_pause(each, law) for each in made]

    def work(tx: Transaction) -> None:
        # The webhooks' rows first, as in every change of them: or two would wait for each other.
        failing = _count_failures(tx, made)
        tx.write_many(_SETTLE, _settlements(made, pauses, now_ms=now_ms))
        tx.write_many(_RETRY, _retries(made, pauses, now_ms=now_ms))
        for webhook_id, reason in failing.items():
            if webhooks_of.switch_off(tx, webhook_id, reason=reason):
                switched_off(tx, webhook_id)

    storage.transact(organization_id, work)


def _due(
    tx: Transaction, endpoint: Endpoint, *, limit: int, now_ms: int, leased_until: int
) -> list[Attempt]:
    rows = tx.all(_DUE, webhook_id=endpoint.webhook_id, now=now_ms, limit=limit)
    return [
        Attempt(identifier, event_id, number, body, leased_until)
        for identifier, event_id, number, body in rows
    ]


def _leases(
    wanted: Sequence[tuple[Endpoint, int]], taken: Sequence[Sequence[Attempt]]
) -> Iterable[Mapping[str, Any]]:
    for (endpoint, _), attempts in zip(wanted, taken, strict=True):
        for each in attempts:
            yield {
                "organization_id": endpoint.organization_id,
                "id": each.id,
                "leased_until": each.leased_until,
            }


def _rows(
    subscribers: Sequence[Row], notices: Sequence[Notice], *, now_ms: int
) -> Iterable[Mapping[str, Any]]:
    wanted = [(webhook_id, frozenset(json.loads(types))) for webhook_id, types in subscribers]
    for notice in notices:
        for webhook_id, types in wanted:
            if not types or notice.event_type in types:
                yield waiting_row(notice, webhook_id, series=0, now_ms=now_ms)


def waiting_row(notice: Notice, webhook_id: str, *, series: int, now_ms: int) -> dict[str, Any]:
    """Give the row of a first attempt that is due at once."""
    return {
        "id": new_id("del"),
        "webhook_id": webhook_id,
        "event_id": notice.event_id,
        "event_type": notice.event_type,
        "series": series,
        "attempt": 1,
        "body": notice.body,
        "due_at": now_ms,
        **dict.fromkeys(_OUTCOME_COLUMNS),
    }


_OUTCOME_COLUMNS = (
    "delivered_at",
    "response_status",
    "duration_ms",
    "response_body",
    "error",
    "next_attempt_at",
)


def _pause(made: Made, law: RetryLaw) -> float | None:
    if made.outcome.succeeded or made.outcome.gone:
        return None
    return law.pause(made.attempt.number, wish=made.outcome.wish)


def _count_failures(tx: Transaction, made: Sequence[Made]) -> dict[str, str]:
    """Count on the webhooks' failures in a row; give those that must not go on, with the reason."""
    failing = {}
    for webhook_id, outcomes in _by_webhook(made).items():
        failures = _failures_at_the_end(outcomes)
        if failures < len(outcomes):
            tx.write(_FORGIVE, id=webhook_id)
        count = tx.value(_BLAME, id=webhook_id, failures=failures) if failures else 0
        if any(outcome.gone for outcome in outcomes):
            failing[webhook_id] = GONE_REASON
        elif count is not None and count >= MOST_FAILURES:
            failing[webhook_id] = FAILED_REASON
    return failing


def _by_webhook(made: Sequence[Made]) -> dict[str, list[Outcome]]:
    """Give each webhook's outcomes in their order, the webhooks in that of their ids."""
    found: dict[str, list[Outcome]] = {each: [] for each in sorted({m.webhook_id for m in made})}
    for each in made:
        found[each.webhook_id].append(each.outcome)
    return found


def _failures_at_the_end(outcomes: Sequence[Outcome]) -> int:
    for count, outcome in enumerate(reversed(outcomes)):
        if outcome.succeeded:
            return count
    return len(outcomes)


def _settlements(
    made: Sequence[Made], pauses: Sequence[float | None], *, now_ms: int
) -> Iterable[Mapping[str, Any]]:
    for each, pause in zip(made, pauses, strict=True):
        yield {
            "id": each.attempt.id,
            "leased_until": each.attempt.leased_until,
            **outcome_columns(each.outcome),
            "next_at": None if pause is None else math.ceil(now_ms / 1000 + pause),
        }


def outcome_columns(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome as the parameters of a statement that writes it."""
    return {
        "at": outcome.at,
        "status": outcome.status,
        "took": outcome.duration_ms,
        "answer": outcome.body,
        "reason": outcome.error,
    }


def _retries(
    made: Sequence[Made], pauses: Sequence[float | None], *, now_ms: int
) -> Iterable[Mapping[str, Any]]:
    for each, pause in zip(made, pauses, strict=True):
        if pause is not None:
            retry_at = now_ms + round(pause * 1000)
            yield {"id": each.attempt.id, "new_id": new_id("del"), "retry_at": retry_at}
