"""Webhooks of one organization: making, listing, changing and deleting them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
    delete,
    func,
    insert,
    select,
    update,
)

from ipcraft.plugin import (
    Change,
    NotFound,
    Reader,
    Row,
    Seconds,
    Statement,
    Transaction,
    given,
    is_id,
    new_id,
    own,
)
from ipcraft_webhooks.tables import deliveries, webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """Be a webhook as stored; times are seconds since the epoch."""

    id: str
    url: str
    description: str | None
    event_types: tuple[str, ...]
    """The types it is told of; all where there is none."""
    is_active: bool
    failure_count: int
    """Failed attempts since the last that succeeded."""
    disabled_reason: str | None
    created_at: int
    updated_at: int


_ALL = 2**63 - 1
_c = webhooks.c
_COLUMNS = (
    _c.id,
    _c.url,
    _c.description,
    _c.event_types,
    _c.is_active,
    _c.failure_count,
    _c.disabled_reason,
    _c.created_at,
    _c.updated_at,
)
_OWN = _c.organization_id == own()
_BY_ID = (_OWN, _c.id == given("id"))


def _webhook(*row: Any) -> Webhook:
    identifier, url, description, types, is_active, *rest = row
    return Webhook(identifier, url, description, tuple(json.loads(types)), bool(is_active), *rest)


_INSERT = Statement(insert(webhooks))
_ONE = Statement(select(*_COLUMNS).where(*_BY_ID), _webhook)
# Held against who adds deliveries, too: what is deleted with a webhook is all there is.
_ONE_TO_CHANGE = Statement(select(*_COLUMNS).where(*_BY_ID).with_for_update(), _webhook)
_LIST = Statement(
    select(*_COLUMNS)
    .where(_OWN)
    .order_by(_c.id.desc())
    .limit(given("limit", BigInteger()))
    .offset(given("offset", BigInteger())),
    _webhook,
)
_COUNT: Statement[Row] = Statement(select(func.count()).select_from(webhooks).where(_OWN))
_UPDATE = Statement(
    update(webhooks)
    .where(*_BY_ID)
    .values(
        url=given("new_url"),
        description=given("new_description"),
        event_types=given("new_event_types"),
        is_active=given("new_is_active", Boolean()),
        failure_count=given("new_failure_count", Integer()),
        disabled_reason=given("new_disabled_reason"),
        updated_at=given("now", Seconds),
    )
)
_SET_SECRET = Statement(
    update(webhooks)
    .where(*_BY_ID)
    .values(
        secret=given("new_secret", LargeBinary()),
        previous_secret=given("new_previous_secret", LargeBinary()),
        previous_until=given("new_previous_until", Seconds),
        updated_at=given("now", Seconds),
    )
)
_SECRET = Statement(select(_c.secret).where(*_BY_ID))
_DELETE = Statement(delete(webhooks).where(*_BY_ID))
_OF_WEBHOOK = (
    deliveries.c.organization_id == own(),
    deliveries.c.webhook_id == given("id"),
)
_DELETE_DELIVERIES = Statement(delete(deliveries).where(*_OF_WEBHOOK))
_DELETE_WAITING = Statement(
    delete(deliveries).where(*_OF_WEBHOOK, deliveries.c.due_at.is_not(None))
)


def create(
    tx: Transaction, values: Mapping[str, Any], *, webhook_id: str, sealed: bytes
) -> Webhook:
    """Make a webhook of checked values, with the sealed secret that belongs to its id."""
    webhook = Webhook(
        id=webhook_id,
        url=values["url"],
        description=values["description"],
        event_types=tuple(values["event_types"]),
        is_active=values["is_active"],
        failure_count=0,
        disabled_reason=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.record(_change("created", webhook, f"Created webhook {webhook.url}", _shown(webhook)))
    tx.write(
        _INSERT,
        id=webhook.id,
        url=webhook.url,
        description=webhook.description,
        event_types=json.dumps(webhook.event_types),
        is_active=webhook.is_active,
        failure_count=0,
        disabled_reason=None,
        secret=sealed,
        previous_secret=None,
        previous_until=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return webhook


def new_webhook_id() -> str:
    """Make the id of a webhook, which its secret is sealed for before there is a row."""
    return new_id("wh")


def get(reader: Reader, webhook_id: str) -> Webhook:
    """Give a webhook of the organization. Raises `NotFound`."""
    return _found(reader.one(_ONE, id=webhook_id) if is_id(webhook_id, "wh") else None)


def page_of(
    reader: Reader, *, limit: int | None, offset: int, counted: bool
) -> tuple[list[Webhook], int | None]:
    """Give a part of the organization's webhooks, the newest first, and how many there are."""
    rows = reader.all(_LIST, limit=_ALL if limit is None else limit, offset=offset)
    return rows, int(reader.value(_COUNT)) if counted else None


def change(tx: Transaction, webhook_id: str, values: Mapping[str, Any]) -> Webhook:
    """Change the given ones of the values that can be changed. Raises `NotFound`.

    A webhook that is switched off is sent nothing more, nor what waited for it; switched on again
    it begins with no failure.
    """
    old = _take(tx, webhook_id)
    if "event_types" in values:
        values = {**values, "event_types": tuple(values["event_types"])}
    changed = {name: value for name, value in values.items() if getattr(old, name) != value}
    if not changed:
        return old
    webhook = replace(old, **changed, updated_at=tx.now)
    if "is_active" in changed:
        webhook = replace(webhook, failure_count=0, disabled_reason=None)
    details, before = f"Updated webhook {webhook.url}", _shown(old)
    before = {name: before[name] for name in changed}
    tx.record(_change("updated", webhook, details, _data(changed), before=before))
    _store(tx, webhook)
    if "is_active" in changed:
        tx.write(_DELETE_WAITING, id=webhook.id)
    return webhook


def switch_off(tx: Transaction, webhook_id: str, *, reason: str) -> Webhook | None:
    """Switch a webhook off that does not work; None where it is off or gone already."""
    old = tx.one(_ONE_TO_CHANGE, id=webhook_id)
    if old is None or not old.is_active:
        return None
    webhook = replace(old, is_active=False, disabled_reason=reason, updated_at=tx.now)
    details = f"Disabled webhook {webhook.url}: {reason}"
    data = {"is_active": False, "disabled_reason": reason}
    before = {"is_active": True, "disabled_reason": None}
    tx.record(_change("updated", webhook, details, data, before=before))
    _store(tx, webhook)
    tx.write(_DELETE_WAITING, id=webhook.id)
    return webhook


def rotate(tx: Transaction, webhook_id: str, *, sealed: bytes, overlap_seconds: int = 0) -> None:
    """Give a webhook another sealed secret; the old one signs beside it as long as is said.

    Raises `NotFound`.
    """
    webhook = _take(tx, webhook_id)
    overlaps = overlap_seconds > 0
    data = {"overlap_seconds": overlap_seconds} if overlaps else {}
    details = f"Rotated the secret of webhook {webhook.url}"
    tx.record(_change("updated", webhook, details, data))
    tx.write(
        _SET_SECRET,
        id=webhook.id,
        new_secret=sealed,
        new_previous_secret=tx.value(_SECRET, id=webhook.id) if overlaps else None,
        new_previous_until=tx.now + overlap_seconds if overlaps else None,
        now=tx.now,
    )


def remove(tx: Transaction, webhook_id: str) -> None:
    """Delete a webhook with everything that was or would be sent to it. Raises `NotFound`."""
    webhook = _take(tx, webhook_id)
    details = f"Deleted webhook {webhook.url}"
    tx.record(_change("deleted", webhook, details, {}, before=_shown(webhook)))
    tx.write(_DELETE_DELIVERIES, id=webhook.id)
    tx.write(_DELETE, id=webhook.id)


def _take(tx: Transaction, webhook_id: str) -> Webhook:
    return _found(tx.one(_ONE_TO_CHANGE, id=webhook_id) if is_id(webhook_id, "wh") else None)


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound("There is no webhook with this id")
    return webhook


def _store(tx: Transaction, webhook: Webhook) -> None:
    tx.write(
        _UPDATE,
        id=webhook.id,
        new_url=webhook.url,
        new_description=webhook.description,
        new_event_types=json.dumps(webhook.event_types),
        new_is_active=webhook.is_active,
        new_failure_count=webhook.failure_count,
        new_disabled_reason=webhook.disabled_reason,
        now=webhook.updated_at,
    )


def _change(
    verb: str,
    webhook: Webhook,
    details: str,
    data: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
) -> Change:
    return Change(
        type=f"webhook.{verb}",
        resource_id=webhook.id,
        label=webhook.url,
        details=details,
        data=data,
        before=before,
    )


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {
        "url": webhook.url,
        "description": webhook.description,
        "event_types": list(webhook.event_types),
        "is_active": webhook.is_active,
    }


def _data(changed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()
    }
