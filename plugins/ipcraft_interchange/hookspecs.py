"""Hooks that import and export offer to other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipcraft.plugin import Application, hookspec

if TYPE_CHECKING:
    from ipcraft_interchange.importers import Importer


@hookspec
def ipcraft_importers(app: Application) -> Sequence[Importer]:
    """Give importers: each reads the files of one system, for uploads and ``ipcraft import``.

    Called once at boot. Importers of other plugins are asked before the built-in ones. A name
    given twice stops the boot.

    >>> from ipcraft_interchange import Entry, Importer
    >>> def recognizes(document):
    ...     return document.name.endswith(".hosts")
    >>> def read(document, columns):
    ...     for number, line in enumerate(document.lines(), start=1):
    ...         yield Entry("address", {"ip": line.strip()}, number)
    >>> Importer("hosts", "One address a line", recognizes, read)  # doctest: +ELLIPSIS
    Importer(name='hosts', ...)
    """
    raise NotImplementedError
