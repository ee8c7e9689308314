"""A town for each walk: the emulators, the product in this process, and a clock that moves only when told to.

Walks on which the database has a say take ``shop`` and are walked on both: two at once, money that takes days, what falls due by the
clock, what is made up for or taken up again after a restart, and one of every kind of way in and out. The others take ``sqlite_shop``:
they differ in what a vendor answers or a page says, over queries that these walks and the tests of storage, billing and membership
send to both databases already. Walking all of them twice would take longer than anybody waits before each change.

Before each change one of every kind is walked (``EVERY_CHANGE``); all of them are with ``make test-long``.
"""

import logging
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from core.ids import Ids
from tests.conformance import RECORD
from tests.migrated import migrated
from tests.walks.shop import Shop, open_shop
from tests.walks.stage import Stage, open_stage

TEMPLATE = "doorman_walks"
WALKS = re.compile("test_(browser|browser_slack|coming_and_going|money|seasons|slack_.*|trouble|way_in|sandbox_page).py")
EVERY_CHANGE = {
    "test_a_fan_whose_first_card_is_declined_walks_from_the_link_into_the_server[phone]",
    # the way in
    "test_a_stranger_who_pays_is_inside_with_the_role[sqlite]",
    "test_a_stranger_who_pays_is_inside_with_the_role[postgresql]",
    "test_a_declined_card_is_told_on_the_payment_page_and_another_one_lets_in[sqlite]",
    "test_a_fan_who_takes_back_what_they_allowed_comes_in_by_an_invite_and_gets_the_role_on_joining[sqlite]",
    "test_a_member_who_comes_again_is_shown_the_portal_and_never_charged_twice[sqlite]",
    "test_two_clicks_at_once_lead_to_one_checkout[sqlite]",
    # what time brings
    "test_a_failed_renewal_is_forgiven_for_the_grace_with_reminders_and_then_the_role_goes[sqlite]",
    "test_a_failed_renewal_is_forgiven_for_the_grace_with_reminders_and_then_the_role_goes[postgresql]",
    "test_a_cancelled_member_keeps_access_until_the_period_ends[sqlite]",
    "test_a_refund_in_full_ends_what_it_paid_for[sqlite]",
    "test_the_end_comes_even_when_nobody_tells_of_it[sqlite]",
    # coming and going
    "test_whoever_leaves_and_comes_back_gets_the_role_at_once[sqlite]",
    "test_ending_one_of_two_plans_keeps_the_role_the_other_still_pays_for[sqlite]",
    # trouble
    "test_a_role_moved_above_the_bot_stops_the_sale_is_told_and_mended_is_granted[sqlite]",
    "test_discord_down_while_a_fan_pays_loses_nobody[sqlite]",
    "test_every_event_five_times_changes_everything_once[sqlite]",
    "test_events_that_are_lost_are_made_up_for[^WEBHOOK checkout]",
    "test_a_command_cut_off_by_a_restart_is_answered_after_it[sqlite]",
    # money
    "test_a_tip_is_thanked_in_the_notice_channel_with_its_words_letter_by_letter[sqlite]",
    "test_status_tells_a_stranger_how_to_join_and_a_member_how_they_stand[sqlite]",
    # Slack
    "test_one_payment_opens_both_doors_and_its_end_closes_both",
    "test_on_every_plan_a_member_who_pays_reads_and_one_whose_time_is_over_does_not[free]",
    "test_where_removing_is_forbidden_and_accounts_may_be_ended_the_account_goes[business+]",
    "test_a_command_whose_work_dies_after_the_acknowledgement_is_done_after_the_restart",
    "test_what_slack_did_not_sign_leaves_no_row_whatever_it_holds",
    "test_a_command_may_hold_the_word_payload",
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave to the long tier every walk that is not among those of every change."""
    if WALKS.fullmatch(item.path.name) and item.name not in EVERY_CHANGE:
        item.add_marker(pytest.mark.long)


@pytest.fixture(scope="session")
def record() -> Path | None:
    """Where to write every exchange, when somebody wants to hold them against the vendors' descriptions."""
    return Path(RECORD) if RECORD else None


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: Callable[[str], str]) -> str:
    """The name of a PostgreSQL database with every migration run, to be copied."""
    _administer(postgres_server("postgres"), f"CREATE DATABASE {TEMPLATE}")
    migrated(postgres_server(TEMPLATE))
    return TEMPLATE


@pytest.fixture
def walk_sqlite(migrated_sqlite: Path, folder_in_memory: Path) -> str:
    """The address of an empty SQLite database."""
    path = folder_in_memory / "doorman.db"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def walk_postgres(postgres_server: Callable[[str], str], migrated_postgres: str, ids: Ids) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    name = "w" + ids.secret()[:24].lower().replace("-", "_")
    _administer(postgres_server("postgres"), f"CREATE DATABASE {name} TEMPLATE {migrated_postgres}")
    yield postgres_server(name)
    _administer(postgres_server("postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def walk_database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: every walk that asks is walked on both."""
    url: str = request.getfixturevalue("walk_sqlite" if request.param == "sqlite" else "walk_postgres")
    return url


@pytest.fixture
def errors_expected() -> bool:
    """Asked for by walks on which an error is to be logged."""
    return True


@pytest.fixture(autouse=True)
def nothing_went_wrong_unseen(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A bug that was caught and logged fails the walk too."""
    yield
    if "errors_expected" in request.fixturenames:
        return
    bugs = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not bugs, [record.getMessage() for record in bugs]


@pytest.fixture
async def stage(walk_database: str, record: Path | None) -> AsyncIterator[Stage]:
    """The sandbox and the product, on SQLite and on PostgreSQL."""
    async with open_stage(walk_database, record=record) as opened:
        yield opened


@pytest.fixture
async def sqlite_stage(walk_sqlite: str, record: Path | None) -> AsyncIterator[Stage]:
    """The same for walks on which the database has no say: on SQLite alone."""
    async with open_stage(walk_sqlite, record=record) as opened:
        yield opened


@pytest.fixture
async def shop(stage: Stage) -> Shop:
    """A creator's server with two roles, on both databases; nothing is sold yet."""
    return await open_shop(stage, "Silver", "Gold")


@pytest.fixture
async def sqlite_shop(sqlite_stage: Stage) -> Shop:
    """The same on SQLite alone."""
    return await open_shop(sqlite_stage, "Silver", "Gold")


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
