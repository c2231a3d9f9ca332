"""Import and export on the command line."""

from __future__ import annotations

from ipcraft.plugin import Command
from ipcraft_interchange.commands.export_files import export_command
from ipcraft_interchange.commands.import_files import import_command, load_command

COMMANDS = (Command(import_command), Command(load_command), Command(export_command))
"""The commands ``import``, which has been ``load``, and ``export``."""
