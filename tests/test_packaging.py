"""What an installation holds: every plugin, every file, every entry point, and nothing else.

Runs against the editable installation of the suite and against the built wheel (`tox -e wheel`).
"""

from __future__ import annotations

import configparser
import sysconfig
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from importlib.util import find_spec
from pathlib import Path

import pytest

import ipcraft

ROOT = Path(__file__).resolve().parent.parent
GROUPS = ("console_scripts", "ipcraft.plugins", "pytest11")
BUILT_IN = [
    "sqlite",
    "postgresql",
    "local",
    "redis",
    "accounts",
    "magiclink",
    "apikeys",
    "ipam",
    "plans",
    "stripe",
    "activity",
    "webhooks",
    "nettools",
    "docs",
    "interchange",
]


def test_plugin_folders_are_the_manifests_plugins() -> None:
    """Every folder of plugins/ is an entry point in setup.cfg, and the other way round."""
    folders = {f"plugins/{folder.name}" for folder in _folders(ROOT / "plugins")}
    assert folders == {f"plugins/{module}" for module in _manifest("ipcraft.plugins").values()}


def test_a_plugins_module_is_named_after_the_plugin() -> None:
    """The entry point of the plugin NAME is the package ipcraft_NAME."""
    for name, module in _manifest("ipcraft.plugins").items():
        assert module == f"ipcraft_{name}"


def test_the_order_of_the_built_in_plugins_is_kept() -> None:
    """Plugins load in the manifest's order: storage, then who asks, then what they ask for."""
    assert list(_manifest("ipcraft.plugins")) == BUILT_IN


@pytest.mark.parametrize("group", GROUPS)
def test_installed_entry_points_are_the_manifests(group: str) -> None:
    """What the manifest says is what got installed; after a change, install again."""
    installed = {point.name: point.value for point in _installed(group)}
    assert installed == _manifest(group), "run `pip install -e .` again"


@pytest.mark.parametrize("group", GROUPS)
def test_entry_points_can_be_loaded(group: str) -> None:
    """Every entry point leads to something."""
    for point in _installed(group):
        point.load()


def test_pyproject_leaves_the_entry_points_to_setup_cfg() -> None:
    """A [project.scripts] table would drop setup.cfg's entry points from the wheel in silence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert not {"scripts", "gui-scripts", "entry-points"} & set(project)
    assert {"scripts", "entry-points"} <= set(project["dynamic"])


@pytest.mark.parametrize("package", ["ipcraft", *(f"ipcraft_{name}" for name in BUILT_IN)])
def test_packages_ship_their_types(package: str) -> None:
    """Each top-level package is marked as typed where it is installed."""
    assert (_place(package) / "py.typed").is_file()


@pytest.mark.parametrize("package", ["ipcraft", *(f"ipcraft_{name}" for name in BUILT_IN)])
def test_every_file_of_a_package_is_installed(package: str) -> None:
    """Migrations and data files come along, also from folders without `__init__.py`."""
    source = ROOT / ("" if package == "ipcraft" else "plugins") / package
    assert set(_files(source)) == set(_files(_place(package)))


def test_nothing_but_our_packages_is_installed() -> None:
    """Neither tests nor contrib get into somebody's site-packages."""
    files = _distribution().files or []
    names = {path.parts[0] for path in files if path.parts[0] != ".."}  # ..: the console script
    assert names
    assert all(
        name.startswith(("ipcraft", "__editable__")) or name == "__pycache__" for name in names
    )


def test_the_version_is_the_packages() -> None:
    """The distribution has the version that the package tells."""
    assert _distribution().version == ipcraft.__version__


def test_ci_types_what_the_readme_says() -> None:
    """The README's command for the tests stands in .ci/run, letter by letter."""
    command = next(
        line.strip()
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if "tox -m test" in line
    )
    assert command in (ROOT / "README.md").read_text()


def _manifest(group: str) -> dict[str, str]:
    """Read a group of entry points as setup.cfg has it, in its order."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lines = parser["options.entry_points"][group].strip().splitlines()
    pairs = (line.split("=", maxsplit=1) for line in lines)
    return {name.strip(): value.strip() for name, value in pairs}


def _distribution() -> Distribution:
    """Find the installation, passing over the egg-info that building leaves in the tree."""
    found = Distribution.discover(name="ipcraft", path=[sysconfig.get_path("purelib")])
    distribution = next(iter(found), None)
    assert distribution is not None, "run `pip install -e .`"
    return distribution


def _installed(group: str) -> list[EntryPoint]:
    return list(_distribution().entry_points.select(group=group))


def _place(package: str) -> Path:
    """Find the folder a package is imported from, without importing it."""
    spec = find_spec(package)
    assert spec is not None, f"{package} is not installed: run `pip install -e .` again"
    assert spec.origin is not None
    return Path(spec.origin).parent


def _folders(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__")


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(folder).as_posix()
