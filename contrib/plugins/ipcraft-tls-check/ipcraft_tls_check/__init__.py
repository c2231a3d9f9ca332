"""A network tool that looks at a server's TLS certificate: whose it is, until when, and whether
browsers would take it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipcraft.plugin import Application, hookimpl
from ipcraft_nettools import NetworkTool
from ipcraft_tls_check.check import tls_tool

API = 1


@hookimpl
def ipcraft_network_tools(app: Application) -> Sequence[NetworkTool]:
    """Give the tool `tls`."""
    return [tls_tool(app)]
