"""The program, run in the test's own process."""

from __future__ import annotations

from dataclasses import dataclass

from click.testing import CliRunner, Result

from ipcraft.cli.program import program


@dataclass(frozen=True, slots=True)
class Command:
    """Run `ipcraft` on a database, with the settings of the environment and of the folder."""

    database_url: str

    def __call__(self, *words: str) -> Result:
        """Run it with these words and give its output and exit code."""
        database = ("--database", self.database_url)
        return CliRunner().invoke(program, [*database, *words], prog_name="ipcraft")
