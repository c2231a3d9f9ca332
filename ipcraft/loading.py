"""Load the plugins: import, check, and build the frozen registry.

Whatever is wrong stops the start with a `PluginError` that names the plugin, its distribution and
version, the line in the plugin, and the line of `ipcraft.toml` that starts IPCraft without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar

import marshmallow

from ipcraft import hookspecs
from ipcraft.config import Settings
from ipcraft.conflicts import unique_tables
from ipcraft.contributions import Migrations
from ipcraft.discovery import Candidate, choose, discover, requirement_problem
from ipcraft.hooks import Hooks
from ipcraft.outlines import api_problem, outline, source_file
from ipcraft.registry import Given, Plugin, PluginError, Registry

T = TypeVar("T")

GUARDS = (
    "ipcraft_storage_backends",
    "ipcraft_auth_backends",
    "ipcraft_authorize",
    "ipcraft_plan",
    "ipcraft_before_change",
)
"""Hooks whose plugins are never left out: without them IPCraft would do what they forbid."""


def load_plugins(settings: Settings) -> Registry:
    """Load the plugins these settings choose. Raises `PluginError` and `ConfigError`.

    A broken plugin with ``required = false`` is left out and `degraded`, unless it guards.
    """
    return boot(settings, lambda registry: registry)


def boot(settings: Settings, build: Callable[[Registry], T]) -> T:
    """Load the plugins and build something of them, such as the application.

    When a plugin turns out broken, even in `build`, and may be left out, all is done again
    without it: nothing is ever built of half a plugin.
    """
    candidates = choose(discover(), settings)
    plugins = [_plugin(candidate, settings) for candidate in candidates]
    _refuse_equal_names(plugins, candidates)
    broken: dict[str, PluginError] = {}
    while True:
        try:
            return build(_load(plugins, candidates, settings=settings, broken=broken))
        except PluginError as error:
            if error.plugin.name in broken:
                raise
            _refuse_to_leave_out(error, settings)
            broken[error.plugin.name] = error


def _plugin(candidate: Candidate, settings: Settings) -> Plugin:
    return Plugin(
        candidate.name,
        candidate.distribution,
        candidate.version,
        candidate.module,
        file=source_file(candidate.module),
        remedy=settings.remedy(candidate.name),
    )


def _refuse_equal_names(plugins: Sequence[Plugin], candidates: Sequence[Candidate]) -> None:
    first: dict[str, Plugin] = {}
    for plugin, candidate in zip(plugins, candidates, strict=True):
        other = first.setdefault(plugin.name, plugin)
        if other is not plugin:
            raise PluginError(
                plugin,
                "has the name of another plugin, of the distribution "
                f"{other.distribution} {other.version}: uninstall one of the two",
                where=candidate.entry_point,
            )


def _refuse_to_leave_out(error: PluginError, settings: Settings) -> None:
    plugin = error.plugin
    if settings.required(plugin.name):
        raise error
    text = outline(plugin.module)
    guards = sorted({guard for hook in (*plugin.hooks, *text.hooks) for guard in _guard(hook)})
    if guards:
        why = f"it guards with {', '.join(guards)}"
    elif not (plugin.hooks or text.complete):
        why = "its text does not tell whether it guards"
    else:
        return
    raise PluginError(
        plugin, f"{error.problem}\nrequired = false does not leave it out: {why}", where=error.where
    ) from error


def _guard(hook: str) -> list[str]:
    """Give the guarding hook meant by this name, misspelled as it may be."""
    core = [name for name in vars(hookspecs) if name.startswith("ipcraft_")]
    return [name for name in get_close_matches(hook, core, n=1, cutoff=0.9) if name in GUARDS]


def _load(
    plugins: Sequence[Plugin],
    candidates: Sequence[Candidate],
    *,
    settings: Settings,
    broken: Mapping[str, PluginError],
) -> Registry:
    hooks = Hooks()
    everyone: list[Plugin] = []
    for plugin, candidate in zip(plugins, candidates, strict=True):
        if plugin.name in broken:
            problem = broken[plugin.name].problem
            everyone.append(replace(plugin, state="degraded", problem=problem))
        else:
            everyone.append(hooks.add(plugin, _imported(plugin, candidate)))
    hooks.offer()
    implementations = hooks.register()
    registry = Registry(tuple(everyone), implementations, relay=hooks.relay(implementations))
    migrations = registry.collect("ipcraft_migrations", kind=Migrations)
    schemas = registry.collect("ipcraft_config_schema", kind=type)
    return replace(
        registry,
        migrations=MappingProxyType(_migrations(migrations)),
        sections=MappingProxyType(_sections(registry, schemas, settings=settings)),
    )


def _imported(plugin: Plugin, candidate: Candidate) -> ModuleType:
    problem = requirement_problem(candidate)
    if ":" in candidate.module:
        problem = f"is the object {candidate.module}; expected a module"
    if problem:
        raise PluginError(plugin, problem, where=candidate.entry_point)
    try:
        module = import_module(candidate.module)
    except Exception as error:
        raise PluginError(
            plugin,
            f"cannot be imported: {type(error).__name__}: {error}",
            where=plugin.line_of(error) or candidate.entry_point,
        ) from error
    problem = api_problem(getattr(module, "API", None))
    if problem:
        line = outline(candidate.module).api_line
        raise PluginError(plugin, problem, where=f"{plugin.file}:{line}")
    return module


def _migrations(given: Sequence[Given[Migrations]]) -> dict[str, Migrations]:
    if not given:
        return {}
    # Imports SQLAlchemy: needed only where there are tables.
    from ipcraft.jobs.tables import metadata

    _refuse_several(given, "ipcraft_migrations")
    unique_tables(given, core=metadata.tables)
    return {each.plugin.name: each.value for each in given}


def _sections(
    registry: Registry, given: Sequence[Given[type]], *, settings: Settings
) -> dict[str, Mapping[str, object]]:
    _refuse_several(given, "ipcraft_config_schema")
    for each in given:
        if not issubclass(each.value, marshmallow.Schema):
            raise PluginError(
                each.plugin,
                f"returned {each.value!r} from ipcraft_config_schema; "
                "expected a marshmallow schema",
                where=each.where,
            )
    schemas = {each.plugin.name: each.value for each in given}
    loaded = [plugin.name for plugin in registry.plugins if plugin.state == "enabled"]
    checked = {
        name: settings.section(name, schemas.get(name, marshmallow.Schema)) for name in loaded
    }
    return {name: section for name, section in checked.items() if name in schemas}


def _refuse_several(given: Sequence[Given[Any]], hook: str) -> None:
    seen: set[str] = set()
    for each in given:
        if each.plugin.name in seen:
            raise PluginError(each.plugin, f"returned several values from {hook}", where=each.where)
        seen.add(each.plugin.name)
