"""The public door for plugin authors: what is named in `__all__` is kept stable.

>>> from ipcraft.plugin import Route, hookimpl
"""

from __future__ import annotations

from ipcraft.app import Application
from ipcraft.cli.context import Invocation, pass_application
from ipcraft.cli.progress import progress_bar
from ipcraft.cli.servers import server_options
from ipcraft.client import Client, RequestRefused
from ipcraft.contributions import (
    Allowance,
    AuthBackend,
    Command,
    EventType,
    HealthCheck,
    Identity,
    Migrations,
    Plan,
    RateLimit,
    RateLimiter,
    Route,
    Storage,
    StorageBackend,
    StorageStatus,
)
from ipcraft.data.claims import Claim, Recognition
from ipcraft.data.last_used import LastUsed
from ipcraft.data.locks import lock_key, try_lock, wait_lock
from ipcraft.data.migrations import SERVING_ROLE, outdated, protect, status, upgrade
from ipcraft.data.pages import CountedPage
from ipcraft.data.statements import CompiledStatement, Row, Statement, given, own
from ipcraft.data.tables import AddressBytes, ExactText, Seconds, tenant_table
from ipcraft.data.transactions import (
    QuerySession,
    Queued,
    Reader,
    Session,
    Settle,
    SharedWork,
    Transaction,
)
from ipcraft.errors import (
    BadGateway,
    Conflict,
    Contention,
    Forbidden,
    Hopeless,
    Invalid,
    LimitReached,
    NotFound,
    RateLimited,
    RequestError,
    StartError,
    Unauthenticated,
    Unavailable,
)
from ipcraft.events.changes import Change
from ipcraft.events.moments import MOMENT, Moment, Since, changes_since
from ipcraft.events.reading import events_after, number_of_events
from ipcraft.events.recording import Recorder
from ipcraft.events.retention import delete_events, organizations_with_events
from ipcraft.events.sinks import (
    ClosableSink,
    Event,
    EventObject,
    EventSink,
    Postponed,
    SelectiveSink,
    event_body,
)
from ipcraft.events.tables import events
from ipcraft.hookspecs import hookimpl, hookspec
from ipcraft.http.client_addresses import client_network
from ipcraft.http.fields import Time
from ipcraft.http.json_text import parse as parse_json
from ipcraft.http.lists import Page, query_integer, send_list, stream_list
from ipcraft.http.media import load, load_one_or_many, read_body, save_body
from ipcraft.http.openapi.document import SchemedBackend
from ipcraft.http.operations import Body, Content, Paging, RawBody, operation
from ipcraft.http.queries import Query
from ipcraft.http.schemas import Schema, as_complaint, refusal_of
from ipcraft.ids import is_id, new_id, with_prefix
from ipcraft.jobs.definitions import ONCE, Job, Retries, Ticket
from ipcraft.jobs.drains import Drain
from ipcraft.jobs.queues import JobQueue
from ipcraft.mail import Letter, Mailer
from ipcraft.metrics.counting import Counter, Histogram, Metrics
from ipcraft.metrics.gauges import Gauge
from ipcraft.outbound.client import Outbound
from ipcraft.outbound.deadlines import Deadline
from ipcraft.outbound.exchanges import Answer
from ipcraft.outbound.failures import OutboundError, Refused, Unreachable
from ipcraft.outbound.hosts import Host, read_host
from ipcraft.outbound.name_servers import NameServer
from ipcraft.outbound.probing import Probe
from ipcraft.outlines import API
from ipcraft.public_address import known_public_url, public_url
from ipcraft.spelling import did_you_mean
from ipcraft.timestamps import Timestamp, rfc3339
from ipcraft.validators import readable_by

__all__ = [
    "API",
    "MOMENT",
    "ONCE",
    "SERVING_ROLE",
    "AddressBytes",
    "Allowance",
    "Answer",
    "Application",
    "AuthBackend",
    "BadGateway",
    "Body",
    "Change",
    "Claim",
    "Client",
    "ClosableSink",
    "Command",
    "CompiledStatement",
    "Conflict",
    "Content",
    "Contention",
    "CountedPage",
    "Counter",
    "Deadline",
    "Drain",
    "Event",
    "EventObject",
    "EventSink",
    "EventType",
    "ExactText",
    "Forbidden",
    "Gauge",
    "HealthCheck",
    "Histogram",
    "Hopeless",
    "Host",
    "Identity",
    "Invalid",
    "Invocation",
    "Job",
    "JobQueue",
    "LastUsed",
    "Letter",
    "LimitReached",
    "Mailer",
    "Metrics",
    "Migrations",
    "Moment",
    "NameServer",
    "NotFound",
    "Outbound",
    "OutboundError",
    "Page",
    "Paging",
    "Plan",
    "Postponed",
    "Probe",
    "Query",
    "QuerySession",
    "Queued",
    "RateLimit",
    "RateLimited",
    "RateLimiter",
    "RawBody",
    "Reader",
    "Recognition",
    "Recorder",
    "Refused",
    "RequestError",
    "RequestRefused",
    "Retries",
    "Route",
    "Row",
    "Schema",
    "SchemedBackend",
    "Seconds",
    "SelectiveSink",
    "Session",
    "Settle",
    "SharedWork",
    "Since",
    "StartError",
    "Statement",
    "Storage",
    "StorageBackend",
    "StorageStatus",
    "Ticket",
    "Time",
    "Timestamp",
    "Transaction",
    "Unauthenticated",
    "Unavailable",
    "Unreachable",
    "as_complaint",
    "changes_since",
    "client_network",
    "delete_events",
    "did_you_mean",
    "event_body",
    "events",
    "events_after",
    "given",
    "hookimpl",
    "hookspec",
    "is_id",
    "known_public_url",
    "load",
    "load_one_or_many",
    "lock_key",
    "new_id",
    "number_of_events",
    "operation",
    "organizations_with_events",
    "outdated",
    "own",
    "parse_json",
    "pass_application",
    "progress_bar",
    "protect",
    "public_url",
    "query_integer",
    "read_body",
    "read_host",
    "readable_by",
    "refusal_of",
    "rfc3339",
    "save_body",
    "send_list",
    "server_options",
    "status",
    "stream_list",
    "tenant_table",
    "try_lock",
    "upgrade",
    "wait_lock",
    "with_prefix",
]
