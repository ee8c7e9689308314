import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from bots.drains import build_drains
from core.backoff import MAX_ATTEMPTS
from core.commands import CommandReply, CommandRequest, ReplyHandle
from core.dispatch import inbound_lane
from core.errors import ExternalError, MemberUnreachable, PermanentError, PermissionMissing, RateLimited, TransientError
from core.platform import EventKind
from storage.inbox import Busy, InboxKind, InboxRow, WorkStatus
from storage.lanes import Fenced, take
from storage.plans import PlanRow
from storage.resources import ResourceRow
from storage.spaces import SpaceRow
from tests.bots.bench import Bench, text


async def commands(bench: Bench) -> Sequence[InboxRow]:
    async with bench.base.db.reading() as session:
        return (await session.exec(select(InboxRow).where(InboxRow.kind == InboxKind.COMMAND))).all()


async def space_row(bench: Bench) -> SpaceRow:
    async with bench.base.db.reading() as session:
        return (await session.exec(select(SpaceRow))).one()


def failing_replies(bench: Bench, monkeypatch: pytest.MonkeyPatch, *errors: Exception) -> list[CommandReply]:
    """Have the next replies fail; returns where those are kept that were tried."""
    left, tried, real = list(errors), list[CommandReply](), bench.adapter.reply

    async def reply(handle: ReplyHandle, said: CommandReply) -> None:
        tried.append(said)
        if left:
            raise left.pop(0)
        await real(handle, said)

    monkeypatch.setattr(bench.adapter, "reply", reply)
    return tried


def failing_plans(bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception], times: int = 1000) -> None:
    """Have the use case behind `/doorman plan list` fail."""
    left, real = [times], bench.cases.desk.plans.listing

    async def listing(community: object) -> object:
        if left[0] > 0:
            left[0] -= 1
            raise error()
        return await real(community)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.cases.desk.plans, "listing", listing)


async def settle_with_time(bench: Bench, seconds: int = 60) -> None:
    for _ in range(seconds):
        await bench.dispatcher.settled()
        bench.clock.advance(timedelta(seconds=1))
    await bench.dispatcher.settled()


# Storing


async def test_a_command_is_stored_before_the_platform_is_told_that_we_have_it(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    (row,) = await commands(bench)
    assert (row.source, row.event_id, row.type) == ("memory", f"command:{request.id}", "status")


async def test_a_command_that_comes_twice_is_done_once(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    await bench.router.on_command(request)
    await bench.answer(request)
    await bench.router.on_command(request)
    await bench.dispatcher.settled()
    assert len(await commands(bench)) == 1
    assert len([call for call in bench.adapter.calls if call.verb == "reply"]) == 1


async def test_a_command_and_an_event_of_the_same_id_are_both_kept(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    bench.world.new_id = lambda: request.id  # type: ignore[method-assign]
    await bench.adapter.join(bench.space, bench.fan)
    async with bench.base.db.reading() as session:
        ids = (await session.exec(select(InboxRow.event_id))).all()
    assert {f"command:{request.id}", f"event:{request.id}"} <= set(ids)


async def test_what_one_person_asks_is_done_in_order(bench: Bench) -> None:
    first = await bench.adapter.ask(bench.space, bench.creator, "doorman setup", currency="EUR")
    second = await bench.adapter.ask(bench.space, bench.creator, "doorman setup")
    assert "Currency: EUR" in text(await bench.answer(second))
    assert "Currency: EUR" in text(bench.adapter.answers[first.id])
    assert len({row.lane for row in await commands(bench)}) == 1


async def test_a_closed_inbox_is_said_to_be_so(bench: Bench) -> None:
    await bench.router._group.__aexit__(None, None, None)
    with pytest.raises(Busy):
        await bench.adapter.ask(bench.space, bench.fan, "status")


async def test_the_token_to_answer_with_is_encrypted_at_rest(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    secret = replace(request, id="other", handle=replace(request.handle, data={"request": "other", "token": "canary"}))
    await bench.router.on_command(secret)
    async with bench.base.db.reading() as session:
        stored = (await session.connection()).exec_driver_sql
        rows = (await stored("SELECT payload, handle FROM inbox WHERE kind = 'command'")).all()
    assert len(rows) == 2
    assert "canary" not in str([tuple(row) for row in rows])


# Running again


@pytest.mark.parametrize("error", [TransientError("gone"), RateLimited("wait", retry_after=2)])
async def test_a_command_cut_off_before_its_answer_runs_again_and_does_nothing_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: ExternalError
) -> None:
    tried = failing_replies(bench, monkeypatch, error)
    request = await bench.adapter.ask(
        bench.space, bench.creator, "doorman plan create", name="Gold", price="9 USD", interval="month", role=bench.role.external_id
    )
    await settle_with_time(bench, 5)
    assert [said.title for said in tried] == ["Gold is ready to sell", "Done"]
    assert bench.adapter.answers[request.id].title == "Done"
    async with bench.base.db.reading() as session:
        assert len((await session.exec(select(PlanRow))).all()) == 1
    assert len(list(bench.stripe.account.table("product"))) == 1


@pytest.mark.parametrize(
    ("user", "words", "options"), [("creator", "doorman invite", {"plan": "Gold"}), ("fan", "join", {}), ("fan", "tip", {"amount": "5"})]
)
async def test_a_link_made_again_is_the_same_link(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, user: str, words: str, options: dict[str, object]
) -> None:
    await bench.plan()
    tried = failing_replies(bench, monkeypatch, TransientError("gone"))
    await bench.adapter.ask(bench.space, getattr(bench, user), words, **options)
    await settle_with_time(bench, 5)
    assert len(tried) == 2
    assert tried[0] == tried[1]


async def test_a_refusal_stays_one_when_it_is_told_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = failing_replies(bench, monkeypatch, TransientError("gone"))
    await bench.adapter.ask(bench.space, bench.fan, "join")
    await settle_with_time(bench, 5)
    assert [said.title for said in tried] == ["That won't work", "That won't work"]


# What fails


async def test_a_hiccup_is_waited_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_plans(bench, monkeypatch, lambda: TransientError("the database of the vendor is away"), times=2)
    request = await bench.adapter.ask(bench.space, bench.creator, "doorman plan list")
    await settle_with_time(bench, 10)
    assert bench.adapter.answers[request.id].title == "No plans yet"


async def test_a_longer_outage_is_told_within_seconds(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_plans(bench, monkeypatch, lambda: TransientError("canary"))
    request = await bench.adapter.ask(bench.space, bench.creator, "doorman plan list")
    await settle_with_time(bench, 10)
    said = text(bench.adapter.answers[request.id])
    assert said == "Please try again | Something I depend on is not answering right now. Nothing is lost: ask again in a minute."


async def test_what_the_creator_must_mend_is_told_with_the_platform_s_words(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_plans(bench, monkeypatch, lambda: PermissionMissing("The bot may not manage roles"))
    said = text(await bench.ask(bench.creator, "doorman plan list"))
    assert said == "I am not allowed to | The bot may not manage roles. Whoever manages this community can mend that; then ask again."


async def test_what_the_operator_must_mend_is_told_with_a_reference(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing_plans(bench, monkeypatch, lambda: PermanentError("canary", code="bad_key"))
    said = text(await bench.ask(bench.creator, "doorman plan list"))
    (row,) = await commands(bench)
    assert row.id in said
    assert "canary" not in said
    assert any(getattr(record, "reference", "") == row.id for record in caplog.records)


async def test_a_bug_is_logged_with_a_reference_that_the_asker_is_given(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing_plans(bench, monkeypatch, lambda: ZeroDivisionError("canary"))
    with caplog.at_level(logging.ERROR):
        said = text(await bench.ask(bench.creator, "doorman plan list"))
    (row,) = await commands(bench)
    assert said == f"That failed | That is my fault, not yours. If you ask for help, give the reference {row.id}."
    assert (row.status, row.error) == (WorkStatus.DEAD, "ZeroDivisionError: canary")
    (record,) = [record for record in caplog.records if record.exc_info]
    assert getattr(record, "reference", "") == row.id


async def test_one_bug_does_not_hold_up_the_next_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_plans(bench, monkeypatch, lambda: ZeroDivisionError("canary"), times=1)
    await bench.ask(bench.creator, "doorman plan list")
    assert (await bench.ask(bench.creator, "doorman plan list")).title == "No plans yet"


async def test_a_row_that_cannot_be_read_is_given_up_without_an_answer(bench: Bench) -> None:
    lane = inbound_lane("x")
    now = bench.clock.now()
    row = InboxRow(
        id="broken",
        kind=InboxKind.COMMAND,
        source="memory",
        event_id="broken",
        type="status",
        lane=lane,
        payload=b"{",
        received_at=now,
        due_at=now,
    )
    await bench.router._group.record(row)
    await bench.dispatcher.settled()
    assert [one.status for one in await commands(bench)] == [WorkStatus.DEAD]


async def test_an_asker_who_cannot_be_reached_ends_the_command(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = failing_replies(bench, monkeypatch, MemberUnreachable("closed"), MemberUnreachable("closed"))
    await bench.adapter.ask(bench.space, bench.fan, "status")
    await settle_with_time(bench, 5)
    assert len(tried) == 1
    assert [row.status for row in await commands(bench)] == [WorkStatus.DONE]


async def test_a_platform_that_stays_away_is_given_up_after_its_tries(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = failing_replies(bench, monkeypatch, *[TransientError("gone")] * 40)
    await bench.adapter.ask(bench.space, bench.fan, "status")
    for _ in range(MAX_ATTEMPTS + 2):
        await bench.dispatcher.settled()
        bench.clock.advance(timedelta(hours=1))
    await bench.dispatcher.settled()
    (row,) = await commands(bench)
    assert (len(tried), row.status, row.attempts) == (MAX_ATTEMPTS, WorkStatus.DEAD, MAX_ATTEMPTS)


async def test_being_told_to_wait_is_no_failed_try(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_replies(bench, monkeypatch, *[RateLimited("wait", retry_after=30)] * 20)
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    for _ in range(21):
        await bench.dispatcher.settled()
        bench.clock.advance(timedelta(seconds=31))
    await bench.answer(request)
    (row,) = await commands(bench)
    assert (row.status, row.attempts) == (WorkStatus.DONE, 0)


# Asking in the wrong place


async def test_a_command_outside_a_space_is_refused(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    await bench.router.on_command(replace(request, id="dm", space_external_id="", handle=_handle(request, "dm")))
    await bench.dispatcher.settled()
    assert "not in a direct message" in text(bench.adapter.answers["dm"])


async def test_a_command_of_an_older_program_is_refused_kindly(bench: Bench) -> None:
    said = text(await bench.ask(bench.fan, "dance"))
    assert said == "That won't work | I don't know that command any more. Reload the app to see the ones there are."


async def test_a_space_we_do_not_know_yet_is_asked_for_patience(bench: Bench) -> None:
    request = await bench.adapter.ask(bench.space, bench.fan, "status")
    await bench.router.on_command(replace(request, id="new", space_external_id="999", handle=_handle(request, "new")))
    await bench.dispatcher.settled()
    assert "Please try again in a minute" in text(bench.adapter.answers["new"])


def _handle(request: CommandRequest, name: str) -> ReplyHandle:
    return replace(request.handle, data={"request": name})


# Events


async def test_a_space_that_adds_us_becomes_a_community(bench: Bench) -> None:
    row = await space_row(bench)
    assert (row.name, row.installer, row.connected) == ("Cleo's place", bench.creator, True)


async def test_a_space_that_removes_us_is_noted_and_one_that_adds_us_again_comes_back(bench: Bench) -> None:
    await bench.adapter.happens(EventKind.SPACE_REMOVED, bench.space)
    await bench.dispatcher.settled()
    assert not (await space_row(bench)).connected
    await bench.adapter.happens(EventKind.SPACE_ADDED, bench.space, bench.creator, "New name")
    await bench.dispatcher.settled()
    row = await space_row(bench)
    assert (row.name, row.connected) == ("New name", True)


async def test_a_changed_role_is_looked_at_again(bench: Bench) -> None:
    await bench.plan()
    thing = bench.world.places[bench.space.external_id].things[bench.role.external_id]
    for reachable, broken in ((False, True), (True, False)):
        thing.reachable = reachable
        await bench.adapter.happens(EventKind.RESOURCES_CHANGED, bench.space)
        await bench.dispatcher.settled()
        async with bench.base.db.reading() as session:
            assert bool((await session.exec(select(ResourceRow))).one().problem) is broken


async def test_people_who_come_and_go_are_worked_off(bench: Bench) -> None:
    await bench.adapter.leave(bench.space, bench.fan)
    await bench.adapter.join(bench.space, bench.fan)
    await bench.dispatcher.settled()
    async with bench.base.db.reading() as session:
        rows = (await session.exec(select(InboxRow).where(InboxRow.kind == InboxKind.EVENT))).all()
    assert {row.status for row in rows} == {WorkStatus.DONE}
    assert {row.type for row in rows} == {EventKind.SPACE_ADDED, EventKind.MEMBER_LEFT, EventKind.MEMBER_JOINED}


# Owning a lane


async def test_whoever_lost_the_lane_records_nothing(bench: Bench) -> None:
    await bench.dispatcher.__aexit__(None, None, None)
    await bench.adapter.ask(bench.space, bench.fan, "status")
    (row,) = await commands(bench)
    old = await take(bench.base.db, row.lane, "old", bench.clock.now())
    await take(bench.base.db, row.lane, "new", bench.clock.now())
    with pytest.raises(Fenced):
        await build_drains(bench.base, bench.cases)["inbound"](row.lane, old)
    assert [one.status for one in await commands(bench)] == [WorkStatus.PENDING]
