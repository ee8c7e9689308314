"""The made-up platform's package, installed by pip into a folder of the tests' own: neither the network nor our environment is touched."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bots.__main__ import app, main
from bots.platforms import Platform, installed
from core.ids import PlatformName
from sandbox.clock import VirtualClock
from tests.adapters.thirdparty import guide
from tests.fixtures.veranda.emulator import Veranda

Doorman = Callable[..., str]
OFFLINE = ("--isolated", "--disable-pip-version-check", "--quiet", "--no-input", "--no-index", "--no-cache-dir")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder the package is installed in, as the guide says; building leaves traces, so a copy is built."""
    ((*words, where),) = guide.commands(".venv/bin/python -m pip")
    assert guide.ROOT / where == guide.PACKAGE
    folder = tmp_path_factory.mktemp("thirdparty")
    source = shutil.copytree(guide.PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    said = subprocess.run(  # noqa: S603 - this interpreter's own pip
        [sys.executable, "-m", "pip", *words, *OFFLINE, "--target", str(folder / "site"), str(source)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=50,
        check=False,
    )
    assert said.returncode == 0, said.stdout
    return folder / "site"


@pytest.fixture
def platforms(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[PlatformName, Platform]]:
    """Every installed platform, this one among them for as long as the test runs."""
    monkeypatch.syspath_prepend(str(site))
    yield installed()
    for name in [name for name in sys.modules if name.partition(".")[0] == "doorman_veranda"]:
        del sys.modules[name]


@pytest.fixture
def veranda(platforms: dict[PlatformName, Platform]) -> Platform:
    """The platform as its entry point has it."""
    return platforms[PlatformName("veranda")]


@pytest.fixture
def doorman(platforms: dict[PlatformName, Platform], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doorman:
    """Run the program where the package is installed, and return what it says."""
    assert platforms
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> str:
        monkeypatch.setattr(app, "registered_groups", [])  # each run adds what is installed then
        monkeypatch.setattr(sys, "argv", ["doorman", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return run


@pytest.fixture
def vendor(clock: VirtualClock) -> Veranda:
    """The vendor, not served yet."""
    return Veranda(clock)
