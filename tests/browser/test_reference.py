"""The reference: it loads under its policy, and calls can be tried in it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, sample
from tests.contract.project import Project
from tests.support.openapi import DOCUMENT
from tools.local.stack import LocalStack

OPERATIONS = sum(len(methods) for methods in DOCUMENT["paths"].values())
# Swagger UI does not label its controls; its colours and the frame around it are ours.
OURS = {"exclude": [["#reference"]]}
COLOURS = {"runOnly": ["color-contrast"]}


@pytest.fixture
def open_reference(browser: Browser, local_stack: LocalStack) -> Iterator[Callable[..., Page]]:
    """Opens the reference, in a browser without a past. At the end, nothing may have failed."""
    opened: list[BrowserContext] = []
    problems: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light"} | options)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text))
        page.goto(local_stack.reference_url)
        expect(page.locator(".opblock")).to_have_count(OPERATIONS)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert problems == []


@pytest.fixture
def reference(open_reference: Callable[..., Page], project: Project) -> Page:
    """The reference, with the key of the test's project."""
    page = open_reference()
    page.get_by_role("button", name="Authorize").click()
    dialog = page.locator(".dialog-ux")
    dialog.get_by_role("textbox").fill(project.client.api_key)
    dialog.get_by_role("button", name="Apply credentials").click()
    dialog.get_by_role("button", name="Close").click()
    return page


def opened(page: Page, operation: str) -> Locator:
    """A call of the reference, unfolded."""
    block = page.locator(f"[id$=-{operation}].opblock")
    block.locator(".opblock-summary-control").click()
    return block


def executed(block: Locator) -> Any:
    """The JSON that a call answers."""
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response .response-col_status")).to_contain_text(
        "200"
    )
    return json.loads(
        block.locator(".live-responses-table .highlight-code code").first.inner_text()
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_reference_is_accessible_and_fits(
    viewport: dict[str, int], scheme: str, open_reference: Callable[..., Page]
) -> None:
    page = open_reference(viewport=viewport, color_scheme=scheme)
    opened(page, "list_files")
    opened(page, "create_file")

    for found in (Axe().run(page, OURS), Axe().run(page, options=COLOURS)):
        assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = "dark-mode" in (page.locator("html").get_attribute("class") or "")
    assert dark == (scheme == "dark")


def test_calls_are_tried_with_a_key(reference: Page, project: Project) -> None:
    file = project.client.files.create(file=("notes.txt", b"text"), purpose="assistants")

    listed = executed(opened(reference, "list_files"))

    assert [each["id"] for each in listed["data"]] == [file.id]


def test_form_is_sent_with_a_file(reference: Page, project: Project, tmp_path: Path) -> None:
    path = sample(tmp_path, "letter.pdf", 2_000)
    block = opened(reference, "create_file")
    block.locator("input[type=file]").set_input_files(path)

    file = executed(block)

    assert (file["filename"], file["bytes"], file["status"]) == ("letter.pdf", 2_000, "processed")
    assert project.client.files.content(file["id"]).read() == path.read_bytes()


def test_console_and_reference_lead_to_each_other(open_reference: Callable[..., Page]) -> None:
    page = open_reference()
    page.get_by_role("link", name="Console", exact=True).click()
    expect(page.get_by_label("API key")).to_be_visible()
    page.get_by_role("link", name="API", exact=True).click()
    expect(page.locator(".opblock")).to_have_count(OPERATIONS)
