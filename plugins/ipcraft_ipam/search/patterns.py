"""What is looked for in the texts of records (`ipcraft_ipam.searchable`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ipcraft_ipam.searchable import END, START

_ESCAPED = re.compile(r"([\\%_])")

How = Literal["equals", "begins", "contains"]


@dataclass(frozen=True, slots=True)
class Pattern:
    """Be a text as it is looked for: in any field, or between the tags of one."""

    text: str
    tag: str = ""
    how: How = "contains"

    @property
    def literal(self) -> str:
        """Give what stands in a record's text, from the first mark that belongs to it."""
        if self.how == "contains":
            return self.text
        return f"{self.tag}{START}{self.text}{self.closing if self.how == 'equals' else ''}"

    @property
    def closing(self) -> str:
        """Give the marks at the end of the field."""
        return END + self.tag

    @property
    def like(self) -> str:
        r"""Give it for LIKE, with the escape character \."""
        literal = _escaped(self.literal)
        if self.how == "contains" and self.tag:
            return f"%{self.tag}{START}%{literal}%{self.closing}%"
        return f"%{literal}%"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", text)
