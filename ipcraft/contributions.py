"""What a plugin gives the core: frozen values and small protocols, collected once at boot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    import click
    import falcon
    from sqlalchemy import MetaData

    from ipcraft.data.claims import Claim
    from ipcraft.data.statements import Statement
    from ipcraft.data.transactions import Reader, Transaction
    from ipcraft.events.recording import Recorder

T = TypeVar("T")

Action = Literal["read", "write", "manage", "own"]
"""What a route does with the organization's data, from looking to owning it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Say who sends a request, for which organization and in which role."""

    organization_id: str
    user_id: str | None
    role: str
    scheme: str
    """How the identity was proven: ``api_key``, ``session``, a plugin's own word."""
    credential_id: str | None = None
    plan: str | None = None
    claim: Claim | None = field(default=None, compare=False, repr=False)
    """What has still to be asked before the identity is certain, with the first query."""
    within: Transaction | None = field(default=None, compare=False, repr=False)
    """The transaction that the whole request is part of, where one is: all its work joins in."""
    ambient: bool = True
    """Whether browsers send the proof by themselves, as they do a cookie or a proxy's sign-in.

    Then another site could make them send it, and a write must show that it comes from ours.
    A backend whose proof a program puts in, such as a key in a header, says False.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Allow so many requests in so many seconds, counted from the first of them.

    `name` says to clients which limit is meant; limits of one name share their count.
    """

    name: str
    requests: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Say whether a request is within its limit.

    `remaining` are the requests left, `seconds` the time until there are all of them again.
    """

    allowed: bool
    remaining: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Say what an organization may have and do. None, or no number, is no limit."""

    name: str
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many of each kind of thing the organization may have: ``{"subnets": 100}``."""
    rate_limit: RateLimit | None = None
    """How fast the organization may send requests, over all its users and keys."""
    activity_days: int | None = None
    """How many days what happened is kept and shown."""
    api_access: Literal["read-only", "read-write"] = "read-write"
    """What API keys may do, whatever their role."""


NO_PLAN = Plan(name="")
"""The plan of everybody where no plugin gives plans: no limits."""


@dataclass(frozen=True, slots=True)
class Route:
    """Serve a path with a Falcon resource.

    `path` is a Falcon URI template. GET and HEAD need the action `read`, every other
    method `write`; the plugin names other actions per method in `actions`, for example
    ``{"POST": "manage"}``. A `public` route is served without credentials. `limit` is how
    fast one client address may send requests to it, and to all routes with a limit of that name.

    A `deferred` route touches nothing but the database, and that with `Application.transact`,
    `look` or `read`: then the sender's credentials are checked together with its first query,
    which saves a round trip. A route that calls another server, sends or counts must not be.

    A write is safe to send again, to send on a condition and to try: with ``Idempotency-Key``,
    ``If-Match`` or ``?dry_run=true`` all that its responder does with `Application.transact`,
    `look` and `read` is one transaction, which its answer is part of. A method that does what no
    transaction takes back, such as sending or calling another server, is named in `irrevocable`,
    and refuses the three.
    """

    path: str
    resource: object
    public: bool = False
    actions: Mapping[str, Action] = field(default_factory=dict)
    limit: RateLimit | None = None
    deferred: bool = False
    irrevocable: Collection[str] = ()

    def action(self, method: str) -> Action:
        """Give the action a request with this method performs."""
        default: Action = "read" if method in ("GET", "HEAD", "OPTIONS") else "write"
        return self.actions.get(method, default)


@dataclass(frozen=True, slots=True)
class Migrations:
    """Name a plugin's tables and the folder of its one linear Alembic history."""

    metadata: MetaData
    versions: Path


@dataclass(frozen=True, slots=True)
class EventType:
    """Declare a kind of change, such as ``subnet.created``.

    One that is `internal` is about the running of the organization itself: people, keys,
    webhooks. It stands in the log, and no webhook is told of it.
    """

    name: str
    description: str
    internal: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """Add a click command to ``ipcraft``."""

    command: click.Command

    @property
    def name(self) -> str:
        """Give the word typed after ``ipcraft``."""
        return self.command.name or ""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Take part in ``/readyz``: `check` returns None when well, else a sentence saying why not.

    A check that is not `required` makes the answer degraded, not failed.
    """

    name: str
    check: Callable[[], str | None]
    required: bool = True


@dataclass(frozen=True, slots=True)
class StorageStatus:
    """Say which migration each plugin's tables are at, and which it expects."""

    plugin: str
    current: str | None
    head: str


class AuthBackend(Protocol):
    """Recognize who sends a request."""

    @property
    def name(self) -> str:
        """Give the backend's name, unique among all plugins."""
        ...

    def authenticate(self, request: falcon.Request) -> Identity | None:
        """Return the identity, or None when the request carries none of this backend's credentials.

        Raises `ipcraft.errors.Unauthenticated` when it does and they are bad, `Forbidden` or
        `LimitReached` when they are good and the sender may not come in all the same. Any other
        exception answers 503; the request never falls through to the next backend.
        """


class RateLimiter(Protocol):
    """Count requests against their limits."""

    @property
    def name(self) -> str:
        """Give the limiter's name, unique among all plugins."""
        ...

    def take(self, key: str, limit: RateLimit) -> Allowance:
        """Count one request of this key against the limit, and tell whether it is within.

        Called by many threads, with every limited request: it must be quick, and must answer
        also when a server it depends on does not.
        """
        ...


class Storage(Protocol):
    """Run transactions against one database."""

    @property
    def name(self) -> str:
        """Give the backend's name: ``sqlite``, ``postgresql``."""
        ...

    @property
    def writes_side_by_side(self) -> bool:
        """Tell whether writing transactions of one organization go on at the same time."""
        ...

    def transact(
        self,
        organization_id: str,
        work: Callable[[Transaction], T],
        *,
        actor: str | None = None,
        claim: Claim | None = None,
    ) -> T:
        """Run `work` in a writing transaction of one organization, commit, return its result.

        `work` is run again from its start when others overtook it, so it must have no
        effect but through the transaction. A `claim` is settled with the first statement, before
        anything else of the transaction is seen. Raises what `work` raises (after rolling back),
        `ipcraft.errors.Conflict` when a unique or foreign key still forbids the write,
        `ipcraft.errors.Contention` after too many runs, `ipcraft.errors.Unavailable` when
        the database cannot be used. Nothing is committed then; only an `Unavailable` that comes
        of the commit itself may mean that it is.
        """
        ...

    def read(
        self, organization_id: str, *, claim: Claim | None = None
    ) -> AbstractContextManager[Transaction]:
        """Open a reading transaction of one organization: all its queries see one state."""
        ...

    def look(
        self, organization_id: str, *, claim: Claim | None = None
    ) -> AbstractContextManager[Reader]:
        """Open a reader of one organization: each query sees the newest state, for itself.

        The cheapest way to read with one query, or with several that need not agree.
        """
        ...

    def transact_system(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` across organizations: for upkeep, never for a request."""
        ...

    def read_system(self) -> AbstractContextManager[Transaction]:
        """Open a reading transaction across organizations: recognizing a key, verifying."""
        ...

    def look_up(self, statement: Statement[T], /, **parameters: Any) -> T | None:
        """Run one query across organizations and give its first row: recognizing a key."""

    def check(self) -> str | None:
        """Return None when the database answers and is up to date, else why not."""

    def status(self) -> list[StorageStatus]:
        """Say which migration each plugin's tables are at."""
        ...

    def upgrade(self) -> list[StorageStatus]:
        """Bring every plugin's tables to the newest migration; return what was there before."""
        ...

    def close(self) -> None:
        """Close every connection."""


class StorageBackend(Protocol):
    """Open storages for the database URLs of its schemes."""

    @property
    def name(self) -> str:
        """Give the backend's name, unique among all plugins."""
        ...

    @property
    def schemes(self) -> tuple[str, ...]:
        """Give the URL schemes served, such as ``("sqlite",)``."""
        ...

    def open(
        self, url: str, *, migrations: Mapping[str, Migrations], recorder: Recorder
    ) -> Storage:
        """Make a storage. Connections open at first use, so that a process may fork before."""
        ...
