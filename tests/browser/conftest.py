"""A real browser, and the console in it."""

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from itertools import batched
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from files_api.aws.file_records import DynamoFileRecords
from files_api.service.ids import new_id
from files_api.service.model import File
from tests.contract.conftest import base_url, connect, key_store, keys, new_project, stores
from tests.contract.project import Project
from tools.local.stack import LocalStack

__all__ = ["base_url", "connect", "key_store", "keys", "new_project", "stores"]

SECONDS = 1_000  # of Playwright, in milliseconds
MB = 1_000_000
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
expect.set_options(timeout=20 * SECONDS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--picture", action="store_true", help="write docs/images/console.png again")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "Chromium is missing: apt-get install chromium"
    # Chromium's own sandbox does not run as root, as in containers.
    options = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--headless=new", *options]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_console(browser: Browser, local_stack: LocalStack) -> Iterator[Callable[..., Page]]:
    """Opens the console, in a browser without a past. At the end, no script may have failed."""
    opened: list[BrowserContext] = []
    problems: list[str] = []

    def note(page: Page) -> None:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: _note_violation(message.text, problems))
        page.on("dialog", lambda dialog: dialog.accept())

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light"} | options)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        opened.append(context)
        page = context.new_page()
        note(page)
        page.goto(local_stack.console_url)
        expect(page.get_by_label("API key")).to_be_focused()
        return page

    yield open_page
    for context in opened:
        context.close()
    assert problems == []


def _note_violation(text: str, problems: list[str]) -> None:
    if "Content Security Policy" in text:
        problems.append(text)


@pytest.fixture
def project(new_project: Callable[[str], Project], request: pytest.FixtureRequest) -> Project:
    return new_project(request.node.name.partition("[")[0].replace("_", "-"))


@pytest.fixture
def console(open_console: Callable[..., Page], project: Project) -> Page:
    """The console, signed in to the test's project."""
    page = open_console()
    sign_in(page, project)
    return page


def sign_in(page: Page, project: Project) -> None:
    page.get_by_label("API key").fill(project.client.api_key)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()


def sample(folder: Path, name: str, size: int) -> Path:
    """Writes a file whose bytes do not repeat."""
    path = folder / name
    path.write_bytes(random.Random(name).randbytes(size))
    return path


def choose(page: Page, *paths: Path) -> None:
    """Chooses files, as a person does in the dialog of the system."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(paths)


def drop(page: Page, *paths: Path) -> None:
    """Drops files and folders on the page, as a person does from the desktop."""
    devtools = page.context.new_cdp_session(page)
    files = [str(path) for path in paths]
    data = {"items": [], "files": files, "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        if step == "drop":
            expect(page.get_by_text("Drop to upload")).to_be_visible()
        event = {"type": step, "x": 200, "y": 120, "data": data}
        devtools.send("Input.dispatchDragEvent", event)


def upload(page: Page, name: str, state: str = "done") -> Any:
    """The upload of a file in the panel, in a state."""
    return page.locator(f"#uploads li[data-state={state}]").filter(has_text=name)


def row(page: Page, name: str) -> Any:
    """A file's row in the list."""
    return page.locator("#list tbody tr").filter(has_text=name)


class Slow:
    """Lets the first PUTs of parts through and holds the others, until it is opened."""

    def __init__(self, page: Page, at_first: int) -> None:
        self.sent = 0
        self._free = at_first
        page.context.route("**/*partNumber=*", self._handle)

    def _handle(self, route: Route) -> None:
        if route.request.method == "PUT" and self.sent >= self._free:
            return  # never answered
        self.sent += route.request.method == "PUT"
        route.continue_()

    def open(self) -> None:
        self.sent, self._free = 0, 1_000


# --- Many files at once ---------------------------------------------------------------------------


class _Collector:
    """A client of DynamoDB that keeps what is put in transactions."""

    def __init__(self) -> None:
        self.puts: list[Any] = []

    def transact_write_items(self, TransactItems: list[Any], **_: object) -> None:  # noqa: N803  boto3's name
        self.puts += [each["Put"] for each in TransactItems if "Put" in each]


def store_files(project: Project, names: list[str], age: int = 0, **fields: Any) -> None:
    """Stores records of files without content, created `age` seconds ago, faster than any call."""
    stores, collector = project.stores, _Collector()
    client: Any = collector
    records = DynamoFileRecords(client, stores.table)
    for number, name in enumerate(names):
        about: dict[str, Any] = {"purpose": "user_data", "bytes": 1000 + number, "expires_at": None}
        now = time.time_ns() - age * 1_000_000_000
        about |= {"id": new_id(now), "created_at": now // 1_000_000_000, "filename": name} | fields
        records.add(project.name, File(**about))
    for some in batched(collector.puts, 25, strict=False):
        requests = [{"PutRequest": {"Item": put["Item"]}} for put in some]
        stores.dynamodb.batch_write_item(RequestItems={stores.table: requests})
