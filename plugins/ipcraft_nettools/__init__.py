"""Network tools: look-ups and checks that anybody may ask for, and the hook that adds more."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from ipcraft.plugin import Application, Command, Route, Schema, hookimpl
from ipcraft_nettools import hookspecs
from ipcraft_nettools.calls import Asker, Call
from ipcraft_nettools.commands import tool_commands
from ipcraft_nettools.parameters import DomainName, HostName, HostOrAddress, IPAddress, Parameters
from ipcraft_nettools.schemas import ToolSettings
from ipcraft_nettools.services import built_in_tools, routes
from ipcraft_nettools.tools import Finding, NetworkTool

API = 1

__all__ = [
    "API",
    "Asker",
    "Call",
    "DomainName",
    "Finding",
    "HostName",
    "HostOrAddress",
    "IPAddress",
    "NetworkTool",
    "Parameters",
]


@hookimpl
def ipcraft_hookspecs() -> ModuleType:
    """Offer `ipcraft_network_tools`."""
    return hookspecs


@hookimpl
def ipcraft_config_schema() -> type[Schema]:
    """Give the settings of the tools."""
    return ToolSettings


@hookimpl
def ipcraft_network_tools(app: Application) -> Sequence[NetworkTool]:
    """Give `dns`, `rdns`, `whois`, `ping`, `ports`, `myip` and `headers`."""
    return built_in_tools(app)


@hookimpl
def ipcraft_routes(app: Application) -> Sequence[Route]:
    """Serve every plugin's tools."""
    return routes(app)


@hookimpl
def ipcraft_commands() -> Sequence[Command]:
    """Add ``ipcraft tool``."""
    return [Command(tool_commands)]
