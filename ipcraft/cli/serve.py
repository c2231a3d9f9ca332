"""``ipcraft serve``: from an empty folder to a server that answers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import click

from ipcraft.cli.context import Invocation, bring_up_to_date, is_embedded
from ipcraft.errors import StartError
from ipcraft.logs import configure_logs
from ipcraft.public_address import remember_served

if TYPE_CHECKING:
    from ipcraft.config import Settings

_MOST_WORKERS = 4
_BACKLOG = 2048
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def _default_workers() -> int:
    return min(os.cpu_count() or 1, _MOST_WORKERS)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=_default_workers,
    show_default=f"one for each processor, at most {_MOST_WORKERS}",
    help="How many processes answer.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="How many requests a process answers at once.",
)
@click.pass_obj
def command(invocation: Invocation, *, host: str, port: int, workers: int, threads: int) -> None:
    """Serve the API.

    A database that is a file is made and brought up to date first.
    """
    settings = invocation.settings
    configure_logs(level=settings.log_level, form=settings.log_format)
    with _bind(host, port) as listener:
        url = _url(listener)
        app = invocation.open()
        app.key_for("start")  # a missing secret stops the start, and no request
        remember_served(url)
        embedded = is_embedded(app.storage)
        bring_up_to_date(app.storage, only_new=False)
        notes = app.registry.collect(
            "ipcraft_serving", kind=str, app=app, url=url, embedded=embedded
        )
        # A connection does not survive the fork into workers; each opens its own.
        invocation.close()
        _run(
            settings,
            listener,
            workers=workers,
            threads=threads,
            greeting="\n".join([f"IPCraft serves {url}", *(note.value for note in notes)]),
        )


def _run(
    settings: Settings, listener: socket.socket, *, workers: int, threads: int, greeting: str
) -> None:
    # Imported late: it brings gunicorn.
    from ipcraft.cli.workers import Workers

    Workers(
        settings,
        listener,
        workers=workers,
        threads=threads,
        ready=lambda: click.echo(greeting),
    ).run()


def _bind(host: str, port: int) -> socket.socket:
    """Take the port before anything is made, so that a taken one leaves nothing behind."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"cannot listen on {host}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Two servers may bind a port; only one may listen.
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise StartError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


def _url(listener: socket.socket) -> str:
    """Give the address a client on this machine uses."""
    name: tuple[str, int] = listener.getsockname()[:2]
    host, port = _EVERYWHERE.get(name[0], name[0]), name[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
