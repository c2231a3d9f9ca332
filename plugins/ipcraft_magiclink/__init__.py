"""Magic links: signing in with nothing but a mailbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipcraft.plugin import Application, Change, Job, Migrations, Route, Transaction, hookimpl
from ipcraft_magiclink.delivery import follow_invitation, jobs
from ipcraft_magiclink.links import VERIFY
from ipcraft_magiclink.resources import SendLink, Verify
from ipcraft_magiclink.tables import metadata

API = 1


@hookimpl
def ipcraft_migrations() -> Migrations:
    """Give the tables of links and of invitations to be mailed."""
    return Migrations(metadata, Path(__file__).parent / "migrations")


@hookimpl
def ipcraft_jobs(app: Application) -> Sequence[Job]:
    """Give the jobs that mail links, and those that look after what is left."""
    return jobs(app)


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve asking for a link, and coming back with it."""
    return [
        Route("/api/v1/auth/send-link", SendLink(app), public=True),
        Route(VERIFY, Verify(app), public=True),
    ]


@hookimpl
def ipcraft_serving(app: Application, url: str, embedded: bool) -> Sequence[str]:  # noqa: FBT001
    """Let links lead to what is served, unless another public URL is configured."""
    if app.settings.public_url or embedded:
        return []
    return [f"Links lead to {url}: set IPCRAFT_PUBLIC_URL to where people reach this server"]


@hookimpl
def ipcraft_after_change(change: Change, tx: Transaction, app: Application) -> None:
    """Have invitations mailed."""
    follow_invitation(change, tx, app)
