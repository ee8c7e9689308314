"""What may know what: the import contracts, and what import-linter cannot say."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

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


def test_nothing_above_the_adapters_names_a_platform(root: Path) -> None:
    names = {path.name for path in (root / "adapters").iterdir() if (path / "__init__.py").exists()} | {"discord", "slack"}
    named = re.compile("|".join(sorted(names)), re.IGNORECASE)
    lines = [
        f"{path}:{number}: {line.strip()}"
        for path, source in modules(root, *WITHOUT_PLATFORMS)
        for number, line in enumerate(source.splitlines(), 1)
        if named.search(line)
    ]
    assert not lines, "\n".join(lines)
