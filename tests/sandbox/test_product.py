"""The product as a child process: what is said when it does not do as it should."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from sandbox.product import ProductError, free_port, running


def installed(folder: Path, program: str) -> Mapping[str, str]:
    """Return an environment in which ``program`` stands in the product's place."""
    (folder / "bots").mkdir()
    (folder / "bots" / "__main__.py").write_text(program)
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1", "PUBLIC_URL": f"http://127.0.0.1:{free_port()}"}


async def told(folder: Path, program: str) -> str:
    with pytest.raises(ProductError) as error:
        async with running(installed(folder, program), folder / "log", ready_within=2.0):
            raise AssertionError("it was never ready")
    return str(error.value)


@pytest.mark.long
async def test_one_that_is_never_ready_is_said_to_be_and_not_only_that_it_did_not_stop(tmp_path: Path) -> None:
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('still busy', flush=True)\ntime.sleep(99)"
    said = await told(tmp_path, deaf)
    assert said == "Doorman was not ready after 2 s. If this machine is busy, try again. The end of its log:\nstill busy\n"


async def test_one_that_ends_by_itself_is_said_to_with_its_last_words(tmp_path: Path) -> None:
    assert await told(tmp_path, "raise SystemExit('SECRET_KEY is missing')") == (
        "Doorman ended by itself. The end of its log:\nSECRET_KEY is missing\n"
    )


async def test_one_without_words_is_said_to_have_had_none(tmp_path: Path) -> None:
    assert await told(tmp_path, "raise SystemExit(1)") == "Doorman ended by itself. It logged nothing."
