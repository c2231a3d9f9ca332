"""Importing: files are read, their rows checked, and what the check lets through is written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from ipcraft_interchange.checking import Check, Rehearsal, Space
from ipcraft_interchange.importers import Importer
from ipcraft_interchange.intake import Choices, Intake, Reading, Upload
from ipcraft_interchange.naming import Names
from ipcraft_interchange.reports import Summary, row_object, summary
from ipcraft_interchange.staging import Staging, Verdict
from ipcraft_interchange.writing import Target, Writing

Phase = Literal["reading", "checking", "writing"]

Progress = Callable[[Phase, int], object]
"""Is told how many more rows are through with a phase."""


def _untold(phase: Phase, done: int) -> None:
    """Tell nobody."""


@dataclass(slots=True)
class Import:
    """Be one import under way: `read` files, `check` their rows, `write` what may be written."""

    target: Target
    folder: Path
    staging: Staging
    progress: Progress = _untold
    names: Names = field(default_factory=Names)
    spaces: Sequence[Space] = ()
    documents: Sequence[Reading] = ()

    def read(
        self,
        uploads: Iterable[Upload],
        *,
        importers: Sequence[Importer],
        choices: Choices,
        limit: int,
    ) -> None:
        """Read the files; `limit` is how many bytes an archive may have when it is unpacked.

        Raises `Invalid` for a format that nobody reads.
        """
        intake = Intake(
            self.staging,
            self.names,
            importers=importers,
            choices=choices,
            advance=partial(self.progress, "reading"),
        )
        self.documents = intake.documents
        intake.read(uploads, folder=self.folder, limit=limit)

    def check(self) -> Summary:
        """Find out what would become of every row. Raises `Unavailable`."""
        target = self.target
        rehearsal = Rehearsal(target.storage, target.organization_id, target.actor)
        check = Check(
            self.staging,
            self.names,
            rehearsal=rehearsal,
            documents=self.documents,
            advance=partial(self.progress, "checking"),
        )
        self.spaces = check.run()
        return self.summary()

    def resume(self, before: Iterable[Verdict]) -> None:
        """Take what an interrupted run had found for what it has made since."""
        self.staging.resume(before)

    def write(self) -> Summary:
        """Write what the check let through. Raises `Unavailable`."""
        Writing(
            self.staging,
            self.names,
            target=self.target,
            spaces=self.spaces,
            advance=partial(self.progress, "writing"),
        ).run()
        return self.summary()

    def summary(self) -> Summary:
        """Give the report in short, as far as it is known."""
        return summary(self.staging, self.documents)

    def report(self) -> Iterator[list[dict[str, Any]]]:
        """Give the report row by row, in the files' order, page by page."""
        vrfs: Mapping[int, str] = {
            space.number: _vrf_name(space) for space in self.spaces if space.name is not None
        }
        for page in self.staging.report():
            yield [row_object(row, self.documents, vrfs) for row in page]


@contextmanager
def opened(target: Target, *, progress: Progress = _untold) -> Iterator[Import]:
    """Give an import, with a folder for what it needs until it ends."""
    with tempfile.TemporaryDirectory(prefix="ipcraft-import-") as name:
        folder = Path(name)
        staging = Staging(folder)
        try:
            yield Import(target, folder, staging, progress)
        finally:
            staging.close()


def _vrf_name(space: Space) -> str:
    assert space.name is not None, "the global VRF has no name"
    record = space.name.record
    return str(space.name.values.get("name") or getattr(record, "name", ""))
