"""The pages of the documentation, as the tests read them."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(?P<language>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Hold a fenced block of a page, and where it begins."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def generator() -> SimpleNamespace:
    """Run docs/generate.py and give what is in it."""
    return SimpleNamespace(**runpy.run_path(str(DOCS / "generate.py")))


def pages() -> list[Path]:
    """Give every page: the README's, the contributors' and those of docs/."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def read(path: Path) -> str:
    """Give a page's text."""
    return path.read_text(encoding="utf-8")


def snippets(*languages: str) -> list[Snippet]:
    """Give the fenced blocks of some languages of all pages."""
    return [
        snippet for page in pages() for snippet in _snippets(page) if snippet.language in languages
    ]


def snippet_of(page: Path, first_line: str) -> str:
    """Give the one block of a page that begins with this line."""
    found = [each.text for each in _snippets(page) if each.text.startswith(f"{first_line}\n")]
    assert len(found) == 1, f"{page} has {len(found)} blocks that begin with {first_line}"
    return found[0]


def shell_lines(program: str) -> list[tuple[Snippet, str]]:
    """Give the lines of shell blocks that call a program, continued lines joined."""
    calls = re.compile(
        rf"(?:^|[;&|]|\bdo)\s*(?:\w+=\S+\s+)*(?:\S*/)?{program}(?P<rest>(?:\s[^;&|#]*)?)"
    )
    return [
        (snippet, match["rest"].strip())
        for snippet in snippets("sh")
        for line in _CONTINUED.sub(" ", snippet.text).splitlines()
        for match in calls.finditer(line)
    ]


def links(page: Path) -> Iterator[str]:
    """Give the targets of a page's links."""
    for match in _LINK.finditer(_FENCE.sub("", read(page))):
        yield match["target"]


def anchors(page: Path) -> set[str]:
    """Give the names under which the headings of a page can be linked."""
    headings = _HEADING.findall(_FENCE.sub("", read(page)))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def headings(page: Path) -> list[str]:
    """Give the text of a page's headings."""
    return _HEADING.findall(_FENCE.sub("", read(page)))


def _snippets(page: Path) -> Iterator[Snippet]:
    text = read(page)
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Snippet(page, line, match["language"], match["text"])
