"""The application: plugins, storage and routes put together."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import falcon

from ipcraft.answers.keeping import Answers
from ipcraft.answers.retention import delete_old_answers
from ipcraft.config import Settings
from ipcraft.conflicts import unique_routes
from ipcraft.contributions import (
    AuthBackend,
    EventType,
    HealthCheck,
    Identity,
    Plan,
    RateLimiter,
    Route,
    Storage,
    StorageBackend,
)
from ipcraft.data.claims import Claim, changed_identity
from ipcraft.data.erasure import Erasure
from ipcraft.data.migrations import CORE
from ipcraft.data.shared_transactions import SharedTransactions
from ipcraft.data.transactions import Reader, RolledBack, SharedWork, Transaction
from ipcraft.errors import RequestError, StartError
from ipcraft.events.dispatch import Dispatcher
from ipcraft.events.gauges import event_gauges
from ipcraft.events.recording import EVENTS, Recorder
from ipcraft.events.sequences import LOCK, REST, Sequencer
from ipcraft.events.sinks import EventSink
from ipcraft.http.health import health_routes
from ipcraft.http.openapi.document import make_document
from ipcraft.http.openapi.resource import document_route
from ipcraft.http.routing import Router
from ipcraft.http.serving import make_app
from ipcraft.http.writes import Writes
from ipcraft.jobs.definitions import Job
from ipcraft.jobs.drains import Drain, Drains
from ipcraft.jobs.gauges import job_gauges
from ipcraft.jobs.orders import JOBS, Orders
from ipcraft.jobs.queues import JobQueue
from ipcraft.jobs.schedules import Schedules
from ipcraft.loading import boot
from ipcraft.logs import configure_logs
from ipcraft.mail import Mailer
from ipcraft.metrics.access import Access
from ipcraft.metrics.counting import Metrics
from ipcraft.metrics.folder import share
from ipcraft.metrics.gauges import Gauge, Readings, Samples
from ipcraft.metrics.page import metrics_route
from ipcraft.outbound.client import Outbound
from ipcraft.registry import Given, PluginError, Registry
from ipcraft.secret_key import derived_key, secret_key
from ipcraft.spelling import did_you_mean

T = TypeVar("T")

Clock = Callable[[], float]

_CORE = "ipcraft"
_STORAGE_CHECK = "storage"
_TIDY_JOBS = "jobs.tidy"
_TIDY_ANSWERS = "answers.tidy"
_TIDY_EVERY = 3600


class Application:
    """Hold what plugins work with: settings, the registry, the storage and a clock.

    Every boot hook but the storage backends' gets it with its storage. What the plugins
    gave was collected once: `routes`, `auth_backends` and `rate_limiter` for the serving of
    requests, `jobs`, `orders`, `job_queue`, `event_sinks` and `drains` for the work beside them.
    `mailer` sends mail, `outbound` reaches other servers, `metrics` counts and measures.
    """

    __slots__ = (
        "_fresh",
        "_gauges",
        "_relay",
        "_samples",
        "_secret_key",
        "_shared",
        "_storage",
        "auth_backends",
        "clock",
        "drains",
        "event_sinks",
        "job_queue",
        "jobs",
        "mailer",
        "metrics",
        "orders",
        "outbound",
        "rate_limiter",
        "registry",
        "routes",
        "schedules",
        "settings",
    )

    def __init__(self, settings: Settings, registry: Registry, *, clock: Clock = time.time) -> None:
        self.settings = settings
        self.registry = registry
        self.clock = clock
        self._relay = registry.relay.within(self)
        self._secret_key: str | None = None
        self.metrics = Metrics()
        self._samples: Samples | None = None
        self._storage: Storage | None = None
        self.drains = Drains({})
        self._fresh: set[str] = set()
        self._storage = _open_storage(self)
        self._shared = SharedTransactions(self._storage, transact=self.transact)
        self.auth_backends = _auth_backends(self)
        self.rate_limiter = _rate_limiter(self)
        self.mailer = Mailer.of(settings)
        self.outbound = Outbound.of(settings)
        self.job_queue = _job_queue(self)
        self.jobs = _jobs(self)
        self.orders = Orders(
            self.jobs,
            storage=self.storage,
            queue=self.job_queue,
            clock=clock,
            lease=settings.lease,
            metrics=self.metrics,
        )
        self.schedules = Schedules(
            list(self.jobs.values()),
            storage=self.storage,
            enqueue=lambda job, tx: self.enqueue(job, tx=tx),
            clock=clock,
        )
        self.event_sinks = registry.named("ipcraft_event_sinks", kind=EventSink, app=self)
        self.drains = _drains(self)
        self._gauges = _gauges(self)
        self.routes = _routes(self)

    @property
    def storage(self) -> Storage:
        """Give the storage that the database URL names."""
        if self._storage is None:
            raise StartError("a storage backend is given before there is a storage to use")
        return self._storage

    def section(self, name: str) -> Mapping[str, object]:
        """Give the typed settings of a plugin. Raises KeyError for one without a schema."""
        return self.registry.sections[name]

    def key_for(self, purpose: str) -> bytes:
        """Give the 32 bytes of this installation's key for one purpose, such as signing nonces.

        It is the same in every process and after every start. Raises `StartError` when there is
        no secret key to derive it from.
        """
        if self._secret_key is None:
            self._secret_key = secret_key(self.settings)
        return derived_key(self._secret_key, purpose)

    def enqueue(
        self,
        job: str,
        payload: Mapping[str, Any] | None = None,
        *,
        delay: float = 0.0,
        tx: Transaction | None = None,
    ) -> str:
        """Have the job of this name run beside the requests, `delay` seconds from now at first.

        Give the id of the order. With `tx` the order is part of that transaction: it is there when
        the transaction is committed and never otherwise. The payload is a JSON object, which can
        be read in the database: it holds no secret. Raises LookupError for a job that nobody gives,
        TypeError for a payload that is not JSON, and `Unavailable` when the database cannot be
        used.

        >>> app.enqueue("naming.tidy", {"folder": "sec_001"})  # doctest: +SKIP
        """
        return self.orders.write(job, payload, delay=delay, tx=tx)

    def wake(self, drain: str) -> None:
        """Have the drain of this name run soon, wherever it runs. Never waits.

        Call it after the commit that leaves it work, or `Transaction.wake` before. Should this be
        lost, the drain finds the work itself within a second.
        """
        if self.job_queue.runs_here:
            if drain == JOBS:
                # Also a process that serves nothing does what it has asked for.
                self.drains.begin(JOBS)
            self.drains.wake(drain)
        else:
            self.drains.wake(drain)
            self.job_queue.wake(drain)

    def close(self) -> None:
        """End this process's part: jobs that only it would run first, then its connections."""
        if self._samples is not None:
            self._samples.end()
        self.schedules.end()
        self.drains.end()
        self.job_queue.close()
        self.outbound.close()
        self.storage.close()

    def measure(self) -> None:
        """Have this process count and measure what it does, from now on, if the settings say so.

        For a process whose numbers somebody reads: a server does it by itself.
        """
        if not self.settings.metrics or self._samples is not None:
            return
        if self.settings.metrics_folder is not None:
            share(self.settings.metrics_folder)
        own = [gauge for gauge in self._gauges if gauge.per_process]
        self._samples = Samples(own, self.metrics.begin())
        self._samples.begin()

    def erase(self, tx: Transaction) -> None:
        """Delete every row of the transaction's organization, those of all plugins, now."""
        tx.lock(LOCK)
        Erasure([CORE, *self.registry.migrations.values()]).run(tx)
        tx.erased = True

    def transact(self, identity: Identity, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a writing transaction of the identity's organization.

        It is run again when others overtook it, see `Storage.transact`, and when the identity
        turns out to have changed since it was last asked for. Where the whole request is one
        transaction, the work is part of that.
        """
        if identity.within is not None:
            return identity.within.join(work)
        try:
            return self._transact(identity, work)
        except _IdentityChanged as change:
            return self._transact(change.identity, work)

    def transact_shared(self, identity: Identity, work: SharedWork[T], *, line: str = "") -> T:
        """Do `work` as `transact` does, or in one transaction with more of the same sender.

        For small writes that many clients send at once: work that comes while a transaction is
        under way is done in the next one, which costs little more than one of them alone. Work of
        another `line` is never in it.
        """
        if identity.within is not None:
            return identity.within.join(lambda tx: tx.perform(work))
        return self._shared.run(identity, work, line=line)

    def read(self, identity: Identity) -> AbstractContextManager[Transaction]:
        """Open a reading transaction of the identity's organization: one state for all queries."""
        if identity.within is not None:
            return nullcontext(identity.within)
        return self.storage.read(identity.organization_id, claim=identity.claim)

    def look(self, identity: Identity) -> AbstractContextManager[Reader]:
        """Open a reader of the identity's organization, cheaper: each query sees the newest state.

        >>> with app.look(identity) as reader:  # doctest: +SKIP
        ...     row = reader.one(STATEMENT, id=resource_id)
        """
        if identity.within is not None:
            return nullcontext(identity.within)
        return self.storage.look(identity.organization_id, claim=identity.claim)

    def settle(self, claim: Claim) -> None:
        """Settle a claim now, in a round trip of its own. Raises as `Claim.settle` does."""
        claim.settle(self.storage.look_up(claim.statement, **claim.parameters))

    def plan(self, identity: Identity) -> Plan:
        """Give the plan of the identity's organization, without a query where it names one."""
        return self._relay.plan(identity.organization_id, name=identity.plan, tx=None)

    def plan_of(self, tx: Transaction) -> Plan:
        """Give the plan of the transaction's organization, likewise.

        Raises LookupError in a transaction across organizations.
        """
        if tx.organization_id is None:
            raise LookupError("a transaction across organizations has no plan")
        name = tx.identity.plan if tx.identity else None
        return self._relay.plan(tx.organization_id, name=name, tx=tx)

    def _transact(self, identity: Identity, work: Callable[[Transaction], T]) -> T:
        def run(tx: Transaction) -> T:
            tx.identity = identity
            try:
                result = work(tx)
            except (RequestError, RolledBack):
                _refuse_change(identity)
                raise
            _refuse_change(identity)
            return result

        return self.storage.transact(
            identity.organization_id, run, actor=identity.user_id, claim=identity.claim
        )


class _IdentityChanged(Exception):
    """Say that a transaction began for an identity that is another by now."""

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self.identity = identity


def _refuse_change(identity: Identity) -> None:
    changed = changed_identity(identity)
    if changed is not None:
        raise _IdentityChanged(changed)


def create_application(settings: Settings, *, clock: Clock = time.time) -> Application:
    """Load the plugins, open the storage, collect the routes.

    Raises `StartError` saying what to mend.
    """
    return boot(settings, lambda registry: Application(settings, registry, clock=clock))


def create_app(settings: Settings) -> falcon.App[Any, Any]:
    """Make the WSGI app of these settings. Raises `StartError` saying what to mend."""
    configure_logs(level=settings.log_level, form=settings.log_format)
    secret_key(settings)
    app = create_application(settings)
    app.measure()
    begin_jobs(app)
    atexit.register(app.close)
    return build(app)


def build(app: Application) -> falcon.App[Any, Any]:
    """Make the WSGI app of an application."""
    return make_app(
        app.routes,
        backends=app.auth_backends,
        authorize=app._relay.authorize,
        settle=app.settle,
        plan=app.plan,
        limiter=app.rate_limiter,
        metrics=app.metrics if app.settings.metrics else None,
        public_url=app.settings.public_url,
        trusted_proxies=app.settings.trusted_proxies,
        writes=Writes(app.transact, Answers(app.key_for)),
    )


def document(app: Application) -> dict[str, Any]:
    """Describe every route of every plugin: the OpenAPI document of this application."""
    return make_document(app.routes, backends=app.auth_backends, url=app.settings.public_url or "/")


def start_process(app: Application) -> None:
    """Call the startup hook of every plugin: once in each process, after it was forked."""
    app.registry.collect("ipcraft_startup", app=app)


def begin_jobs(app: Application) -> None:
    """Have a serving process look after the schedules, if it is one that runs jobs."""
    if app.job_queue.runs_here:
        app.schedules.begin()
        app.drains.begin()


def _open_storage(app: Application) -> Storage:
    registry = app.registry
    url = app.settings.database_url
    backends = registry.named("ipcraft_storage_backends", kind=StorageBackend, app=app)
    types = registry.named("ipcraft_event_types", kind=EventType)
    recorder = Recorder(
        app._relay,
        event_types=frozenset(types),
        clock=app.clock,
        wake=app.wake,
        fresh=app._fresh,
    )
    migrations = {_CORE: CORE, **registry.migrations}
    return _backend_for(url, backends).open(url, migrations=migrations, recorder=recorder)


def _backend_for(url: str, backends: Mapping[str, StorageBackend]) -> StorageBackend:
    scheme = url.partition(":")[0]
    by_scheme = {each: backend for backend in backends.values() for each in backend.schemes}
    if scheme not in by_scheme:
        known = ", ".join(sorted(by_scheme)) or "none: no plugin gives a storage backend"
        raise StartError(
            f"database_url: no storage backend for the scheme {scheme}"
            f"{did_you_mean(scheme, by_scheme)} (known: {known})"
        )
    return by_scheme[scheme]


def _rate_limiter(app: Application) -> RateLimiter:
    limiters = app.registry.named("ipcraft_rate_limiters", kind=RateLimiter, app=app)
    return _chosen(limiters, app.settings.rate_limiter, setting="rate_limiter", what="rate limiter")


def _job_queue(app: Application) -> JobQueue:
    queues = app.registry.named("ipcraft_job_queues", kind=JobQueue, app=app)
    return _chosen(queues, app.settings.job_queue, setting="job_queue", what="job queue")


def _chosen(given: Mapping[str, T], name: str | None, *, setting: str, what: str) -> T:
    """Give the one of this name, or the last one."""
    if name is None and given:
        return list(given.values())[-1]
    if name is None or name not in given:
        known = ", ".join(given) or f"none: no plugin gives a {what}"
        raise StartError(
            f"{setting}: there is no {name or what}"
            f"{did_you_mean(name or '', given)} (known: {known})"
        )
    return given[name]


def _jobs(app: Application) -> Mapping[str, Job]:
    """Give the plugins' jobs and the core's own."""
    core = (
        Job(name=_TIDY_JOBS, run=lambda payload: app.orders.tidy(), every=_TIDY_EVERY),
        Job(
            name=_TIDY_ANSWERS,
            run=lambda payload: delete_old_answers(app.storage),
            every=_TIDY_EVERY,
        ),
    )
    names = [job.name for job in core]
    given = app.registry.named("ipcraft_jobs", kind=Job, core=names, app=app)
    return {**{job.name: job for job in core}, **given}


def _drains(app: Application) -> Drains:
    """Give what is drained: orders, events without a sequence, each sink's, and the plugins'."""
    dispatchers = [
        Dispatcher(
            sink,
            storage=app.storage,
            clock=app.clock,
            lease=app.settings.lease,
            wake=lambda drain: app.drains.wake(drain),
        )
        for sink in app.event_sinks.values()
    ]
    sequencer = Sequencer(
        app.storage,
        sinks=list(app.event_sinks.values()),
        clock=app.clock,
        fresh=app._fresh,
        rest=REST,
        tell=lambda: app.drains.wake(*(each.drain.name for each in dispatchers)),
    )
    core = [app.orders.drain, Drain(EVENTS, sequencer.run), *(each.drain for each in dispatchers)]
    names = [drain.name for drain in core]
    given = app.registry.named("ipcraft_drains", kind=Drain, core=names, app=app)
    return Drains({**{drain.name: drain for drain in core}, **given})


def _auth_backends(app: Application) -> tuple[AuthBackend, ...]:
    """Give the auth backends: those the settings name first, then the others in their order."""
    backends = dict(app.registry.named("ipcraft_auth_backends", kind=AuthBackend, app=app))
    order = app.settings.auth_order
    for name in order:
        if name not in backends:
            known = ", ".join(backends) or "none"
            raise StartError(
                f"auth_order: no auth backend is named {name}"
                f"{did_you_mean(name, backends)} (known: {known})"
            )
    return (
        *(backends[name] for name in order),
        *(backend for name, backend in backends.items() if name not in order),
    )


def _routes(app: Application) -> tuple[Route, ...]:
    registry = app.registry
    checks = registry.named(
        "ipcraft_health_checks", kind=HealthCheck, core=(_STORAGE_CHECK,), app=app
    )
    core = [
        *health_routes(
            [HealthCheck(_STORAGE_CHECK, app.storage.check), *checks.values()],
            degraded=registry.degraded,
        ),
        document_route(lambda: document(app)),
    ]
    if app.settings.metrics:
        core.append(_metrics_route(app))
    given = registry.collect("ipcraft_routes", kind=Route, app=app)
    routes = unique_routes(given, core=[route.path for route in core])
    _refuse_unservable(given)
    return (*core, *routes)


def _gauges(app: Application) -> list[Gauge]:
    """Give the core's gauges and the plugins'."""
    core = [
        *event_gauges(app.storage, sinks=list(app.event_sinks), clock=app.clock),
        *job_gauges(app.storage, clock=app.clock),
    ]
    names = [gauge.name for gauge in core]
    given = app.registry.named("ipcraft_gauges", kind=Gauge, core=names, app=app)
    return [*core, *given.values()]


def _metrics_route(app: Application) -> Route:
    settings = app.settings
    shared = [gauge for gauge in app._gauges if not gauge.per_process]
    access = Access(settings.metrics_networks, settings.metrics_token)
    return metrics_route(app.metrics, Readings(shared), access)


def _refuse_unservable(given: Iterable[Given[Route]]) -> None:
    router = Router()
    for each in given:
        problem = router.refusal(each.value)
        if problem:
            raise PluginError(
                each.plugin, f"gives the route {each.value.path}, {problem}", where=each.where
            )
