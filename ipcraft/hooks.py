"""The hooks there are, and the checks of every function that implements one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from types import MappingProxyType, ModuleType
from typing import Any

import pluggy

from ipcraft import hookspecs
from ipcraft.registry import Implementation, Plugin, PluginError, line_of_function
from ipcraft.relay import Relay
from ipcraft.spelling import did_you_mean

_OPTIONS = ("wrapper", "hookwrapper", "tryfirst", "trylast")
_CORE = "IPCraft itself"


@dataclass(frozen=True, slots=True)
class _Marked:
    """Hold a function of a plugin that is marked as an implementation of a hook."""

    hook: str
    function: Callable[..., object]
    options: Mapping[str, object]


class Hooks:
    """Gather the hooks there are and who implements them; refuse what does not fit."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("ipcraft")
        self._plugins: dict[str, Plugin] = {}
        self._modules: dict[str, ModuleType] = {}
        self._offered: dict[str, str] = {}
        self._add_specs(hookspecs, _CORE)

    def add(self, plugin: Plugin, module: ModuleType) -> Plugin:
        """Take in an imported plugin; give it back with the names of its hooks."""
        for name, other in self._modules.items():
            if other is module:
                raise PluginError(
                    plugin, f"is the same module as plugin {name}", where=f"{plugin.file}:1"
                )
        hooks = sorted({marked.hook for marked in self._marked(module)})
        plugin = replace(plugin, hooks=tuple(hooks))
        self._plugins[plugin.name] = plugin
        self._modules[plugin.name] = module
        return plugin

    def offer(self) -> None:
        """Add the hooks that plugins offer to each other."""
        for name, plugin in self._plugins.items():
            for marked in self._marked(self._modules[name]):
                if marked.hook == "ipcraft_hookspecs":
                    self._check(plugin, marked)
                    self._offer(Implementation(plugin, marked.hook, marked.function, ()))

    def register(self) -> Mapping[str, tuple[Implementation, ...]]:
        """Check every implementation; give them by hook, in the order of the plugins."""
        for name, plugin in self._plugins.items():
            module = self._modules[name]
            for marked in self._marked(module):
                self._check(plugin, marked)
            self._refuse_unmarked(plugin, module)
            self._manager.register(module, name)
        return MappingProxyType(
            {
                hook: tuple(
                    Implementation(
                        self._plugins[each.plugin_name], hook, each.function, tuple(each.argnames)
                    )
                    for each in self._caller(hook).get_hookimpls()
                )
                for hook in self._offered
            }
        )

    def relay(self, implementations: Mapping[str, tuple[Implementation, ...]]) -> Relay:
        """Make the facade of the hooks that run with requests."""

        def functions(hook: str) -> tuple[Callable[..., Any], ...]:
            arguments = self._arguments(hook)
            return tuple(_taking(arguments, each) for each in implementations[hook])

        return Relay(
            authorizers=functions("ipcraft_authorize"),
            plans=functions("ipcraft_plan"),
            before=functions("ipcraft_before_change"),
            after=functions("ipcraft_after_change"),
        )

    def _offer(self, implementation: Implementation) -> None:
        plugin, where = implementation.plugin, implementation.where
        specs = implementation.call({})
        if not isinstance(specs, ModuleType):
            problem = f"returned {specs!r:.80} from ipcraft_hookspecs; expected a module"
            raise PluginError(plugin, problem, where=where)
        names = self._specs(specs)
        if not names:
            problem = f"offers {specs.__name__}, which has no function marked with hookspec"
            raise PluginError(plugin, problem, where=where)
        for name in names:
            where = line_of_function(getattr(specs, name))
            if name in self._offered:
                problem = f"offers the hook {name}, as does {self._offered[name]}"
                raise PluginError(plugin, problem, where=where)
            if not name.startswith("ipcraft_"):
                problem = f"offers the hook {name}, whose name does not begin with ipcraft_"
                raise PluginError(plugin, problem, where=where)
        self._add_specs(specs, f"plugin {plugin.name} ({specs.__file__})")

    def _add_specs(self, specs: ModuleType, owner: str) -> None:
        self._manager.add_hookspecs(specs)
        self._offered |= dict.fromkeys(self._specs(specs), owner)

    def _specs(self, module: ModuleType) -> list[str]:
        parse = self._manager.parse_hookspec_opts
        return [name for name in dir(module) if parse(module, name) is not None]

    def _marked(self, module: ModuleType) -> Iterator[_Marked]:
        for name in dir(module):
            options = self._manager.parse_hookimpl_opts(module, name)
            if options is not None:
                yield _Marked(options.get("specname") or name, getattr(module, name), {**options})

    def _check(self, plugin: Plugin, marked: _Marked) -> None:
        hook, function = marked.hook, marked.function
        if hook in self._offered:
            problem = _form_problem(marked) or _argument_problem(marked, self._arguments(hook))
        elif marked.options.get("optionalhook"):
            problem = _form_problem(marked)
        else:
            problem = f"implements {hook}, which is no hook{did_you_mean(hook, self._offered)}"
        if problem:
            raise PluginError(plugin, problem, where=line_of_function(function))

    def _refuse_unmarked(self, plugin: Plugin, module: ModuleType) -> None:
        specs = set(self._specs(module))
        implementations = {marked.function for marked in self._marked(module)}
        for name, value in vars(module).items():
            if name not in self._offered or name in specs or not inspect.isfunction(value):
                continue
            if value not in implementations:
                raise PluginError(
                    plugin,
                    f"has a function {name} that is not marked with @hookimpl, "
                    "so it would never be called",
                    where=line_of_function(value),
                )

    def _caller(self, hook: str) -> pluggy.HookCaller:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller

    def _arguments(self, hook: str) -> tuple[str, ...]:
        spec = self._caller(hook).spec
        return tuple(spec.argnames) if spec else ()


def _form_problem(marked: _Marked) -> str | None:
    function = marked.function
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return f"implements {marked.hook} with async def; hooks are plain functions"
    chosen = [option for option in _OPTIONS if marked.options.get(option)]
    if chosen:
        return (
            f"implements {marked.hook} with {chosen[0]}; "
            "hooks run in the order of the plugins, and none wraps another"
        )
    return None


def _argument_problem(marked: _Marked, offered: Sequence[str]) -> str | None:
    for name, parameter in inspect.signature(marked.function).parameters.items():
        if name not in offered:
            gives = f"gives {', '.join(offered)}" if offered else "gives no arguments"
            return (
                f'takes an argument "{name}" in {marked.hook}, which {gives}'
                f"{did_you_mean(name, offered)}"
            )
        if (
            parameter.kind is not parameter.POSITIONAL_OR_KEYWORD
            or parameter.default is not parameter.empty
        ):
            return (
                f'takes the argument "{name}" of {marked.hook} with a default, a star or '
                "by keyword only; hooks give plain arguments"
            )
    return None


def _taking(arguments: tuple[str, ...], implementation: Implementation) -> Callable[..., Any]:
    """Give the implementation as a function of all its hook's arguments."""
    function = implementation.function
    if implementation.arguments == arguments:
        return function
    places = [arguments.index(name) for name in implementation.arguments]
    if len(places) > 1:  # PERF: an itemgetter is no Python, a list of them is
        pick = itemgetter(*places)
        return lambda *given: function(*pick(given))
    return lambda *given: function(*[given[place] for place in places])
