"""Which plugins are installed and which are chosen, without importing any.

``ipcraft plugins`` and ``ipcraft --safe-mode`` stand on this module, so they work when a plugin
is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from typing import Literal

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import ipcraft
from ipcraft.config import ConfigError, Settings
from ipcraft.outlines import outline
from ipcraft.spelling import did_you_mean

GROUP = "ipcraft.plugins"
"""The group of the entry points that name plugins."""

BUILT_IN = (
    "sqlite",
    "postgresql",
    "local",
    "redis",
    "accounts",
    "magiclink",
    "apikeys",
    "ipam",
    "plans",
    "stripe",
    "activity",
    "webhooks",
    "nettools",
    "docs",
    "interchange",
)
"""The order of the built-in plugins, as setup.cfg lists them.

It is written down here too because setuptools sorts entry points by name when it installs them.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Describe an installed plugin."""

    name: str
    distribution: str
    version: str
    module: str
    """What the entry point names: should be a module."""
    requires: tuple[str, ...] = field(default=(), repr=False)
    """The distribution's ``Requires-Dist`` lines."""
    entry_point: str | None = field(default=None, repr=False)
    """The file and line of the entry point."""

    @property
    def builtin(self) -> bool:
        """Tell whether the plugin comes with IPCraft itself."""
        return canonicalize_name(self.distribution) == "ipcraft"


@dataclass(frozen=True, slots=True)
class Listing:
    """Show a plugin to the operator."""

    name: str
    distribution: str
    version: str
    state: Literal["enabled", "disabled", "missing"]
    hooks: tuple[str, ...] = ()
    problem: str | None = None
    """Why it will not load, as far as that can be told without importing it."""


def discover() -> tuple[Candidate, ...]:
    """Find the installed plugins: the built-in ones in their order, then all others."""
    found = [
        _candidate(entry.name, entry.value, entry.dist)
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    ]
    return _ordered(found, BUILT_IN, ())


def choose(candidates: Iterable[Candidate], settings: Settings) -> tuple[Candidate, ...]:
    """Pick the plugins to load, in order: built-in ones unless disabled, then those enabled.

    Two may still have one name. Raises `ConfigError` for the name of a plugin that is not
    installed, wherever the settings have one.
    """
    candidates = tuple(candidates)
    installed = {candidate.name for candidate in candidates}
    for key, names in (("enable", settings.plugins), ("disable", settings.disabled)):
        for name in names:
            if name not in installed:
                raise ConfigError(_not_installed(f"[plugins] {key}", name, installed))
    for name in settings.sections:
        if name not in installed:
            raise ConfigError(_not_installed(f"[plugins.{name}]", name, installed))
    return tuple(
        candidate
        for candidate in _ordered(candidates, BUILT_IN, settings.plugins)
        if _enabled(candidate, settings)
    )


def survey(settings: Settings) -> tuple[Listing, ...]:
    """List all plugins: those that load in their order, the others, and those not installed.

    Imports no plugin and complains about nothing: what is wrong is in each `Listing`.
    """
    candidates = discover()
    installed = {candidate.name for candidate in candidates}
    wanted = dict.fromkeys((*settings.plugins, *settings.disabled, *settings.sections))
    listings = [
        _listing(candidate, settings)
        for candidate in _ordered(candidates, BUILT_IN, settings.plugins)
    ]
    return (
        *(listing for listing in listings if listing.state == "enabled"),
        *(listing for listing in listings if listing.state == "disabled"),
        *(
            Listing(name, "", "", "missing", problem="is not installed")
            for name in wanted
            if name not in installed
        ),
    )


def requirement_problem(candidate: Candidate) -> str | None:
    """Say which of the distribution's requirements this IPCraft does not meet, or None."""
    for line in candidate.requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            return f"has a requirement that cannot be read: {line}: {error}"
        if canonicalize_name(requirement.name) != "ipcraft":
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(ipcraft.__version__, prereleases=True):
            return f"requires {requirement}, and this is IPCraft {ipcraft.__version__}"
    return None


def _candidate(name: str, value: str, distribution: Distribution) -> Candidate:
    return Candidate(
        name=name,
        distribution=distribution.metadata["Name"],
        version=distribution.version,
        module=value.partition("[")[0].strip(),
        requires=tuple(distribution.requires or ()),
        entry_point=_entry_point(distribution, name),
    )


def _entry_point(distribution: Distribution, name: str) -> str | None:
    """Give the line of an entry point, if the distribution says where its files are."""
    for file in distribution.files or ():
        if file.name != "entry_points.txt":
            continue
        path = Path(str(file.locate()))
        in_group = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith("["):
                in_group = line.strip() == f"[{GROUP}]"
            elif in_group and line.partition("=")[0].strip() == name:
                return f"{path}:{number}"
    return None


def _ordered(
    candidates: Iterable[Candidate], builtin: Sequence[str], others: Sequence[str]
) -> tuple[Candidate, ...]:
    """Put built-in plugins first; each kind in the order of the names given, then as it came."""

    def place(candidate: Candidate) -> tuple[bool, int]:
        names = builtin if candidate.builtin else others
        known = candidate.name in names
        return not candidate.builtin, names.index(candidate.name) if known else len(names)

    return tuple(sorted(candidates, key=place))


def _enabled(candidate: Candidate, settings: Settings) -> bool:
    if candidate.name in settings.disabled:
        return False
    return candidate.builtin or candidate.name in settings.plugins


def _listing(candidate: Candidate, settings: Settings) -> Listing:
    text = outline(candidate.module)
    return Listing(
        candidate.name,
        candidate.distribution,
        candidate.version,
        "enabled" if _enabled(candidate, settings) else "disabled",
        text.hooks,
        requirement_problem(candidate) or text.problem,
    )


def _not_installed(place: str, name: str, installed: Iterable[str]) -> str:
    installed = sorted(installed)
    return (
        f'{place}: no plugin "{name}" is installed{did_you_mean(name, installed) or "."} '
        f"Installed: {', '.join(installed) or 'none'}."
    )
