"""What two plugins cannot both have: a route, a table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from ipcraft.registry import Given, PluginError, unique

if TYPE_CHECKING:
    from ipcraft.contributions import Migrations, Route

_VARIABLE = re.compile(r"\{[^}]*\}")


def unique_routes(given: Iterable[Given[Route]], *, core: Iterable[str] = ()) -> list[Route]:
    """Give the routes back. Raises `PluginError` when two cannot stand beside each other.

    Paths that differ only in the names of variables are one path. Falcon also wants a variable
    to have the same name and converter in all paths that share it; that is checked here, where
    the plugins are known. `core` are the core's own paths.
    """
    given, core = tuple(given), tuple(core)
    unique(
        given,
        key=lambda route: _shape(route.path),
        what="route",
        core=map(_shape, core),
        show=lambda route: route.path,
    )
    variables = {
        _shape(prefix): (prefix, "IPCraft itself") for path in core for prefix in _prefixes(path)
    }
    for each in given:
        for prefix in _prefixes(each.value.path):
            source = f"plugin {each.plugin.name} ({each.where})"
            spelled, owner = variables.setdefault(_shape(prefix), (prefix, source))
            if spelled != prefix:
                raise PluginError(
                    each.plugin,
                    f"gives a route {each.value.path}, whose {prefix} is {spelled} in {owner}: "
                    "a variable has one name and one converter in all paths",
                    where=each.where,
                )
    return [each.value for each in given]


def unique_tables(given: Iterable[Given[Migrations]], *, core: Iterable[str] = ()) -> None:
    """Raise `PluginError` when two plugins, or one and the core, have a table of one name."""
    tables = [
        Given(each.plugin, name, each.where)
        for each in given
        for name in each.value.metadata.tables
    ]
    unique(tables, key=str.lower, what="table", core=core, show=str)


def _prefixes(path: str) -> list[str]:
    """Give the path's own beginnings whose last segment holds a variable."""
    beginnings = accumulate(path.split("/"), lambda start, segment: f"{start}/{segment}")
    return [start for start in beginnings if "{" in start.rpartition("/")[2]]


def _shape(path: str) -> str:
    return _VARIABLE.sub("{}", path)
