"""The looks of the console: accessible, light and dark, from phone to desktop; and its picture."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import (
    DESKTOP,
    PHONE,
    Slow,
    choose,
    row,
    sample,
    sign_in,
    store_files,
    upload,
)
from tests.browser.pictures import PDF, PNG
from tests.contract.project import Project
from tests.support.template import ROOT

PICTURE = ROOT / "docs" / "images" / "console.png"
MAX_PICTURE_BYTES = 300_000
NAMES = [
    "annual-report-2026.pdf",
    "training-set.jsonl",
    "product-photo.png",
    "support-transcripts.csv",
    "handbook.md",
    "recordings.zip",
    "evaluation-results.json",
    "interview.mp3",
]
DAY = 86_400
every_size = pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
every_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


def fill(project: Project) -> None:
    """Files as a project may have them."""
    now = int(time.time())
    for number, name in reversed(list(enumerate(NAMES))):
        purpose = ["assistants", "fine-tune", "vision", "user_data"][number % 4]
        expiry = now + DAY * 3 * number if number % 3 == 1 else None
        size = 40_000 * (number * number * 37 + 9)
        store_files(
            project,
            [name],
            age=number * number * 7_000 + 500,
            purpose=purpose,
            bytes=size,
            expires_at=expiry,
        )


def assert_accessible(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def assert_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@every_scheme
@every_size
def test_every_view_is_accessible_and_fits(
    viewport: dict[str, int],
    scheme: str,
    open_console: Callable[..., Page],
    project: Project,
    tmp_path: Path,
) -> None:
    fill(project)
    project.client.files.create(file=("notes.txt", b"Some text\n" * 400), purpose="assistants")
    page = open_console(viewport=viewport, color_scheme=scheme)
    assert_accessible(page)
    assert_fits(page)

    sign_in(page, project)
    choose(page, sample(tmp_path, "a-name-that-is-longer-than-any-phone-is-wide.bin", 10))
    choose(page, sample(tmp_path, "empty.txt", 0))
    expect(upload(page, "a-name")).to_be_visible()
    page.get_by_label("Select handbook.md").check()
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("button", name="notes.txt").click()
    expect(page.locator(".preview pre")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)

    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Delete “notes.txt”?")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Cancel").click()


def test_console_is_used_by_keyboard_alone(
    open_console: Callable[..., Page], project: Project
) -> None:
    store_files(project, ["only.txt"])
    page = open_console()
    page.keyboard.type(project.client.api_key)
    page.keyboard.press("Enter")
    expect(row(page, "only.txt")).to_be_visible()

    page.get_by_label("Select only.txt").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("only.txt")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="only.txt")).to_be_focused()


def test_picture_of_the_console_is_small_and_there(
    open_console: Callable[..., Page],
    project: Project,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    fill(project)
    for name, content in {"report.pdf": PDF, "cover.png": PNG}.items():
        project.client.files.create(file=(name, content), purpose="assistants")
    page = open_console(viewport={"width": 1200, "height": 780})
    Slow(page, at_first=7)
    sign_in(page, project)
    choose(page, sample(tmp_path, "recording.mp4", 96_000_000))
    expect(upload(page, "recording.mp4", "sending")).to_contain_text("61 %")
    choose(page, sample(tmp_path, "letter.docx", 18_000))
    expect(upload(page, "letter.docx")).to_be_visible()
    page.mouse.move(0, 0)

    taken = PICTURE if request.config.getoption("picture") else tmp_path / "console.png"
    page.screenshot(path=taken)

    for path in (taken, PICTURE):
        assert 10_000 < path.stat().st_size < MAX_PICTURE_BYTES
