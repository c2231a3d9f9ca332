"""The reference lists everything there is, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipcraft import hookspecs
from ipcraft.http import errors
from ipcraft_ipam import hookspecs as ipam_hookspecs
from ipcraft_nettools import hookspecs as tool_hookspecs
from ipcraft_plans import hookspecs as plans_hookspecs

from .pages import DOCS, ROOT, generator, headings, read, snippets

REFERENCE = DOCS / "reference"

_ROUTE = re.compile(r"`(?P<route>[A-Z]+ /\S*)`")
_ROW = re.compile(r"^\| `(?P<first>[^`]+)` \| (?P<second>[^|]*) \|", re.MULTILINE)
_CODE = re.compile("[a-z]+(_[a-z]+)*")


def test_generated_parts_are_what_the_code_says() -> None:
    """Every page is as docs/generate.py would write it now: run it after a change."""
    for path in generator().pages():
        assert read(path) == generator().render(read(path)), path


def test_every_generated_part_is_on_one_page() -> None:
    """What the generator can tell is told, once."""
    written = [
        part for path in generator().pages() for part in generator().generated_parts(read(path))
    ]
    assert sorted(written) == sorted(generator().PARTS)


HOOKSPECS = (hookspecs, ipam_hookspecs, plans_hookspecs, tool_hookspecs)


@pytest.mark.parametrize("module", HOOKSPECS, ids=lambda module: module.__name__)
def test_every_hook_is_documented_with_its_signature(module: object) -> None:
    """A hook has a heading with its name, and its exact signature."""
    page = read(REFERENCE / "hooks.md")
    hooks = generator().hooks_of(module)
    named = {name for name in vars(module) if name.startswith("ipcraft_")}
    assert set(hooks) == named
    for name, signature in hooks.items():
        assert f"### `{name}`\n\n```python\n{signature}: ...\n```" in page


def test_every_setting_is_documented() -> None:
    """A key of a plugin's section is in the settings, with its variable."""
    page = read(REFERENCE / "settings.md")
    for plugin, schema in generator().plugin_schemas().items():
        for key in schema().fields:
            assert f"| `{key}` | `IPCRAFT_{plugin.upper()}_{key.upper()}`" in page


def test_every_command_and_option_is_documented() -> None:
    """A command has a heading of its own, and its options are in the reference."""
    page = read(REFERENCE / "commands.md")
    for words, options in generator().command_tree().items():
        assert f"## `{' '.join(('ipcraft', *words))}`\n" in page
        for option in options - {"-h", "--help"}:
            assert not option.startswith("-") or option in page, (words, option)


def test_every_route_is_documented_and_no_other() -> None:
    """Each method of each route has a heading in the API's reference."""
    app = generator()._app()
    served = [
        f"{method} {route.path}" for route in app.routes for method in generator().methods(route)
    ]
    documented = [
        match["route"]
        for text in headings(REFERENCE / "api.md")
        if (match := _ROUTE.fullmatch(text))
    ]
    assert sorted(documented) == sorted(served)


def test_every_error_code_is_documented_and_no_other() -> None:
    """A code that the source can answer with is in the table of codes, and the other way round."""
    table = read(REFERENCE / "errors.md").partition("## Codes")[2]
    documented = [match["first"] for match in _ROW.finditer(table)]
    assert len(documented) == len(set(documented))
    assert set(documented) == set(_codes_in_source())


def test_codes_are_snake_case() -> None:
    """Codes are lower-case words joined by underscores."""
    for code in _codes_in_source():
        assert _CODE.fullmatch(code)


def test_python_examples_compile() -> None:
    """Every Python block is valid Python."""
    for snippet in snippets("python"):
        compile(snippet.text, str(snippet), "exec")


def _codes_in_source() -> set[str]:
    return {*errors.CODES.values(), *_written_codes()}


def _written_codes() -> Iterator[str]:
    for path in _sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                    yield code
                case ast.ClassDef(body=body):
                    yield from _class_codes(body)


def _class_codes(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))):
                yield code


def _sources() -> list[Path]:
    found = [*(ROOT / "ipcraft").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]
    return [path for path in found if "testing" not in path.parts]
