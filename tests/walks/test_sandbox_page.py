"""The page about the sandbox: its lines do what it says, as they stand there."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.cast import first_of_all
from tests.walks.stage import Stage

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


class Shell:
    """One shell after another, each with what the ones before it had set."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._kept = folder / "kept"
        self._kept.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
        (folder / ".curlrc").write_text("fail-with-body\n")
        self._environment = {"PATH": os.defpath, "CURL_HOME": str(folder)}

    async def run(self, lines: str) -> str:
        """Run lines, each of which must succeed, and return what they printed."""
        script = f". {self._kept}\n{lines}\nset > {self._kept}.all; grep '^LINK=' {self._kept}.all >> {self._kept} || true\n"
        process = await asyncio.create_subprocess_exec(
            "sh", "-euc", script, env=self._environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        return printed.decode()


@pytest.mark.skipif(not shutil.which("curl", path=os.defpath), reason="the page's lines need curl")
async def test_the_lines_on_the_page_take_a_stranger_from_a_link_into_the_server(sqlite_stage: Stage, tmp_path: Path) -> None:
    await first_of_all(sqlite_stage.town.cast)
    shell = Shell(tmp_path, SANDBOX=sqlite_stage.town.control_url)
    printed = []
    for block in BLOCKS:
        printed.append([json.loads(line) for line in (await shell.run(block)).splitlines()])
        await sqlite_stage.settled()
    assert f"{sqlite_stage.town.control_url}/servers/Kitchen/bot" in " ".join(sqlite_stage.town.introduction())
    creating, buying, being_in, breaking = printed
    assert creating[0]["bot"] is True
    assert "is ready to sell" in creating[2]["text"]
    assert [one.get("paid") for one in buying] == [None, None, None, None, False, True]
    assert "declined" in buying[4]["says"]
    assert being_in[0]["servers"]["Kitchen"]["roles"] == ["Gold"]
    assert "Gold" in being_in[1]["text"]
    assert breaking[2]["taken"]["stripe duplicate"] > 0
    assert len(sqlite_stage.charges()) == 2


async def ask(stage: Stage, path: str, body: object = None) -> tuple[int, Any]:
    async with aiohttp.request("GET" if body is None else "POST", stage.town.control_url + path, json=body) as answer:
        return answer.status, await answer.json()


async def test_a_story_can_be_cast_from_nothing_and_what_cannot_be_done_is_said(sqlite_stage: Stage) -> None:
    for name in ("dora", "emil"):
        assert await ask(sqlite_stage, "/people", {"name": name}) == (200, {"name": name})
    status, server = await ask(sqlite_stage, "/servers", {"name": "Atelier", "owner": "dora", "roles": ["Low", "High"]})
    assert (status, server["members"], server["bot"]) == (200, ["dora"], False)
    assert {"Low", "High"} <= set(server["roles"])
    assert (await ask(sqlite_stage, "/people/emil/join", {"server": "Atelier"}))[0] == 200
    assert list((await ask(sqlite_stage, "/people/emil"))[1]["servers"]) == ["Atelier"]
    assert (await ask(sqlite_stage, "/people/emil/leave", {"server": "Atelier"}))[1]["servers"] == {}
    refused: list[tuple[str, object, int, str]] = [
        ("/people", {"name": "dora"}, 409, "the name dora is taken."),
        ("/people", {"name": "no spaces"}, 400, "“name” should"),
        ("/people/nobody", None, 409, "there is no nobody: POST /people brings in someone new."),
        ("/servers", {"name": "Atelier", "owner": "dora"}, 409, "there is a server Atelier already."),
        ("/servers/Shed/bot", {}, 409, "there is no server Shed; there is Atelier."),
        ("/people/dora/command", {"server": "Atelier", "words": "doorman plan create"}, 409, "/doorman plan create needs name, price"),
        ("/people/dora/command", {"server": "Atelier", "command": "x"}, 400, "“words” is missing."),
        ("/people/dora/click", {"button": "Yes"}, 409, "dora sees no button “Yes”."),
        ("/people/dora/open", {"url": "https://example.com/"}, 400, "“url” should"),
        ("/people/dora/press", {"button": "Pay"}, 409, "no button “Pay”"),
        ("/people/dora/pay", {}, 409, "dora is at no checkout"),
    ]
    for path, body, status, said in refused:
        told = await ask(sqlite_stage, path, body)
        assert told[0] == status, (path, told)
        assert said in told[1]["errors"][0], (path, told)
