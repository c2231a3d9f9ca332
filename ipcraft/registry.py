"""The frozen registry: which plugins are loaded and what each one gave."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast, overload

from ipcraft.errors import StartError
from ipcraft.relay import Relay

if TYPE_CHECKING:
    from ipcraft.contributions import Migrations

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plugin:
    """Describe a plugin that was to be loaded."""

    name: str
    distribution: str
    version: str
    module: str
    state: Literal["enabled", "degraded"] = "enabled"
    hooks: tuple[str, ...] = ()
    """Names of the hooks it implements, sorted."""
    problem: str | None = None
    """Why it is degraded: broken, not required, and left out."""
    file: str | None = field(default=None, repr=False)
    """The file of its module."""
    remedy: str = field(default="", repr=False)
    """What starts IPCraft without it."""

    def line_of(self, error: BaseException) -> str | None:
        """Give the file and line of the plugin where an error was raised last, if it passed one."""
        if isinstance(error, SyntaxError) and self._owns(error.filename):
            return f"{error.filename}:{error.lineno}"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [
            f"{frame.filename}:{frame.lineno}" for frame in frames if self._owns(frame.filename)
        ]
        return lines[-1] if lines else None

    def _owns(self, filename: str | None) -> bool:
        if self.file is None or filename is None:
            return False
        file = Path(self.file)
        return file == Path(filename) or (
            file.name == "__init__.py" and file.parent in Path(filename).parents
        )


class PluginError(StartError):
    """Refuse a plugin: who it is, where in it the fault is, and how to start without it."""

    def __init__(self, plugin: Plugin, problem: str, *, where: str | None = None) -> None:
        source = f"{plugin.distribution} {plugin.version}" + (f", {where}" if where else "")
        super().__init__(
            f"plugin {plugin.name} ({source}) {problem}\nTo start without it, {plugin.remedy}"
        )
        self.plugin = plugin
        self.problem = problem
        self.where = where


@dataclass(frozen=True, slots=True)
class Implementation:
    """Hold one plugin's function for one hook."""

    plugin: Plugin
    hook: str
    function: Callable[..., object]
    arguments: tuple[str, ...]
    """Names of the hook's arguments the function takes, in its order."""

    @property
    def where(self) -> str:
        """Give the function's file and line."""
        return line_of_function(self.function)

    def call(self, arguments: Mapping[str, object]) -> object:
        """Call the function at boot. Whatever it raises names the plugin."""
        chosen = [arguments[name] for name in self.arguments]
        try:
            return self.function(*chosen)
        except StartError:
            raise
        except Exception as error:
            raise PluginError(
                self.plugin,
                f"failed in {self.hook}: {type(error).__name__}: {error}",
                where=self.plugin.line_of(error) or self.where,
            ) from error


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """Hold one value a plugin gave, and who gave it."""

    plugin: Plugin
    value: T
    where: str
    """File and line of the function that gave it."""


@dataclass(frozen=True, slots=True)
class Registry:
    """Know the plugins of this process and their implementations of every hook."""

    plugins: tuple[Plugin, ...] = ()
    """The plugins in their order, degraded ones included."""
    implementations: Mapping[str, tuple[Implementation, ...]] = field(
        default_factory=dict, repr=False
    )
    """For each hook there is, its implementations in the order of the plugins."""
    relay: Relay = field(default_factory=Relay, repr=False)
    """The hooks that run with requests."""
    migrations: Mapping[str, Migrations] = field(default_factory=dict, repr=False)
    """The tables of each plugin that has some."""
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    """The settings of each plugin, typed and checked."""

    @property
    def degraded(self) -> Mapping[str, str]:
        """Say of each plugin that was left out, being broken and not required, why."""
        return {plugin.name: plugin.problem for plugin in self.plugins if plugin.problem}

    @overload
    def collect(
        self, hook: str, /, *, kind: None = None, **arguments: object
    ) -> tuple[Given[object], ...]: ...

    @overload
    def collect(
        self, hook: str, /, *, kind: Callable[..., T], **arguments: object
    ) -> tuple[Given[T], ...]: ...

    def collect(
        self, hook: str, /, *, kind: Callable[..., Any] | None = None, **arguments: object
    ) -> tuple[Given[Any], ...]:
        """Call every implementation of a boot hook; give what they returned, one by one.

        A returned list or tuple stands for its items. Each value must be of the `kind`: an
        instance of the class or, for a Protocol, an object with its members. Without `kind`
        anything goes, and None is nothing. Raises `PluginError` for a value of another kind and
        for an error in the plugin, `KeyError` for a hook nobody offers.

        >>> registry.collect("ipcraft_routes", kind=Route, app=app)  # doctest: +SKIP
        """
        given: list[Given[Any]] = []
        for implementation in self.implementations[hook]:
            returned = implementation.call(arguments)
            values = returned if isinstance(returned, list | tuple) else [returned]
            for value in values:
                if kind is None and value is None:
                    continue
                given.append(_checked(implementation, value, kind))
        return tuple(given)

    def named(
        self,
        hook: str,
        /,
        *,
        kind: Callable[..., T],
        core: Iterable[str] = (),
        **arguments: object,
    ) -> Mapping[str, T]:
        """Collect values that have a `name`, by it. Raises `PluginError` when two have one name.

        `core` are names the core has taken itself.
        """
        given: tuple[Given[Any], ...] = self.collect(hook, kind=kind, **arguments)
        what = f"{hook.removeprefix('ipcraft_').removesuffix('s').replace('_', ' ')} named"
        unique(given, key=lambda value: cast(str, value.name), what=what, core=core)
        return {each.value.name: each.value for each in given}


def unique(
    given: Iterable[Given[T]],
    *,
    key: Callable[[T], Hashable],
    what: str,
    core: Iterable[Hashable] = (),
    show: Callable[[T], str] | None = None,
) -> tuple[Given[T], ...]:
    """Give the values back. Raises `PluginError` naming both plugins when two have one key.

    `what` is what the key is of, such as ``"route"``; `core` are keys the core has taken itself;
    `show` spells a value for a person, if the key would not do.
    """
    given = tuple(given)
    taken: dict[Hashable, str] = dict.fromkeys(core, "IPCraft itself")
    for each in given:
        mark = key(each.value)
        if mark in taken:
            shown = show(each.value) if show else mark
            raise PluginError(
                each.plugin, f"gives a {what} {shown}, as does {taken[mark]}", where=each.where
            )
        taken[mark] = f"plugin {each.plugin.name} ({each.where})"
    return given


def line_of_function(function: Callable[..., object]) -> str:
    """Give the file and line of a function's definition, its decorators included."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _checked(
    implementation: Implementation, value: object, kind: Callable[..., T] | None
) -> Given[T]:
    misfit = None if kind is None else _misfit(value, kind)
    if misfit:
        raise PluginError(
            implementation.plugin,
            f"returned {value!r:.80} from {implementation.hook}; {misfit}",
            where=implementation.where,
        )
    return Given(implementation.plugin, cast(T, value), implementation.where)


def _misfit(value: object, kind: Callable[..., object]) -> str | None:
    """Say what was expected instead of the value, or None if it is of the kind."""
    assert isinstance(kind, type)
    if Protocol not in kind.__bases__:
        return None if isinstance(value, kind) else f"expected {kind.__name__}"
    if isinstance(value, type):
        return f"expected {kind.__name__}, an object and not its class"
    for name, member in _members(kind).items():
        if not hasattr(value, name):
            return f"expected {kind.__name__}, which has {name}"
        if inspect.isfunction(member) and not callable(getattr(value, name)):
            return f"expected {kind.__name__}, whose {name} can be called"
    return None


def _members(protocol: type) -> Mapping[str, object]:
    """Give the public members of a Protocol, inherited ones included."""
    members: dict[str, object] = {}
    for parent in reversed(protocol.__mro__):
        if Protocol in parent.__bases__:
            members |= dict.fromkeys(inspect.get_annotations(parent))
            members |= vars(parent)
    return {name: member for name, member in members.items() if not name.startswith("_")}
