"""Commands that ask a served IPCraft instead of the database."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from ipcraft.client import Client

P = ParamSpec("P")
R = TypeVar("R")

_PATIENCE = 5.0
"""Seconds for which a request is sent again: somebody waits at a terminal."""


def server_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options ``--url`` and ``--key``, and the client they make as `server`.

    It is None where no server is meant. With a server ``--org`` is refused: the key knows it.

    >>> @click.command()
    ... @server_options
    ... def folders(*, server: Client | None) -> None: ...
    """

    @click.option(
        "--url", envvar="IPCRAFT_URL", show_envvar=True, help="Ask this server, not the database."
    )
    @click.option(
        "--key", envvar="IPCRAFT_API_KEY", show_envvar=True, help="The API key for the server."
    )
    @wraps(command)
    def run(*args: object, url: str | None, key: str | None, **options: object) -> R:
        if url is None:
            return command(*args, server=None, **options)
        if key is None:
            raise click.UsageError("--url needs an API key: --key or IPCRAFT_API_KEY")
        if options.get("organization") is not None:
            raise click.UsageError("--org goes with the database; a server knows it from the key")
        with Client(url, key=key, patience=_PATIENCE) as server:
            return command(*args, server=server, **options)

    return run
