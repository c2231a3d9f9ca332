"""The application: storage, routes and startup from what plugins give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import falcon
import pytest
from falcon.testing import TestClient

from ipcraft.app import Application, build, start_process
from ipcraft.config import Settings
from ipcraft.contributions import (
    HealthCheck,
    Identity,
    Migrations,
    Route,
    Storage,
    StorageStatus,
)
from ipcraft.data.claims import Claim
from ipcraft.data.statements import Statement
from ipcraft.data.transactions import Reader, Transaction
from ipcraft.errors import StartError
from ipcraft.events.recording import Recorder
from ipcraft.jobs.definitions import Ticket
from ipcraft.registry import Implementation, Plugin, PluginError, Registry
from ipcraft_local import LocalRateLimiter

HOOKS = (
    "auth_backends",
    "drains",
    "event_sinks",
    "event_types",
    "gauges",
    "health_checks",
    "job_queues",
    "jobs",
    "rate_limiters",
    "routes",
    "startup",
    "storage_backends",
)

IDENTITY = Identity(organization_id="org_1", user_id="usr_1", role="owner", scheme="test")


class Emptiness:
    """Be a storage that keeps nothing, and remember what it was asked."""

    name = "nothing"
    writes_side_by_side = False

    def __init__(self, url: str, *, problem: str | None) -> None:
        self.url = url
        self.problem = problem
        self.asked: list[tuple[object, ...]] = []

    def transact(
        self,
        organization_id: str,
        work: Callable[[Transaction], Any],
        *,
        actor: str | None = None,
        claim: Claim | None = None,
    ) -> Any:
        """Remember who asked."""
        self.asked.append((organization_id, actor))

    def read(
        self, organization_id: str, *, claim: Claim | None = None
    ) -> AbstractContextManager[Transaction]:
        """Refuse."""
        raise NotImplementedError

    def look(
        self, organization_id: str, *, claim: Claim | None = None
    ) -> AbstractContextManager[Reader]:
        """Refuse."""
        raise NotImplementedError

    def transact_system(self, work: Callable[[Transaction], Any]) -> Any:
        """Refuse."""
        raise NotImplementedError

    def read_system(self) -> AbstractContextManager[Transaction]:
        """Refuse."""
        raise NotImplementedError

    def look_up(self, statement: Statement[Any], /, **parameters: Any) -> Any:
        """Refuse."""
        raise NotImplementedError

    def status(self) -> list[StorageStatus]:
        """Have no tables."""
        return []

    def check(self) -> str | None:
        """Tell the problem."""
        return self.problem

    def upgrade(self) -> list[StorageStatus]:
        """Have nothing to upgrade."""
        return []

    def close(self) -> None:
        """Have nothing to close."""


class Idle:
    """Be a queue that nothing is put into."""

    name = "idle"
    runs_here = False

    def room(self) -> int:
        """Have none."""
        return 0

    def put(self, ticket: Ticket) -> None:
        """Refuse."""
        raise NotImplementedError

    def wake(self, drain: str) -> None:
        """Tell nobody."""

    def close(self) -> None:
        """Have nothing to close."""


class EmptinessBackend:
    """Open the storage that keeps nothing."""

    name = "nothing"
    schemes = ("nothing",)

    def __init__(self, *, problem: str | None = None) -> None:
        self.problem = problem
        self.migrations: Mapping[str, Migrations] = {}

    def open(
        self, url: str, *, migrations: Mapping[str, Migrations], recorder: Recorder
    ) -> Storage:
        """Make a storage."""
        self.migrations = migrations
        return Emptiness(url, problem=self.problem)


class Hello:
    """Greet."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer."""
        resp.media = "hello"


class Later:
    """Be written for another kind of server."""

    async def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer."""


def application(
    *, url: str = "nothing://", backend: EmptinessBackend | None = None, **given: object
) -> Application:
    """Make an application of one plugin that gives a storage and these values."""
    given.setdefault("storage_backends", [backend or EmptinessBackend()])
    given.setdefault("rate_limiters", [LocalRateLimiter()])
    given.setdefault("job_queues", [Idle()])
    plugin = Plugin("acme", "acme-plugin", "1.0", "acme")
    implementations = {f"ipcraft_{hook}": () for hook in HOOKS} | {
        f"ipcraft_{hook}": (
            Implementation(plugin, f"ipcraft_{hook}", lambda value=value: value, ()),
        )
        for hook, value in given.items()
    }
    registry = Registry(plugins=(plugin,), implementations=implementations)
    return Application(Settings(database_url=url), registry, clock=lambda: 0)


def test_the_scheme_chooses_the_storage() -> None:
    """The backend that serves the URL's scheme opens it, with the core's tables first."""
    backend = EmptinessBackend()
    app = application(url="nothing://here", backend=backend)
    assert isinstance(app.storage, Emptiness)
    assert app.storage.url == "nothing://here"
    assert next(iter(backend.migrations)) == "ipcraft"


def test_an_unknown_scheme_stops_the_start_without_showing_the_url() -> None:
    """The message names the scheme, the nearest known and all known; never the password."""
    with pytest.raises(StartError) as raised:
        application(url="nothin://user:password@host")
    assert str(raised.value) == (
        "database_url: no storage backend for the scheme nothin; "
        'did you mean "nothing"? (known: nothing)'
    )


def test_without_any_backend_the_message_says_so() -> None:
    """A start with every storage plugin switched off says what is missing."""
    with pytest.raises(StartError, match="no plugin gives a storage backend"):
        application(storage_backends=[])


def test_routes_are_served_beside_the_cores() -> None:
    """A plugin's route, health and readiness answer."""
    client = TestClient(build(application(routes=[Route("/hello", Hello(), public=True)])))
    assert client.simulate_get("/hello").json == "hello"
    assert client.simulate_get("/healthz").status_code == 200
    assert client.simulate_get("/readyz").json["checks"] == {"storage": None}


def test_readyz_asks_the_storage_and_the_plugins() -> None:
    """A storage that cannot be used makes the process not ready."""
    app = application(
        backend=EmptinessBackend(problem="is not up to date"),
        health_checks=[HealthCheck("queue", lambda: None)],
    )
    answer = TestClient(build(app)).simulate_get("/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"] == {"storage": "is not up to date", "queue": None}


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route("/healthz", Hello()), "IPCraft itself"),
        (Route("hello", Hello()), "does not start with a slash"),
        (Route("/hello world", Hello()), "cannot be served"),
        (Route("/hello", object()), "whose resource object has no on_get"),
        (Route("/hello", Later()), "cannot be served"),
    ],
)
def test_a_route_that_cannot_be_served_names_its_plugin(route: Route, words: str) -> None:
    """The start stops, and says whose route it is and what is wrong with it."""
    with pytest.raises(PluginError, match="plugin acme") as raised:
        application(routes=[route])
    assert words in str(raised.value)
    assert route.path in str(raised.value)


def test_the_storage_cannot_be_used_to_make_itself() -> None:
    """A storage backend that asks for the storage is told so."""
    plugin = Plugin("acme", "acme-plugin", "1.0", "acme")
    hook = "ipcraft_storage_backends"

    def backends(app: Application) -> object:
        return app.storage

    implementation = Implementation(plugin, hook, backends, ("app",))
    registry = Registry(plugins=(plugin,), implementations={hook: (implementation,)})
    with pytest.raises(StartError, match="before there is a storage"):
        Application(Settings(), registry)


def test_a_transaction_is_the_identitys() -> None:
    """Organization and actor come from the identity."""
    app = application()
    app.transact(IDENTITY, lambda tx: None)
    assert isinstance(app.storage, Emptiness)
    assert app.storage.asked == [("org_1", "usr_1")]


def test_startup_is_called_when_a_process_starts() -> None:
    """The hook runs in `start_process`, not when the application is made."""
    plugin = Plugin("acme", "acme-plugin", "1.0", "acme")
    started: list[Application] = []

    def startup(app: Application) -> None:
        started.append(app)

    app = application()
    hook = Implementation(plugin, "ipcraft_startup", startup, ("app",))
    app.registry = Registry(implementations={"ipcraft_startup": (hook,)})
    start_process(app)
    assert started == [app]
