"""The command line: the program ``ipcraft`` and what its commands stand on."""

from __future__ import annotations


def main() -> None:
    """Run the program ``ipcraft``."""
    # Imported late: every plugin imports this package, the program none of them.
    from ipcraft.cli.program import program

    program(prog_name="ipcraft")
