"""What the README and the tour say and show, held against what is."""

import re
from pathlib import Path

from adapters.discord import PERMISSIONS
from billing.stripe.events import API_VERSION, SUBSCRIBED
from sandbox.town import EVENTS

ROOT = Path(__file__).parents[2]
README, TOUR, OPERATING = ROOT / "README.md", ROOT / "docs" / "tour.md", ROOT / "docs" / "operating.md"
PICTURES = ROOT / "docs" / "screenshots"


def test_every_picture_taken_is_shown_and_told_in_words_and_none_is_shown_that_was_not_taken() -> None:
    shown: set[str] = set()
    for page in (README, TOUR):
        text = page.read_text()
        pictures = re.findall(r'<img src="([^"]+)" width="\d+" alt="([^"]{20,})">', text)
        assert len(pictures) == text.count("<img")
        shown |= {(page.parent / path).relative_to(PICTURES).name for path, _ in pictures}
    assert {path.name for path in PICTURES.iterdir()} == shown


def test_the_pictures_are_light() -> None:
    assert 0 < sum(path.stat().st_size for path in PICTURES.iterdir()) < 2_000_000


def test_every_link_between_the_papers_leads_somewhere() -> None:
    for page in (README, TOUR, OPERATING):
        links = re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_endpoint_of_the_readme_is_sent_what_doorman_listens_to() -> None:
    text = README.read_text()
    assert tuple(re.findall(r'enabled_events\[\]=([a-z_.]+)"', text)) == SUBSCRIBED == EVENTS
    assert re.findall(r"-d api_version=(\S+)", text) == [API_VERSION]


def test_the_readme_asks_for_the_permissions_the_bot_needs() -> None:
    assert set(re.findall(r"\b2684\d+\b", README.read_text())) == {str(PERMISSIONS.value), str(PERMISSIONS.value - 1)}
