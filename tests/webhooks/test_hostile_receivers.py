"""Receivers that do us no good: an attempt at them ends in time, and costs no memory."""

from __future__ import annotations

import time

import psutil

from ipcraft.plugin import Application
from ipcraft.testing import Organization
from ipcraft.testing.services import Reply, WebhookReceiver
from ipcraft.testing.services.receivers import Manner
from ipcraft_webhooks.sending import DEADLINE

from .dispatching import Dispatching, event

PATH = "/api/v1/webhooks"
EVENTS = 2
FAILING: tuple[Manner, ...] = ("reset", "silent", "drip", "long_header")
TAKING: tuple[Manner, ...] = ("endless", "bomb")
MEBIBYTE = 1 << 20
MOST_MEMORY = 64 * MEBIBYTE


def test_hostile_receivers_end_in_time_and_cost_no_memory(
    application: Application, organization: Organization, receiver: WebhookReceiver
) -> None:
    """Resets, silence, a byte a second, endless bodies, gzip bombs, headers of a megabyte."""
    client = organization.client
    made = {}
    for manner in (*FAILING, *TAKING):
        receiver.replies_at[f"/{manner}"] = Reply(manner=manner)
        body = {"url": f"{receiver.url}{manner}", "description": manner}
        made[manner] = client.post(PATH, json=body).json["id"]
    dispatching = Dispatching(application, concurrency=64)
    dispatching.tell(*(event(organization) for _ in range(EVENTS)))
    process = psutil.Process()
    before, began = process.memory_info().rss, time.monotonic()
    dispatching.dispatcher.run()
    assert dispatching.dispatcher.join(DEADLINE + 5)
    assert time.monotonic() - began < DEADLINE + 5
    dispatching.dispatcher.settle()
    assert process.memory_info().rss - before < MOST_MEMORY
    dispatching.close()
    for manner, webhook in made.items():
        log = client.get(f"{PATH}/{webhook}/deliveries").json
        assert log, manner
        for entry in log:
            assert entry["duration_ms"] < (DEADLINE + 1) * 1000
            assert len(entry["response_body"] or "") <= 4096
            assert (entry["response_status"] == 200) == (manner in TAKING), (manner, entry)
            assert (entry["error"] is None) == (manner in TAKING), (manner, entry)
