"""What the source text of a plugin's module says: its API and its hooks, without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec

import ipcraft

API = 1
"""The version of `ipcraft.plugin`. A plugin says which one it was written for: ``API = 1``."""


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold what a module's text tells."""

    file: str | None = None
    hooks: tuple[str, ...] = ()
    """Names of the hooks it implements, sorted."""
    complete: bool = False
    """Whether these are all: the text was read and hides no names behind ``import *``."""
    api_line: int = 1
    """Where ``API`` stands, or should."""
    problem: str | None = None
    """Why the module cannot be loaded, as far as the text tells."""


def outline(module: str) -> Outline:
    """Read a module's text. What cannot be found or parsed is said in `problem`."""
    spec = _find(module)
    if spec is None:
        return Outline(problem=f"there is no module {module}")
    try:
        text = spec.loader.get_source(module) if isinstance(spec.loader, InspectLoader) else None
        tree = ast.parse(text) if text is not None else None
    except SyntaxError as error:
        return Outline(spec.origin, problem=f"SyntaxError in line {error.lineno or 1}: {error.msg}")
    except (ImportError, OSError, ValueError) as error:
        return Outline(spec.origin, problem=f"its text cannot be read: {error}")
    if tree is None:
        return Outline(spec.origin)
    return _outline(spec.origin, tree)


def source_file(module: str) -> str | None:
    """Give the file of a module without importing it, or None when there is none."""
    spec = _find(module)
    return spec.origin if spec else None


def api_problem(value: object) -> str | None:
    """Say what is wrong with a plugin's ``API``; None of it means that there is none."""
    if value is None:
        return f"does not say for which plugin API it was written; write API = {API}"
    if type(value) is int and value == API:
        return None
    return (
        f"was written for plugin API {value!r}, and IPCraft {ipcraft.__version__} has {API}; "
        "install a version of the plugin made for it"
    )


def _find(module: str) -> ModuleSpec | None:
    """Find a module as an import would, but import no parent package."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    name = top
    for part in inner:
        if spec is None or spec.submodule_search_locations is None:
            return None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(spec.submodule_search_locations))
    return spec


def _outline(file: str | None, tree: ast.Module) -> Outline:
    hooks: set[str] = set()
    complete = True
    api_line, api = 1, None
    told = False
    for statement in _top_level(tree):
        for name in _bound(statement):
            complete = complete and name != "*"
            if name == "API":
                api_line, api, told = statement.lineno, _constant(statement), True
            elif name.startswith("ipcraft_"):
                hooks.add(name)
        told = told or not complete
    unread = told and api is None
    problem = None if unread else api_problem(api)
    return Outline(file, tuple(sorted(hooks)), complete, api_line, problem)


def _top_level(node: ast.AST) -> Iterator[ast.stmt]:
    """Give a module's statements, and those inside its `if`, `try` and `with`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _top_level(child)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Give the names a statement binds; a hook function counts under its hook's name."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _implemented(statement)
        case ast.ImportFrom():
            yield from (alias.asname or alias.name for alias in statement.names)
        case ast.Assign():
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _implemented(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in function.decorator_list:
        marker = decorator.func if isinstance(decorator, ast.Call) else decorator
        if ast.unparse(marker).endswith("hookspec"):
            return
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "specname" and isinstance(keyword.value, ast.Constant):
                yield str(keyword.value.value)
                return
    yield function.name


def _constant(statement: ast.stmt) -> object:
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    return value.value if isinstance(value, ast.Constant) else None
