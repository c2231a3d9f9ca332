"""What a command works with: the settings, and the application, opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from ipcraft.config import Settings
from ipcraft.errors import StartError

if TYPE_CHECKING:
    from ipcraft.app import Application
    from ipcraft.contributions import Command, Storage

P = ParamSpec("P")
R = TypeVar("R")

_EMBEDDED = "sqlite"


class Invocation:
    """Hold one run of the program. The main command makes it its context's `obj`.

    `settings` is called when a command first needs them, so that a bad `ipcraft.toml` does
    not stop the commands that help to mend it. In safe mode no plugin is imported.
    """

    def __init__(self, settings: Callable[[], Settings], *, safe_mode: bool = False) -> None:
        self.safe_mode = safe_mode
        self._load = settings
        self._settings: Settings | None = None
        self._application: Application | None = None

    @property
    def settings(self) -> Settings:
        """Give the settings of this run."""
        if self._settings is None:
            self._settings = self._load()
        return self._settings

    def commands(self, *, core: tuple[str, ...]) -> Mapping[str, Command]:
        """Load the plugins and give their commands by name; `core` are names they cannot have."""
        from ipcraft.contributions import Command
        from ipcraft.loading import boot

        return boot(
            self.settings,
            lambda registry: registry.named("ipcraft_commands", kind=Command, core=core),
        )

    def open(self) -> Application:
        """Open the application, whatever state its database is in."""
        if self.safe_mode:
            raise StartError(
                "in safe mode no plugin is loaded, and the storage is one: leave --safe-mode out"
            )
        if self._application is None:
            from ipcraft.app import create_application

            self._application = create_application(self.settings)
        return self._application

    def application(self) -> Application:
        """Open the application; a new embedded database gets its tables first.

        Raises `StartError` when the database is not up to date or cannot be used.
        """
        fresh = self._application is None
        app = self.open()
        if fresh:
            bring_up_to_date(app.storage, only_new=True)
        return app

    def close(self) -> None:
        """Close the application, if it was opened."""
        if self._application is not None:
            self._application.close()
            self._application = None


def pass_application(command: Callable[Concatenate[Application, P], R]) -> Callable[P, R]:
    """Call the command with the application as its first argument.

    >>> @click.command()
    ... @pass_application
    ... def organizations(app: Application) -> None: ...
    """

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(current_invocation().application(), *args, **kwargs)

    return run


def current_invocation() -> Invocation:
    """Give the run of the program that the command called now is part of."""
    invocation = click.get_current_context().find_object(Invocation)
    if invocation is None:
        raise TypeError("the context's obj is no Invocation: run the command below `ipcraft`")
    return invocation


def is_embedded(storage: Storage) -> bool:
    """Tell whether the database is a file of ours, which nobody else upgrades."""
    return storage.name == _EMBEDDED


def bring_up_to_date(storage: Storage, *, only_new: bool) -> None:
    """Give an embedded database its tables, and insist on those of any other.

    `only_new`: an embedded one that has tables is not touched either; a server may be using it.
    Raises `StartError` when the tables are not up to date.
    """
    from ipcraft.data.migrations import outdated

    statuses = storage.status()
    problem = outdated(statuses)
    is_new = all(each.current is None for each in statuses)
    if problem and is_embedded(storage) and (is_new or not only_new):
        storage.upgrade()
    elif problem:
        raise StartError(problem)
