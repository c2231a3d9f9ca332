"""Hooks that the network tools offer to other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipcraft.plugin import Application, hookspec

if TYPE_CHECKING:
    from ipcraft_nettools.tools import NetworkTool


@hookspec
def ipcraft_network_tools(app: Application) -> Sequence[NetworkTool]:
    """Give tools. Each gets a route, ``GET /api/v1/tools/NAME``, and ``ipcraft tool NAME``.

    Called once at boot. A name given twice stops the boot. With the route come the limit of
    requests per client, the guard over targets, a deadline, a bound on how much is answered and
    on how many tools run at once, and a memory for answers that say how long they hold.

    >>> from marshmallow import fields
    >>> from ipcraft_nettools import Finding, NetworkTool, Parameters
    >>> class Words(Parameters):
    ...     text = fields.String(required=True)
    >>> def count(values, call):
    ...     return Finding({"words": len(values["text"].split())}, ttl=60)
    >>> NetworkTool(name="words", summary="Count words.", parameters=Words, run=count).name
    'words'
    """
    raise NotImplementedError
