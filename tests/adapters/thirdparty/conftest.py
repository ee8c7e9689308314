"""The made-up platform's package, installed by pip into a folder of the tests' own: neither the network nor our environment is touched."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bots.platforms import Platform, installed
from core.ids import PlatformName
from sandbox.clock import VirtualClock
from tests.fixtures.veranda.emulator import Veranda

PACKAGE = Path(__file__).parents[2] / "fixtures" / "veranda"
PIP = ("-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet", "--no-input", "--no-cache-dir")
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index")


@pytest.fixture
def package() -> Path:
    """The package's folder, as its author has it."""
    return PACKAGE


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder the package is installed in, once; building leaves traces, so a copy is built."""
    folder = tmp_path_factory.mktemp("thirdparty")
    source = shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    said = subprocess.run(  # noqa: S603 - this interpreter's own pip
        [sys.executable, *PIP, *OFFLINE, "--target", str(folder / "site"), str(source)],
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
def vendor(clock: VirtualClock) -> Veranda:
    """The vendor, not served yet."""
    return Veranda(clock)
