"""Intake: from files to staged rows, with a reason for each row that cannot be one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from ipcraft.plugin import Invalid, is_id
from ipcraft_interchange.entries import FIELDS, Broken, Entry, Found, Kind, Problem, Unkept
from ipcraft_interchange.files.documents import Document, documents_of
from ipcraft_interchange.importers import Importer, importer_for
from ipcraft_interchange.naming import MOST, PREFIXES, Name, Names
from ipcraft_interchange.reading import label_of, read_ip, read_network, read_values
from ipcraft_interchange.staging import UNKNOWN, Staging
from ipcraft_ipam import Registered, to_bytes

_TOLD_EVERY = 1000
_MOST_NAMES_NOTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Say what the user chose for an import."""

    format: str | None = None
    """The name of the importer; without it the files tell."""
    section: str | None = None
    """The folder of subnets whose file names none, by name or id."""
    vrf: str | None = None
    """The VRF of subnets and addresses whose file names none, by name, RD or id."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """For fields of ours, the columns that have them."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Be a file to import: the name that people know it by, and where it is."""

    name: str
    path: Path


@dataclass(slots=True)
class Reading:
    """Be what was read of one document."""

    name: str
    importer: Importer | None = None
    described: str = ""
    rows: int = 0
    lost: Counter[str] = field(default_factory=Counter[str])
    columns: dict[Kind, Mapping[str, str]] = field(default_factory=dict[Kind, Mapping[str, str]])
    """For each kind, what the document calls the fields, as far as it does so in every row."""

    def note_entry(self, entry: Entry) -> None:
        """Remember what an entry leaves out, and what it calls its fields."""
        self.lost.update(entry.lost)
        known = self.columns.setdefault(entry.kind, entry.columns)
        if known is not entry.columns and known != entry.columns:
            self.columns[entry.kind] = {}

    def column_of(self, kind: Kind | None, field_name: str | None) -> str | None:
        """Give what the document calls a field."""
        if kind is None or field_name is None:
            return field_name
        return self.columns.get(kind, {}).get(field_name, field_name)

    def notes(self) -> list[str]:
        """Say what the document has that IPCraft does not keep."""
        shown = self.lost.most_common(_MOST_NAMES_NOTED)
        return [
            f"{self.name}: {name} of {count} row{'' if count == 1 else 's'} is not kept"
            for name, count in shown
        ]


class Intake:
    """Read files into the staging and the names."""

    def __init__(
        self,
        staging: Staging,
        names: Names,
        *,
        importers: Sequence[Importer],
        choices: Choices,
        advance: Callable[[int], object],
    ) -> None:
        self._staging = staging
        self._names = names
        self._importers = importers
        self._choices = choices
        self._advance = advance
        self.documents: list[Reading] = []
        """What was read, in order; rows have a document's number as their `file`."""

    def read(self, uploads: Iterable[Upload], *, folder: Path, limit: int) -> None:
        """Read every document of the files; `folder` and `limit` are for what is unpacked.

        Raises `Invalid` for a format that nobody reads.
        """
        for number, upload in enumerate(uploads):
            inside = folder / f"upload-{number}"
            inside.mkdir()
            before = len(self.documents)
            try:
                for document in documents_of(upload.name, upload.path, folder=inside, limit=limit):
                    self._read_document(document)
                if len(self.documents) == before:
                    raise Broken("there is nothing in the archive", line=1)
            except Broken as broken:
                self.documents.append(Reading(upload.name))
                self._refuse(broken.problem)
        if self._staging.count == 0 and self.documents:
            self._refuse(Problem(1, "there is nothing in the file that could be imported"))

    def _read_document(self, document: Document) -> None:
        reading = Reading(document.name)
        self.documents.append(reading)
        before = self._staging.count
        try:
            importer = importer_for(
                document,
                self._importers,
                name=self._choices.format,
                mapped=self._choices.columns,
            )
            reading.importer = importer
            reading.described = document.described
            self._take(importer.read(document, self._choices.columns), reading)
        except Broken as broken:
            self._refuse(broken.problem)
        reading.rows = self._staging.count - before

    def _take(self, found: Iterable[Found], reading: Reading) -> None:
        told = 0
        for each in found:
            if isinstance(each, Entry):
                reading.note_entry(each)
                self._stage(each, reading)
            elif isinstance(each, Problem):
                self._refuse(each)
            else:
                self._leave(each)
            told += 1
            if told % _TOLD_EVERY == 0:
                self._advance(_TOLD_EVERY)
        self._advance(told % _TOLD_EVERY)

    def _stage(self, entry: Entry, reading: Reading) -> None:
        try:
            if entry.kind == "address":
                self._stage_address(entry)
            elif entry.kind == "subnet":
                self._stage_subnet(entry)
            else:
                self._stage_name(entry, reading)
        except Invalid as refusal:
            field_name = next(iter(refusal.fields or ()), None)
            column = entry.columns.get(field_name, field_name) if field_name else None
            self._refuse(Problem(entry.line, refusal.message, column))

    def _stage_address(self, entry: Entry) -> None:
        values = entry.values
        ip, length = read_ip(values.get("ip"))
        read = read_values("address", values)
        stated = values.get("subnet")
        if stated is not None:
            network = read_network(stated)
            if not to_bytes(network.first) <= ip <= to_bytes(network.last):
                raise Invalid.field("subnet", f"{values['ip']} is not inside {network}")
            length = network.prefix_length
        self._staging.add(
            "address",
            read,
            file=self._file,
            line=entry.line,
            space=self._refer(entry, "vrf"),
            first=ip,
            length=UNKNOWN if length is None else length,
        )

    def _stage_subnet(self, entry: Entry) -> None:
        network = read_network(entry.values.get("network"))
        read = read_values("subnet", entry.values)
        for kind, word in (("folder", "section"), ("vlan", "vlan")):
            says = {word, f"{word}_id"} & entry.values.keys()
            default = self._choices.section if kind == "folder" else None
            if says or default:
                read[f"{word}_id"] = self._refer(entry, cast("Registered", kind))
        self._staging.add(
            "subnet",
            read,
            file=self._file,
            line=entry.line,
            space=self._refer(entry, "vrf"),
            first=to_bytes(network.first),
            prefix=network.prefix_length,
        )

    def _stage_name(self, entry: Entry, reading: Reading) -> None:
        kind = cast("Registered", entry.kind)
        read = read_values(entry.kind, entry.values)
        needed = ("number", "name") if kind == "vlan" else ("name",)
        if kind == "vlan" and "number" in read:
            read.setdefault("name", f"VLAN {read['number']}")
        missing = [each for each in needed if each not in read]
        if missing:
            raise Invalid.field(missing[0], f"{missing[0]} is required")
        if len(self._names.listed) >= MOST:
            raise Broken(f"at most {MOST} folders, VRFs and VLANs are read", line=entry.line)
        own = entry.values.get("id")
        ids = [str(own)] if own is not None else []
        ids += [str(alias) for alias in entry.values.get("aliases", ())]
        name = Name(
            kind,
            read,
            self._file,
            entry.line,
            ids=tuple(dict.fromkeys(ids)),
            repeats=reading.importer is not None and reading.importer.repeats,
            implied=entry.implied,
        )
        if not name.implied:
            name.seq = self._staging.add(
                entry.kind, {}, file=self._file, line=entry.line, label=label_of(entry.kind, read)
            )
        self._names.add(name)

    def _refer(self, entry: Entry, kind: Registered) -> int:
        word = "section" if kind == "folder" else kind
        own, name = entry.values.get(f"{word}_id"), entry.values.get(word)
        if own is None and name is None and {word, f"{word}_id"}.isdisjoint(entry.values):
            chosen = {"folder": self._choices.section, "vrf": self._choices.vrf}.get(kind)
            if chosen is not None and is_id(chosen, PREFIXES[kind]):
                own = chosen
            else:
                name = chosen
        for text in (own, name):
            if text is not None and not isinstance(text, str):
                raise Invalid.field(word, f"{word} must be text, not {text!r:.64}")
        if name is not None:
            read_values("folder", {"name": name})
        return self._names.refer(kind, own, name=name, file=self._file, line=entry.line)

    def _refuse(self, problem: Problem) -> None:
        self._staging.refuse(
            problem.message, file=self._file, line=problem.line, field=problem.column
        )

    def _leave(self, unkept: Unkept) -> None:
        self._staging.refuse(unkept.message, file=self._file, line=unkept.line, fine=True)

    @property
    def _file(self) -> int:
        return len(self.documents) - 1


def unknown_fields(columns: Mapping[str, str]) -> list[str]:
    """Give the names in a mapping that are no field of anything."""
    known = {name for names in FIELDS.values() for name in names} | {"mask"}
    return [name for name in columns if name not in known]
