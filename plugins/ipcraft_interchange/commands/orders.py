"""Orders: what a user wants imported, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipcraft_interchange.intake import Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Be the files of an import with all that is said about them."""

    paths: Sequence[Path]
    choices: Choices
    dry_run: bool
    skip_bad_rows: bool

    def is_done_with(self, refused: int) -> bool:
        """Tell whether something is to be imported when so many rows are refused."""
        return not self.dry_run and (not refused or self.skip_bad_rows)
