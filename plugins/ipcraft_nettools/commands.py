"""``ipcraft tool``: the tools from the operator's own terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from marshmallow import fields

from ipcraft.plugin import Application, Invocation
from ipcraft_nettools.services import enabled_tools, runner
from ipcraft_nettools.tools import NetworkTool

_CONTROLS = {
    code: f"\\u{code:04x}"
    for code in (*range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
"""What JSON leaves as it is and a terminal obeys: C1 controls, and those of the direction."""


class _Tools(click.Group):
    """Give each tool its command; the application knows which there are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names of the tools."""
        return sorted(_tools(_application(ctx)))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a tool."""
        tool = _tools(_application(ctx)).get(cmd_name)
        return None if tool is None else _command(tool)


@click.group("tool", cls=_Tools)
def tool_commands() -> None:
    """Run a network tool, and print what it finds as JSON.

    The guard over targets is that of the API: `allowed_networks` says what else may be reached.
    """


def _application(ctx: click.Context) -> Application:
    invocation = ctx.find_object(Invocation)
    if invocation is None:
        raise TypeError("the context's obj is no Invocation: run the command below `ipcraft`")
    return invocation.open()


def _tools(app: Application) -> Mapping[str, NetworkTool]:
    """Give the tools that need no request."""
    found = enabled_tools(app)
    return {name: tool for name, tool in found.items() if not tool.about_request}


def _command(tool: NetworkTool) -> click.Command:
    def run(**texts: str | None) -> None:
        app = _application(click.get_current_context())
        given = {name: text for name, text in texts.items() if text is not None}
        answer = runner(app).run(tool, given, None)
        found = json.dumps(json.loads(answer.data), ensure_ascii=False, indent=2)
        click.echo(found.translate(_CONTROLS))

    shown = tool.parameters().fields.items()
    parameters = [_parameter(name, field) for name, field in shown]
    return click.Command(tool.name, params=parameters, callback=run, help=tool.summary)


def _parameter(name: str, field: fields.Field[Any]) -> click.Parameter:
    """Make an argument of what is required, in its order, and an option of anything else."""
    if field.required:
        return click.Argument([name], metavar=name.upper())
    option = f"--{name.replace('_', '-')}"
    help_text = field.metadata.get("description")
    return click.Option([option, name], metavar=name.upper(), help=help_text)
