"""What may know what: the import contracts, and what import-linter cannot say."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from bots.platforms import GROUP

Run = Callable[..., subprocess.CompletedProcess[str]]

PACKAGES = ("adapters", "billing", "bots", "core", "membership", "sandbox", "storage", "web")
WITHOUT_PLATFORMS = ("billing", "bots", "core", "membership", "storage", "web")
QUERIES = {"delete", "exists", "func", "insert", "literal_column", "select", "text", "union", "union_all", "update"}
LINT_IMPORTS = str(Path(sys.executable).with_name("lint-imports"))
VERDICT = re.compile(r" (KEPT|BROKEN)\b")
CROSSINGS = {
    "adapters/first/__init__.py": "import storage\nimport adapters.second\nimport slack_sdk",
    "adapters/second/__init__.py": "",
    "billing/plan.py": "import membership\nimport stripe",
    "bots/router.py": "import discord",
    "core/money.py": "import socket",
    "web/app.py": "import sqlalchemy\nimport alembic",
}


def modules(root: Path, *packages: str) -> Iterator[tuple[str, str]]:
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            yield str(path.relative_to(root)), path.read_text(encoding="utf-8")


def imports(path: str, source: str) -> Iterator[tuple[str, set[str]]]:
    """Each imported module with the names taken from it."""
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", {alias.name for alias in node.names}


def test_the_import_contracts_hold(run: Run) -> None:
    verdict = run(LINT_IMPORTS, "--no-cache", "--no-logo")
    assert verdict.returncode == 0, verdict.stdout
    assert " 0 broken" in verdict.stdout


def test_every_import_contract_breaks_when_it_is_crossed(root: Path, run: Run, tmp_path: Path) -> None:
    shutil.copy(root / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for name, source in CROSSINGS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    verdict = run(LINT_IMPORTS, "--no-cache", "--no-logo", cwd=tmp_path)
    assert verdict.returncode == 1, verdict.stdout
    verdicts = VERDICT.findall(verdict.stdout)
    assert verdicts, verdict.stdout
    assert set(verdicts) == {"BROKEN"}, verdict.stdout


def test_core_imports_the_standard_library_and_itself_only(root: Path) -> None:
    known = sys.stdlib_module_names | {"core"}
    strange = {
        (path, name) for path, source in modules(root, "core") for name, _ in imports(path, source) if name.partition(".")[0] not in known
    }
    assert not strange


def test_only_storage_writes_queries(root: Path) -> None:
    others = modules(root, *(package for package in PACKAGES if package != "storage"))
    strange = {
        (path, name, *sorted(taken & QUERIES))
        for path, source in others
        for name, taken in imports(path, source)
        if name.partition(".")[0] in {"sqlalchemy", "sqlmodel"} and taken & QUERIES
    }
    assert not strange


def platform_names(root: Path) -> set[str]:
    """Every platform there is: those installed here, those this package brings, and those that are made up for tests."""
    projects = [root / "pyproject.toml", *sorted((root / "tests" / "fixtures").glob("*/pyproject.toml"))]
    declared = (tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"][GROUP] for project in projects)
    return {entry.name for entry in entry_points(group=GROUP)}.union(*declared)


def naming(names: set[str], sources: Iterable[tuple[str, str]]) -> list[str]:
    """Each place in ``sources`` with a platform's name in it, as part of a word too."""
    named = re.compile("|".join(map(re.escape, sorted(names))), re.IGNORECASE)
    return [
        f"{path}:{number}: {line.strip()}"
        for path, source in sources
        for number, line in enumerate([path, *source.splitlines()])
        if named.search(line)
    ]


def test_nothing_above_the_adapters_names_a_platform(root: Path) -> None:
    names = platform_names(root)
    assert names >= {"discord", "slack", "veranda"}
    named = naming(names, modules(root, *WITHOUT_PLATFORMS))
    assert not named, "\n".join(named)


@pytest.mark.parametrize("name", ["discord", "slack", "veranda"])
def test_a_platform_named_anywhere_in_a_file_is_found(root: Path, name: str) -> None:
    named = naming(platform_names(root), [("bots/router.py", f'"""Fine."""\nif platform == "{name.upper()}_X":'), (f"web/{name}.py", "")])
    assert named == [f'bots/router.py:2: if platform == "{name.upper()}_X":', f"web/{name}.py:0: web/{name}.py"]
