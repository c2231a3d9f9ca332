"""What the plugin gives an application: the parts of it put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ipcraft.plugin import Application, RateLimit, Route, StartError, did_you_mean
from ipcraft_nettools.name_lookups import address_tool, name_tool
from ipcraft_nettools.reachability import PING, SCAN
from ipcraft_nettools.request_mirror import MY_HEADERS, MY_IP
from ipcraft_nettools.resolvers import Resolver
from ipcraft_nettools.resources import Tool
from ipcraft_nettools.running import Runner
from ipcraft_nettools.tools import NetworkTool
from ipcraft_nettools.whois_lookup import whois_tool
from ipcraft_nettools.whois_servers import WhoisServer

_PATH = "/api/v1/tools"
_MINUTE = 60


def built_in_tools(app: Application) -> Sequence[NetworkTool]:
    """Give the seven documented tools, as the settings have them."""
    section: Mapping[str, Any] = app.section("nettools")
    resolvers = [Resolver.of(text) for text in section["resolvers"]]
    return [
        name_tool(resolvers),
        address_tool(resolvers),
        whois_tool(
            WhoisServer.of(section["whois_server"]),
            registries=[WhoisServer.of(text) for text in section["whois_registries"]],
        ),
        PING,
        SCAN,
        MY_IP,
        MY_HEADERS,
    ]


def enabled_tools(app: Application) -> Mapping[str, NetworkTool]:
    """Give every plugin's tools that are not switched off, by their names.

    Raises `StartError` when one is switched off that does not exist.
    """
    given = app.registry.named("ipcraft_network_tools", kind=NetworkTool, app=app)
    section: Mapping[str, Any] = app.section("nettools")
    disabled: Sequence[str] = section["disable"]
    for name in disabled:
        if name not in given:
            raise StartError(
                f"[plugins.nettools] disable: there is no tool {name}"
                f"{did_you_mean(name, given)} (known: {', '.join(given)})"
            )
    return {name: tool for name, tool in given.items() if name not in disabled}


def runner(app: Application) -> Runner:
    """Make what runs tools, within the bounds of the settings."""
    section: Mapping[str, Any] = app.section("nettools")
    return Runner(app, concurrency=section["concurrency"])


def routes(app: Application) -> Sequence[Route]:
    """Give each tool its route; all count against one limit."""
    section: Mapping[str, Any] = app.section("nettools")
    limit = RateLimit(name="tools", requests=section["requests_per_minute"], seconds=_MINUTE)
    running = runner(app)
    return [
        Route(f"{_PATH}/{name}", Tool(app, running, tool), public=section["public"], limit=limit)
        for name, tool in enabled_tools(app).items()
    ]
