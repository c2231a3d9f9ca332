"""Names: the folders, VRFs and VLANs of a file, and what else refers to them.

What a file names is found among its own entries first, then in the organization, by its id or by
what it is known by there; what is in neither is made on the way.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipcraft.plugin import Reader, new_id
from ipcraft_interchange.reading import label_of
from ipcraft_interchange.staging import Staging, Verdict
from ipcraft_ipam import DIRECTORY, Registered

PREFIXES: Mapping[Registered, str] = {"folder": "sec", "vrf": "vrf", "vlan": "vlan"}
NOUNS: Mapping[Registered, str] = {"folder": "folder", "vrf": "VRF", "vlan": "VLAN"}

MOST = 100_000
"""Folders, VRFs and VLANs of one import; they are held in memory."""

_ALL = 2**31 - 1
_NUMBERED = re.compile(r"(?:VLAN ?)?(?P<number>[0-9]{1,4})(?: (?P<name>.+))?", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Name:
    """Be a folder, VRF or VLAN that a file lists or refers to."""

    kind: Registered
    values: dict[str, Any]
    file: int
    line: int
    seq: int = 0
    ids: tuple[str, ...] = ()
    """What the file calls it."""
    repeats: bool = False
    implied: bool = False
    record: Any = None
    """What the organization has of it already."""
    verdict: Verdict | None = None
    made: str = ""
    """Its id, once it is made; before that one that nothing has."""

    def __post_init__(self) -> None:
        self.made = new_id(PREFIXES[self.kind])

    @property
    def id(self) -> str:
        """Give the id it has, or will have in a rehearsal."""
        return str(self.record.id) if self.record is not None else self.made

    @property
    def is_refused(self) -> bool:
        """Tell whether it will not be there."""
        return self.verdict is not None and self.verdict.outcome == "refused"

    @property
    def is_there(self) -> bool:
        """Tell whether the organization has it."""
        return self.record is not None


@dataclass(slots=True, eq=False)
class Reference:
    """Be how some rows refer to one: by the file's id for it, by its name, or by both."""

    kind: Registered
    id: str | None
    name: str | None
    file: int
    line: int
    target: Name | None = None
    problem: str | None = None

    @property
    def field(self) -> str:
        """Give the field that refers."""
        word = "section" if self.kind == "folder" else self.kind
        return f"{word}_id" if self.id is not None else word


@dataclass(slots=True)
class _Known:
    """Know what goes by an id, a key or a name of one kind."""

    by_id: dict[str, Name] = field(default_factory=dict[str, Name])
    by_key: dict[tuple[Any, ...], Name] = field(default_factory=dict[tuple[Any, ...], Name])
    by_word: defaultdict[str, list[Name]] = field(default_factory=lambda: defaultdict(list))


class Names:
    """Collect the names of one import, and resolve them."""

    def __init__(self) -> None:
        self.listed: list[Name] = []
        """Those with a row of their own, in the file's order; implied ones come last."""
        self._references: dict[Registered, list[Reference]] = {kind: [] for kind in DIRECTORY}
        self._numbers: dict[tuple[Registered, str | None, str | None], int] = {}
        self._known: dict[Registered, _Known] = {kind: _Known() for kind in DIRECTORY}

    def add(self, name: Name) -> None:
        """Add what an entry lists."""
        self.listed.append(name)

    def refer(
        self,
        kind: Registered,
        id: str | None,  # noqa: A002 - what it is
        *,
        name: str | None,
        file: int,
        line: int,
    ) -> int:
        """Give the number of a reference, from 1; 0 for one to nothing."""
        if id is None and name is None:
            return 0
        key = (kind, id, name)
        if key not in self._numbers:
            self._references[kind].append(Reference(kind, id, name, file, line))
            self._numbers[key] = len(self._references[kind])
        return self._numbers[key]

    def reference(self, kind: Registered, number: int) -> Reference:
        """Give the reference of a number."""
        return self._references[kind][number - 1]

    def references(self, kind: Registered) -> Sequence[Reference]:
        """Give all references to a kind; the first has the number 1."""
        return self._references[kind]

    def of(self, kind: Registered) -> Iterator[Name]:
        """Give the listed names of a kind."""
        return (name for name in self.listed if name.kind == kind)

    def resolve(self, reader: Reader, staging: Staging) -> None:
        """Find what each name and each reference means; add rows for those made on the way."""
        for kind, keeping in DIRECTORY.items():
            records = keeping.register.page(reader, {}, limit=_ALL)
            existing = _Existing(kind, records)
            self._match(kind, existing, staging)
            for reference in self._references[kind]:
                self._aim(reference, existing, staging)

    def _match(self, kind: Registered, existing: _Existing, staging: Staging) -> None:
        known = self._known[kind]
        own = [name for name in self.of(kind) if not name.implied]
        for name in own:
            self._register(known, name, existing)
        for name in [name for name in self.of(kind) if name.implied]:
            if not any(each in known.by_id for each in name.ids):
                self._register(known, name, existing)
        superfluous = {
            name for name in self.of(kind) if name.implied and self._is_superfluous(name)
        }
        self.listed = [name for name in self.listed if name not in superfluous]
        for name in self.of(kind):
            if name.implied:
                name.seq = _add_row(staging, name)

    def _is_superfluous(self, name: Name) -> bool:
        """Tell whether an implied name needs no row: something else is there in its place."""
        known = self._known[name.kind]
        return name.is_there or all(known.by_id.get(each) is not name for each in name.ids)

    def _register(self, known: _Known, name: Name, existing: _Existing) -> None:
        key = _key(name)
        first = known.by_key.setdefault(key, name)
        if first is not name:
            name.verdict = _double(name, first)
            name.record = first.record
            for each in name.ids:
                known.by_id.setdefault(each, first)
            return
        name.record = existing.claim(name)
        for each in name.ids:
            known.by_id.setdefault(each, name)
        for word in _words(name.values):
            known.by_word[word].append(name)

    def _aim(self, reference: Reference, existing: _Existing, staging: Staging) -> None:
        """Find the target of a reference, or say why it has none."""
        known = self._known[reference.kind]
        if reference.id is not None:
            target = known.by_id.get(reference.id) or existing.by_id(reference.id)
            if target is not None or reference.name is None:
                reference.target = target
                if target is None:
                    reference.problem = (
                        f"{reference.field} {reference.id[:64]!r} is no "
                        f"{NOUNS[reference.kind]} of the file, and none of yours"
                    )
                return
        assert reference.name is not None, "a reference has an id or a name"
        found = known.by_word.get(reference.name) or existing.by_word(reference.name)
        if len(found) > 1 and reference.kind != "folder":
            reference.problem = (
                f"there are {len(found)} {NOUNS[reference.kind]}s {reference.name[:64]!r}"
            )
        elif found:
            reference.target = found[0]
        else:
            self._make(reference, existing, staging)

    def _make(self, reference: Reference, existing: _Existing, staging: Staging) -> None:
        """Have what a reference names made on the way."""
        assert reference.name is not None, "what is made needs a name"
        values: dict[str, Any] = {"name": reference.name}
        if reference.kind == "vlan":
            numbered = _NUMBERED.fullmatch(reference.name)
            if numbered is None or not 0 < int(numbered["number"]) < 4095:
                reference.problem = f"VLAN {reference.name[:64]!r} is not there, and has no number"
                return
            number = int(numbered["number"])
            values = {"number": number, "name": numbered["name"] or f"VLAN {number}"}
        name = Name(reference.kind, values, reference.file, reference.line, implied=True)
        self._register(self._known[reference.kind], name, existing)
        reference.target = name
        if not name.is_there:
            name.seq = _add_row(staging, name)
            self.listed.append(name)


class _Existing:
    """Be the organization's records of one kind, each claimed by one entry at most."""

    def __init__(self, kind: Registered, records: Iterable[Any]) -> None:
        self._kind: Registered = kind
        self._records = list(records)
        self._by_id = {record.id: record for record in self._records}
        self._claimed: set[str] = set()
        self._names: dict[str, Name] = {}
        self._by_word: defaultdict[str, list[Any]] = defaultdict(list)
        self._by_fields: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
        for record in self._records:
            values = {name: getattr(record, name) for name in _FIELDS[kind]}
            for word in _words(values):
                self._by_word[word].append(record)
            for names in _KNOWN_BY[kind]:
                self._by_fields[names, *(values[name] for name in names)].append(record)

    def by_id(self, record_id: str) -> Name | None:
        """Give what has the id."""
        record = self._by_id.get(record_id)
        return None if record is None else self._as_name(record)

    def by_word(self, word: str) -> list[Name]:
        """Give what goes by the word."""
        return [self._as_name(record) for record in self._by_word.get(word, ())]

    def claim(self, name: Name) -> Any:
        """Give the record that an entry is about, or None."""
        candidates = [self._by_id[each] for each in name.ids if each in self._by_id]
        for names in _KNOWN_BY[self._kind]:
            values = [name.values.get(each) for each in names]
            if None not in values:
                candidates += self._by_fields.get((names, *values), ())
        if name.implied and self._kind == "vlan" and not candidates:
            same = self._by_word.get(str(name.values.get("number")), ())
            candidates = list(same) if len(same) == 1 else []
        for record in candidates:
            if name.implied or record.id not in self._claimed:
                self._claimed.add(record.id)
                return record
        return None

    def _as_name(self, record: Any) -> Name:
        if record.id not in self._names:
            self._names[record.id] = Name(self._kind, {}, -1, 0, implied=True, record=record)
        return self._names[record.id]


_FIELDS: Mapping[Registered, tuple[str, ...]] = {
    "folder": ("name",),
    "vrf": ("name", "rd"),
    "vlan": ("number", "name"),
}
_KNOWN_BY: Mapping[Registered, tuple[tuple[str, ...], ...]] = {
    "folder": (("name",),),
    "vrf": (("name",), ("rd",)),
    "vlan": (("number", "name"),),
}
"""The fields that tell which record an entry is about, the surest first."""


def _key(name: Name) -> tuple[Any, ...]:
    """Give what no two entries of a file share, unless they are about the same thing."""
    if name.kind == "folder" and name.ids:
        return ("id", name.ids[0])
    if name.kind == "vlan":
        return name.values.get("number"), name.values.get("name")
    return (name.values.get("name"),)


def _words(values: Mapping[str, Any]) -> Iterator[str]:
    """Give the words that refer to something."""
    if "number" in values:
        yield str(values["number"])
        yield label_of("vlan", values)
    for each in ("name", "rd"):
        if values.get(each):
            yield values[each]


def _double(name: Name, first: Name) -> Verdict:
    noun = NOUNS[name.kind]
    if name.repeats or name.implied:
        reason = f"line {first.line} has the same {noun}; the first one counts"
        return Verdict(name.seq, "skipped", reason)
    return Verdict(name.seq, "refused", f"line {first.line} has the same {noun}", "name")


def _add_row(staging: Staging, name: Name) -> int:
    return staging.add(
        name.kind,
        {},
        file=name.file,
        line=name.line,
        label=label_of(name.kind, name.values),
    )
