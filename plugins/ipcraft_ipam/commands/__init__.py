"""The inventory on the command line."""

from __future__ import annotations

from ipcraft.plugin import Command
from ipcraft_ipam.commands.next_address import next_command
from ipcraft_ipam.commands.search import search_command
from ipcraft_ipam.commands.tree import tree_command
from ipcraft_ipam.commands.verify import verify_command

COMMANDS = (
    Command(next_command),
    Command(search_command),
    Command(tree_command),
    Command(verify_command),
)
"""The commands ``next``, ``search``, ``tree`` and ``verify``."""
