"""Every write there is, sent twice with a key, and tried: no route needs a line for that."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event, Thread
from typing import Any

from ipcraft.app import Application
from ipcraft.testing import make_organization

from .matrix import Request, Tenant, everything, tenant, writes

DRY = {"dry_run": "true"}
REFUSING = {
    "/api/v1/billing/checkout",
    "/api/v1/billing/portal",
    "/api/v1/webhooks/{webhook_id}/test",
}
"""Paths whose work no transaction takes back."""


def newcomer(application: Application) -> Tenant:
    """Give an organization with one resource of each kind; no job goes on when it is there."""
    over = Event()

    def work() -> None:
        while not over.wait(0.01):
            for ticket in application.orders.take(1):
                application.orders.perform(ticket)

    working = Thread(target=work)
    working.start()
    try:
        return tenant(make_organization(application))
    finally:
        over.set()
        working.join()


def test_every_write_can_be_tried_or_says_that_it_cannot(application: Application) -> None:
    """It has the status and the fields of the real answer, and not one row is another."""
    application.job_queue.close()
    refusing = set()
    for request in writes(application.routes):
        own = newcomer(application)
        dry = Request(request.method, request.path, own.ids, request.body, DRY)
        before = everything(application)
        tried = dry.send(own.organization)
        assert everything(application) == before, dry
        if tried.status_code == 400:
            assert tried.json["code"] == "dry_run_unsupported", tried.text
            refusing.add(request.path)
            continue
        real = Request(request.method, request.path, own.ids, request.body).send(own.organization)
        assert tried.status_code == real.status_code, tried.text
        assert tried.headers["dry-run"] == "true"
        assert "dry-run" not in real.headers
        assert _shape(tried.json if tried.content else None) == _shape(
            real.json if real.content else None
        )
    assert refusing == REFUSING


def test_every_write_is_done_once_or_says_that_it_cannot(application: Application) -> None:
    """The second sending changes not one row, and has the first answer."""
    application.job_queue.close()
    refusing = set()
    for request in writes(application.routes):
        own = newcomer(application)
        keyed = Request(
            request.method, request.path, own.ids, request.body, headers={"Idempotency-Key": "k"}
        )
        first = keyed.send(own.organization)
        if first.status_code == 400:
            assert first.json["code"] == "idempotency_unsupported", first.text
            refusing.add(request.path)
            continue
        before = everything(application)
        again = keyed.send(own.organization)
        assert everything(application) == before, keyed
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["idempotent-replayed"] == "true"
    assert refusing == REFUSING


def _shape(value: Any) -> Any:
    """Give a JSON value with its fields, and no more than the kinds of what is in them."""
    if isinstance(value, Mapping):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(each) for each in value] if isinstance(value, list) else type(value)
