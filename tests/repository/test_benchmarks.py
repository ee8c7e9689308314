import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.long
def test_group_commit_shares_commits_and_prints_its_ratio(run: Run, tmp_path: Path) -> None:
    arguments = ("--events", "200", "--clients", "8", "--directory", str(tmp_path), "--json")
    said = run(sys.executable, "-W", "error", "-m", "benchmarks.group_commit", *arguments)
    assert said.returncode == 0, said.stdout
    result = json.loads(said.stdout)
    assert result["ratio"] > 0
    assert result["group_commit"]["events_per_commit"] > result["one_by_one"]["events_per_commit"] == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.long
def test_the_sweep_ends_what_raw_sql_ends_and_prints_its_ratio(run: Run, tmp_path: Path) -> None:
    said = run(sys.executable, "-W", "error", "-m", "benchmarks.sweep", "--members", "30000", "--directory", str(tmp_path), "--json")
    assert said.returncode == 0, said.stdout
    result = json.loads(said.stdout)
    assert result["ratio"] > 0
    assert result["sweep"]["ended"] == result["raw"]["ended"] == 300
    assert result["sweep"]["peak_mb"] < 150
    assert not list(tmp_path.iterdir())
