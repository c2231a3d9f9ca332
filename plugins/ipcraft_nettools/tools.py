"""Tools: a name, parameters, and what is done with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ipcraft_nettools.calls import Call
from ipcraft_nettools.parameters import Parameters

DEADLINE = 9.0
"""Seconds that a run may take unless the tool says otherwise: an answer is there within ten."""

_NAME = re.compile("[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold what a run found.

    `ttl` are the seconds for which it holds: until then who asks the same gets the same. Without
    it everybody gets an answer of their own.
    """

    body: Mapping[str, Any]
    ttl: float | None = None


Run = Callable[[Mapping[str, Any], Call], Finding]
"""Run with the parameters, read and checked, and the way to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTool:
    """Describe a tool.

    `name` is the last word of its path and of its command, `summary` a sentence about what it
    does, `answer` the type of what it finds, a TypedDict. `parameters` reads what it is asked:
    on the command line those that are required are arguments, in their order, and the others
    options. `run` waits only through its call, or until the call's deadline, which is `deadline`
    seconds away. A tool `about_request` tells of the request itself and so has no command.
    """

    name: str
    summary: str
    parameters: type[Parameters]
    run: Run
    answer: Any = dict[str, Any]
    deadline: float = DEADLINE
    about_request: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a tool's name is of a-z, 0-9 and hyphens, not {self.name!r}")
