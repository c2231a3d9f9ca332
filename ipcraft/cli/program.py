"""The main command: its options, the core's commands, and those of the plugins."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import click

from ipcraft import __version__
from ipcraft.cli.context import Invocation
from ipcraft.config import Settings, load_settings
from ipcraft.errors import IPCraftError, StartError

_CORE = {
    "db": "ipcraft.cli.database",
    "jobs": "ipcraft.cli.jobs",
    "plugins": "ipcraft.cli.plugins",
    "serve": "ipcraft.cli.serve",
}


class Program(click.Group):
    """Find commands when they are asked for: the core's own first, without loading plugins."""

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Give ``--help``, which comes after the options that say what there is to help with."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.is_eager = False
        return option

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of all commands; a plugin that does not load leaves the core's."""
        invocation = _invocation(ctx)
        names = set(_CORE)
        if not invocation.safe_mode:
            try:
                names.update(invocation.commands(core=tuple(_CORE)))
            except StartError as error:
                click.echo(f"The commands of plugins are missing: {error}\n", err=True)
        return sorted(names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command, importing plugins only for one that is not the core's."""
        if cmd_name in _CORE:
            return cast(click.Command, import_module(_CORE[cmd_name]).command)
        invocation = _invocation(ctx)
        if invocation.safe_mode:
            return None
        given = invocation.commands(core=tuple(_CORE)).get(cmd_name)
        return given.command if given else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command the arguments begin with."""
        if _invocation(ctx).safe_mode and args[0] not in _CORE:
            known = ", ".join(sorted(_CORE))
            ctx.fail(f"In safe mode there is no command {args[0]!r}, only {known}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. What IPCraft refuses is a message and status 1."""
        ctx.call_on_close(_invocation(ctx).close)
        try:
            return super().invoke(ctx)
        except IPCraftError as error:
            raise click.ClickException(str(error)) from error


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--database",
    metavar="URL",
    is_eager=True,
    help="The database: sqlite:///FILE or postgresql://...",
)
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    is_eager=True,
    help="The settings, instead of ipcraft.toml in the working folder.",
)
@click.option("--safe-mode", is_flag=True, is_eager=True, help="Load no plugin.")
@click.version_option(__version__, prog_name="ipcraft")
def program(**options: object) -> None:
    """IP address management."""


def _invocation(ctx: click.Context) -> Invocation:
    invocation = ctx.find_object(Invocation)
    if invocation is None:
        options = dict(ctx.params)
        invocation = Invocation(
            lambda: _settings(options), safe_mode=bool(options.get("safe_mode"))
        )
        ctx.obj = invocation
    return invocation


def _settings(options: dict[str, Any]) -> Settings:
    database = options.get("database")
    overrides = {"database_url": database} if database else {}
    return load_settings(path=options.get("config"), overrides=overrides)
