"""Runs: the job that checks an uploaded import and, when it is to be run, writes it.

A job can be cut and come again. What it has found is kept with the import as soon as it is whole;
a run that comes again finds what the one before has written, and writes the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ipcraft.plugin import Application, Invalid, NotFound, RequestError, Transaction
from ipcraft_interchange import imports
from ipcraft_interchange.importers import Importer
from ipcraft_interchange.importing import Import, Phase, opened
from ipcraft_interchange.imports import UNDER_WAY, StoredImport
from ipcraft_interchange.intake import Choices
from ipcraft_interchange.reports import Summary
from ipcraft_interchange.staging import StagingError, Verdict
from ipcraft_interchange.uploads import restored
from ipcraft_interchange.writing import Target

JOB = "interchange.import"
TIDY = "interchange.tidy"

_TOLD_EVERY = 1.0
_GIVEN_UP_AFTER = 86_400
_DAY = 86_400


def order(app: Application, tx: Transaction, stored: StoredImport) -> None:
    """Have an import worked, once the transaction is committed."""
    payload = {"organization_id": tx.organization_id, "import_id": stored.id}
    app.enqueue(JOB, payload, tx=tx)


class Cancelled(Exception):
    """Stop a run whose import was deleted, or taken on by another run."""


class Runs:
    """Work imports off."""

    def __init__(self, app: Application, importers: Callable[[], Sequence[Importer]]) -> None:
        self._app = app
        self._importers = importers

    def run(self, payload: Mapping[str, Any]) -> None:
        """Check an import, and write it when that is what is wanted. Raises `Unavailable`."""
        organization_id, import_id = payload["organization_id"], payload["import_id"]
        try:
            with self._app.storage.look(organization_id) as reader:
                stored = imports.get(reader, import_id)
        except NotFound:
            return  # it was deleted meanwhile
        if stored.state not in UNDER_WAY:
            return
        try:
            _Run(self._app, organization_id, stored, self._importers()).work()
        except Cancelled:
            return
        except (Invalid, OSError, StagingError) as error:
            reason = error.message if isinstance(error, Invalid) else f"it stopped: {error}"
            self.give_up(organization_id, import_id, reason)
        except RequestError:
            raise  # the database is away: the order comes again
        except Exception:
            # A fault of ours or of a plugin: whoever waits for the import is told at once.
            self.give_up(
                organization_id, import_id, "an error stopped it, which the log of the server names"
            )
            raise

    def tidy(self) -> None:
        """Forget imports that nothing has happened to for long; give up those that are stuck."""
        section: Mapping[str, Any] = self._app.section("interchange")
        now = int(self._app.clock())
        with self._app.storage.read_system() as tx:
            stale = imports.stale_ones(tx, before=now - _GIVEN_UP_AFTER)
            old = imports.old_ones(tx, before=now - section["keep_days"] * _DAY)
        for organization_id, import_id in stale:
            self.give_up(organization_id, import_id, "it was begun and never came to an end")
        for organization_id, import_id in old:
            self._app.storage.transact(
                organization_id,
                partial(imports.forget, import_id=import_id),
            )

    def give_up(self, organization_id: str, import_id: str, reason: str) -> None:
        """Call an import under way failed, for a reason; it can be run again."""

        def work(tx: Transaction) -> None:
            stored = imports.find_to_change(tx, import_id)
            if stored is not None and stored.state in UNDER_WAY:
                imports.change(tx, stored, state="failed", reason=reason, finished_at=tx.now)

        self._app.storage.transact(organization_id, work)


class _Run:
    """Be one run of one import."""

    def __init__(
        self,
        app: Application,
        organization_id: str,
        stored: StoredImport,
        importers: Sequence[Importer],
    ) -> None:
        self._app = app
        self._organization_id = organization_id
        self._stored = stored
        self._importers = importers
        self._told = 0.0
        self._phase: Phase | None = None
        self._done = 0

    def work(self) -> None:
        target = Target(self._app.storage, self._organization_id, self._stored.user_id)
        with opened(target, progress=self._progress) as current:
            self._read(current)
            summary = current.check()
            if self._stored.state == "running":
                current.resume(self._verdicts())
            elif not self._goes_on(summary):
                self._end(current, current.summary(), state="checked")
                return
            self._end(current, current.summary(), state="running")
            self._end(current, current.write(), state="done")

    def _read(self, current: Import) -> None:
        section: Mapping[str, Any] = self._app.section("interchange")
        folder = current.folder / "uploads"
        folder.mkdir()
        current.read(
            restored(lambda: self._app.storage.look(self._organization_id), self._stored, folder),
            importers=self._importers,
            choices=Choices(**self._stored.choices),
            limit=section["max_unpacked_bytes"],
        )

    def _goes_on(self, summary: Summary) -> bool:
        return self._stored.run and (not summary.refused or self._stored.skip_bad_rows)

    def _verdicts(self) -> Iterator[Verdict]:
        """Give what was found when the import was checked, row by row."""
        with self._look() as reader:
            pages = imports.report_pages(reader, self._stored.id)
        seq = 0
        for number, _ in pages:
            with self._look() as reader:
                rows = imports.report_page(reader, self._stored.id, number)
            for row in rows:
                seq += 1
                yield Verdict(seq, row["outcome"], changes=row["changes"])

    def _end(self, current: Import, summary: Summary, *, state: imports.State) -> None:
        """Keep what was found, and move the import on."""

        def work(tx: Transaction) -> StoredImport:
            stored = imports.find_to_change(tx, self._stored.id)
            if stored is None or stored.state != self._stored.state:
                raise Cancelled
            imports.drop_report(tx, stored.id)
            imports.add_report(tx, stored.id, current.report())
            if state == "done":
                imports.drop_files(tx, stored.id)
            return imports.change(
                tx,
                stored,
                state=state,
                summary=summary,
                phase="writing" if state == "running" else None,
                done=0 if state == "running" else summary.total,
                finished_at=None if state == "running" else tx.now,
            )

        self._stored = self._app.storage.transact(
            self._organization_id, work, actor=self._stored.user_id
        )

    def _look(self) -> Any:
        return self._app.storage.look(self._organization_id)

    def _progress(self, phase: Phase, done: int) -> None:
        """Note how far it is, once in a second. Raises `Cancelled`."""
        if phase != self._phase:
            self._phase, self._done = phase, 0
        self._done += done
        now = time.monotonic()
        if now - self._told < _TOLD_EVERY:
            return
        self._told = now

        def work(tx: Transaction) -> bool:
            return imports.advance(tx, self._stored, phase=phase, done=self._done)

        if not self._app.storage.transact(self._organization_id, work):
            raise Cancelled
