"""What the pages show can be typed as it stands."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from ipcraft.config import load_settings

from .pages import DOCS, ROOT, anchors, generator, links, pages, read, shell_lines, snippets

_URL_PATH = re.compile(r"(?:\$URL|http://127\.0\.0\.1:8000)(?P<path>/[^\s\"?]+)")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link leads to a file, and its anchor to a heading."""
    for target in links(page):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_page_is_in_the_table_of_contents() -> None:
    """docs/README.md links to each page."""
    linked = {(DOCS / target).resolve() for target in links(DOCS / "README.md")}
    assert linked == set(DOCS.rglob("*.md")) - {DOCS / "README.md"}


def test_json_and_toml_examples_can_be_read() -> None:
    """Every block of JSON or TOML is valid."""
    for snippet in snippets("json"):
        json.loads(snippet.text)
    for snippet in snippets("toml"):
        tomllib.loads(snippet.text)


def test_examples_of_settings_are_accepted(tmp_path: Path) -> None:
    """A block of TOML that is about ipcraft.toml has no key that the start would refuse."""
    schemas = generator().plugin_schemas()
    for snippet in snippets("toml"):
        if "[project" in snippet.text or "[tool." in snippet.text:
            continue
        file = tmp_path / "ipcraft.toml"
        file.write_text(snippet.text, encoding="utf-8")
        settings = load_settings(path=file, environ={})
        for name in settings.sections:
            if name in schemas:
                settings.section(name, schemas[name])


def test_commands_exist() -> None:
    """Every `ipcraft ...` in a shell block is a command with options it has."""
    lines = shell_lines("ipcraft")
    assert lines
    for snippet, line in lines:
        words, options = _parsed(line)
        known = generator().command_tree()[words]
        assert options <= known, f"{snippet}: {line}"
        assert words, f"{snippet}: {line}"


def _parsed(line: str) -> tuple[tuple[str, ...], set[str]]:
    """Give the words of the command a line calls, and the options that come after them."""
    tree = generator().command_tree()
    words: tuple[str, ...] = ()
    options: set[str] = set()
    for word in shlex.split(line):
        if (*words, word) in tree:
            assert options <= tree[words], line
            words, options = (*words, word), set()
        elif word.startswith("-"):
            options.add(word.partition("=")[0])
    return words, options


def test_paths_in_shell_examples_are_served() -> None:
    """A path that an example asks for is a route."""
    routes = [re.sub(r"\{\w+\}", "[^/]+", route.path) for route in generator()._app().routes]
    for snippet in snippets("sh"):
        for match in _URL_PATH.finditer(snippet.text):
            assert any(re.fullmatch(route, match["path"]) for route in routes), snippet


def test_no_page_is_a_draft() -> None:
    """Pages have one title and no empty generated part."""
    for page in pages():
        text = read(page)
        assert text.startswith("# "), page
        assert not re.search(r"<!-- generated: \S+ -->\s*<!-- end -->", text), page
