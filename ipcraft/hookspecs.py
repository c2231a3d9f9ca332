"""The hooks of the core, in the order in which they are called.

A plugin is a module named by an ``ipcraft.plugins`` entry point. It says which plugin API it was
written for (``API = 1``) and implements hooks as functions marked with `hookimpl`. An
implementation may leave out arguments it does not need. Boot hooks are called once per process
and return frozen values; the last four run with requests.

A plugin offers hooks of its own with `ipcraft_hookspecs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from marshmallow import Schema

    from ipcraft.app import Application
    from ipcraft.contributions import (
        AuthBackend,
        Command,
        EventType,
        HealthCheck,
        Identity,
        Migrations,
        Plan,
        RateLimiter,
        Route,
        StorageBackend,
    )
    from ipcraft.data.transactions import Transaction
    from ipcraft.events.changes import Change
    from ipcraft.events.sinks import EventSink
    from ipcraft.jobs.definitions import Job
    from ipcraft.jobs.drains import Drain
    from ipcraft.jobs.queues import JobQueue
    from ipcraft.metrics.gauges import Gauge

hookspec = pluggy.HookspecMarker("ipcraft")
hookimpl = pluggy.HookimplMarker("ipcraft")


@hookspec
def ipcraft_hookspecs() -> ModuleType:
    """Offer hooks to other plugins: a module of functions marked with `hookspec`.

    Called first at boot. The offering plugin reads what others gave with
    ``app.registry.collect("ipcraft_...", kind=..., app=app)``.
    """
    raise NotImplementedError


@hookspec
def ipcraft_config_schema() -> type[Schema]:
    """Give the schema of the plugin's section.

    The section is ``[plugins.NAME]`` in ``ipcraft.toml``; a key is also the variable
    ``IPCRAFT_NAME_KEY``. Unknown keys are refused at boot, and so is a value the schema
    refuses. A field with ``metadata={"secret": True}`` is redacted wherever settings are
    shown, and may be given as a file (``IPCRAFT_NAME_KEY_FILE``).
    Read the values with ``app.section("NAME")``.
    """
    raise NotImplementedError


@hookspec
def ipcraft_migrations() -> Migrations:
    """Give the plugin's tables and the folder of its Alembic history."""
    raise NotImplementedError


@hookspec
def ipcraft_storage_backends(app: Application) -> Sequence[StorageBackend]:
    """Give storage backends. The scheme of the database URL picks one of all plugins'."""
    raise NotImplementedError


@hookspec
def ipcraft_event_types() -> Sequence[EventType]:
    """Declare the kinds of change the plugin records. Recording another kind is an error."""
    raise NotImplementedError


@hookspec
def ipcraft_event_sinks(app: Application) -> Sequence[EventSink]:
    """Give sinks, which take every event to where somebody waits for it.

    They are called after the commit, in the processes that run jobs, isolated from each other:
    one that is slow or fails holds up neither another sink nor another organization's events. A
    sink begins with the events that come after it was first seen.
    """
    raise NotImplementedError


@hookspec
def ipcraft_auth_backends(app: Application) -> Sequence[AuthBackend]:
    """Give ways to recognize who sends a request, asked in the order of the plugins."""
    raise NotImplementedError


@hookspec
def ipcraft_rate_limiters(app: Application) -> Sequence[RateLimiter]:
    """Give ways to count requests. The setting `rate_limiter` names one of all plugins'.

    Unless it does, the last one counts: a plugin that cannot be used as the settings are, for
    example for want of a server's URL, gives none.
    """
    raise NotImplementedError


@hookspec
def ipcraft_job_queues(app: Application) -> Sequence[JobQueue]:
    """Give queues that carry jobs. The setting `job_queue` names one of all plugins'.

    Unless it does, the last one is used, as with rate limiters.
    """
    raise NotImplementedError


@hookspec
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Give work that is done beside the requests. A name given twice stops the boot.

    Have it done with ``app.enqueue("NAME", {...})``, or by itself with a job's `every`.
    """
    raise NotImplementedError


@hookspec
def ipcraft_drains(app: Application) -> Sequence[Drain]:
    """Give work that waits in the database and is done beside the requests, as soon as it can.

    Each drain has a thread in every process that runs jobs. Call ``app.wake("NAME")`` after the
    commit that leaves it something to do.
    """
    raise NotImplementedError


@hookspec
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Give routes. A path given twice, by whomever, stops the boot."""
    raise NotImplementedError


@hookspec
def ipcraft_commands() -> Sequence[Command]:
    """Give commands of the ``ipcraft`` program. A name given twice stops the boot."""
    raise NotImplementedError


@hookspec
def ipcraft_health_checks(app: Application) -> Sequence[HealthCheck]:
    """Give checks that ``/readyz`` runs."""
    raise NotImplementedError


@hookspec
def ipcraft_gauges(app: Application) -> Sequence[Gauge]:
    """Give numbers that ``/metrics`` reads when somebody asks. A name given twice stops the boot.

    What is to be counted as it happens is counted with ``app.metrics.counter("NAME", "...")`` and
    measured with ``app.metrics.histogram("NAME", "...")``.
    """
    raise NotImplementedError


@hookspec
def ipcraft_serving(app: Application, url: str, embedded: bool) -> Sequence[str]:  # noqa: FBT001
    """Give what the operator reads when ``ipcraft serve`` starts, line by line.

    Called once, before the workers are forked, with the address that is served. An `embedded`
    database is a file that `serve` has made or upgraded, and may be furnished for a newcomer.
    """
    raise NotImplementedError


@hookspec
def ipcraft_startup(app: Application) -> None:
    """Prepare one process: called in each worker after it was forked, before its first request."""


@hookspec
def ipcraft_plan(
    organization_id: str, name: str | None, tx: Transaction | None, app: Application
) -> Plan | None:
    """Give the plan of an organization; the first plugin's answer that is not None counts.

    Called for each request with an identity, and where a plan's limits matter. `name` is the
    plan's name where it is known: an auth backend has put it into the identity. Otherwise it is
    to be found out, with `tx`, a transaction of the organization, if there is one. An error
    answers 500: nobody is without limits because a plan cannot be told.
    """
    raise NotImplementedError


@hookspec
def ipcraft_authorize(
    identity: Identity, action: str, target: str, app: Application
) -> bool | None:
    """Allow or refuse an action on a target (the route's path); False from any plugin refuses.

    Called for each request with an identity, before its resource. None abstains. An
    `ipcraft.errors.RequestError` refuses with an answer of its own.
    """
    raise NotImplementedError


@hookspec
def ipcraft_before_change(change: Change, tx: Transaction, app: Application) -> None:
    """Look at a change before its SQL runs, in its transaction.

    Veto by raising an `ipcraft.errors.RequestError`: everything is rolled back and the error
    answered. The change itself cannot be altered.
    """


@hookspec
def ipcraft_after_change(change: Change, tx: Transaction, app: Application) -> None:
    """Add what must be true together with a change, in its transaction, before the commit."""
