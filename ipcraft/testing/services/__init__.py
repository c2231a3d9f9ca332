"""Real servers for tests, on free loopback ports and in temporary folders.

>>> from ipcraft.testing.services import DNSServer, MailSink, PgBouncer, PostgreSQL, Redis, Slapd
>>> from ipcraft.testing.services import Reply, WebhookReceiver, WhoisServer
>>> from ipcraft.testing.services import Reply, StripeStandIn, WebhookReceiver

Each is a context manager; a server that cannot be had is a `MissingService` that says what to
install. `FaultProxy` sits between a client and any of them and spoils the connection on demand.
"""

from __future__ import annotations

from ipcraft.testing.services.dns_server import DNSServer
from ipcraft.testing.services.faults import FaultProxy
from ipcraft.testing.services.mail import MailSink
from ipcraft.testing.services.pgbouncer import PgBouncer
from ipcraft.testing.services.postgresql import PostgreSQL
from ipcraft.testing.services.processes import MissingService, ServiceFailed, free_port
from ipcraft.testing.services.receivers import Delivered, Reply, WebhookReceiver
from ipcraft.testing.services.redis import Redis
from ipcraft.testing.services.slapd import Slapd
from ipcraft.testing.services.stripe_stand_in import StripeStandIn
from ipcraft.testing.services.whois_server import WhoisServer

__all__ = [
    "DNSServer",
    "Delivered",
    "FaultProxy",
    "MailSink",
    "MissingService",
    "PgBouncer",
    "PostgreSQL",
    "Redis",
    "Reply",
    "ServiceFailed",
    "Slapd",
    "StripeStandIn",
    "WebhookReceiver",
    "WhoisServer",
    "free_port",
]
