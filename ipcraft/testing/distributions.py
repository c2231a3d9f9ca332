"""Throw-away distributions: what pip leaves in site-packages, written into a folder.

For tests of how plugins are found and loaded. With the folder on `sys.path`,
`importlib.metadata` finds them as it finds real ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_distribution(
    folder: Path,
    name: str,
    *,
    version: str = "1.0",
    plugins: Mapping[str, str],
    files: Mapping[str, str],
    requires: Sequence[str] = (),
) -> None:
    """Write a distribution.

    `plugins` maps the names of its ``ipcraft.plugins`` entry points to modules, `files` the
    paths of its files to their text, `requires` are its requirements.

    >>> write_distribution(
    ...     tmp_path,
    ...     "ipcraft-example",
    ...     plugins={"example": "ipcraft_example"},
    ...     files={"ipcraft_example.py": "API = 1"},
    ... )  # doctest: +SKIP
    """
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    lines = [f"Requires-Dist: {requirement}" for requirement in requires]
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
    points = [f"{plugin} = {module}" for plugin, module in plugins.items()]
    written = {
        **files,
        f"{info}/METADATA": "\n".join(metadata),
        f"{info}/entry_points.txt": "\n".join(["[ipcraft.plugins]", *points]),
    }
    record = "".join(f"{path},,\n" for path in (*written, f"{info}/RECORD"))
    for path, text in {**written, f"{info}/RECORD": record}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text if text.endswith("\n") else f"{text}\n", encoding="utf-8")
