"""The list, the panel of a file, and deleting: what a person sees and does."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openai
import pytest
from playwright.sync_api import Page, expect

from files_api.service.keys import Keys
from files_api.service.quota import Quota
from tests.browser.conftest import MB, choose, row, sample, sign_in, store_files, upload
from tests.browser.pictures import PDF, PNG
from tests.contract.project import Project


def test_wrong_key_is_refused_with_a_sentence(open_console: Callable[..., Page]) -> None:
    page = open_console()

    page.get_by_label("API key").fill("sk-wrong")
    page.get_by_role("button", name="Continue").click()

    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("Incorrect API key provided. (Request ID: ")
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_key_that_no_header_can_carry_is_not_sent(open_console: Callable[..., Page]) -> None:
    page = open_console()

    page.get_by_label("API key").fill("sk-é key")
    page.get_by_role("button", name="Continue").click()

    assert not page.get_by_label("API key").evaluate("each => each.validity.valid")
    assert page.evaluate("sessionStorage.length") == 0


def test_console_works_below_the_stage_of_an_api(
    console: Page, project: Project, tmp_path: Path
) -> None:
    # As on AWS without a domain of its own
    stack = project.stack
    api, stage = stack.outputs["ApiId"], stack.outputs["StageName"]
    console.goto(f"{stack.endpoint}/_aws/execute-api/{api}/{stage}/")
    sign_in(console, project)

    choose(console, sample(tmp_path, "six.bin", 6 * MB))

    expect(upload(console, "six.bin")).to_be_visible()
    expect(row(console, "six.bin")).to_be_visible()


def test_key_is_kept_for_the_tab_until_signing_out(console: Page, project: Project) -> None:
    console.reload()
    expect(console.get_by_role("button", name="Choose files")).to_be_visible()
    assert project.client.api_key not in console.content()

    other_tab = console.context.new_page()
    other_tab.goto(console.url)
    expect(other_tab.get_by_label("API key")).to_be_visible()

    console.get_by_role("button", name="Sign out").click()
    expect(console.get_by_label("API key")).to_be_visible()
    console.reload()
    expect(console.get_by_label("API key")).to_be_visible()


def test_each_key_sees_the_files_of_its_project(
    open_console: Callable[..., Page], new_project: Callable[[str], Project]
) -> None:
    mine, other = new_project("mine"), new_project("other")
    store_files(mine, ["mine.txt"])
    store_files(other, ["theirs.txt"])
    page = open_console()

    for project, visible, hidden in [
        (mine, "mine.txt", "theirs.txt"),
        (other, "theirs.txt", "mine.txt"),
    ]:
        sign_in(page, project)
        expect(row(page, visible)).to_be_visible()
        expect(row(page, hidden)).to_have_count(0)
        page.get_by_role("button", name="Sign out").click()


def test_list_of_10000_files_scrolls_without_a_stutter(console: Page, project: Project) -> None:
    store_files(project, [f"file-{number:05}.txt" for number in range(10_000)])
    console.get_by_role("button", name="Refresh").click()
    expect(row(console, "file-09999.txt")).to_be_visible()

    # When a person scrolls to the end, the list loads as it goes
    slowest = console.evaluate(
        """async () => {
            let slowest = 0, before = await new Promise(requestAnimationFrame);
            const count = document.querySelector("#count");
            const end = () => scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
            while (!(end() && count.textContent === "10,000 files")) {
                scrollBy(0, 4000);
                const now = await new Promise(requestAnimationFrame);
                slowest = Math.max(slowest, now - before);
                before = now;
            }
            return slowest;
        }"""
    )

    # Then the first file is there, few rows are in the page, and no frame has taken long
    expect(row(console, "file-00000.txt")).to_be_visible()
    assert console.locator("#list tbody tr").count() < 100
    assert slowest < 250, f"a frame took {slowest} ms"


def test_list_is_filtered_by_purpose_and_turned_around(console: Page, project: Project) -> None:
    store_files(project, ["first.txt", "second.txt"])
    store_files(project, ["picture.png"], purpose="vision")
    console.get_by_role("button", name="Refresh").click()
    names = console.locator("#list tbody .open")
    expect(names).to_have_text(["picture.png", "second.txt", "first.txt"])

    console.get_by_role("button", name="Created").click()
    expect(names).to_have_text(["first.txt", "second.txt", "picture.png"])
    console.locator("#filter").select_option("vision")
    expect(names).to_have_text(["picture.png"])
    expect(console.locator("#count")).to_have_text("1 file")
    console.locator("#filter").select_option("evals")
    expect(console.get_by_text("There are no files of this purpose.")).to_be_visible()


def test_many_files_are_deleted_with_one_confirmation(console: Page, project: Project) -> None:
    store_files(project, [f"file-{number}.txt" for number in range(40)])
    console.get_by_role("button", name="Refresh").click()
    console.get_by_label("Select all loaded files").check()
    console.get_by_label("Select file-37.txt").uncheck()

    console.get_by_role("button", name="Delete 39 files").click()
    expect(console.get_by_role("dialog")).to_contain_text("Delete 39 files?")
    console.get_by_role("button", name="Cancel").click()
    assert len(project.client.files.list().data) == 40
    console.get_by_role("button", name="Delete 39 files").click()
    console.get_by_role("button", name="Delete", exact=True).click()

    expect(console.locator("#count")).to_have_text("1 file")
    expect(console.locator("#notices")).to_contain_text("39 files deleted.")
    assert [file.filename for file in project.client.files.list()] == ["file-37.txt"]


def test_panel_tells_about_a_file_and_copies_its_id_and_link(
    console: Page, project: Project
) -> None:
    file = project.client.files.create(
        file=("é 日本.txt", b"Hello"),
        purpose="assistants",
        expires_after={"anchor": "created_at", "seconds": 86_400},
    )
    console.get_by_role("button", name="Refresh").click()
    console.get_by_role("button", name="é 日本.txt").click()
    panel = console.get_by_role("dialog")

    for text in (file.id, "5 bytes", "assistants", "processed", "tomorrow"):
        expect(panel).to_contain_text(text)
    panel.get_by_role("button", name="Copy the ID").click()
    expect(console.locator("#notices")).to_contain_text("ID copied.")
    assert console.evaluate("navigator.clipboard.readText()") == file.id
    panel.get_by_role("button", name="Copy link").click()
    expect(console.locator("#notices")).to_contain_text("Link copied.")
    assert project.store.get(console.evaluate("navigator.clipboard.readText()")).content == b"Hello"
    with console.expect_download() as download:
        panel.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "é 日本.txt"
    assert download.value.path().read_bytes() == b"Hello"
    console.keyboard.press("Escape")
    expect(panel).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("notes.md", b"# Plain text", "pre"),
        ("page.html", b"<script>document.title = 'run'</script>", "pre"),
        ("photo.png", PNG, "img"),
        (
            "drawing.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
            b"<script>document.title = 'run'</script></svg>",
            "img",
        ),
        ("report.pdf", PDF, "iframe"),
    ],
)
def test_preview_shows_and_runs_nothing(
    console: Page, project: Project, name: str, content: bytes, shown: str
) -> None:
    project.client.files.create(file=(name, content), purpose="user_data")
    console.get_by_role("button", name="Refresh").click()
    console.get_by_role("button", name=name).click()

    preview = console.locator(f".preview {shown}")
    expect(preview).to_be_visible()
    if shown == "pre":
        expect(preview).to_have_text(content.decode())
    console.wait_for_timeout(200)
    assert console.title() == "Files"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("broken.png", "This file is not an image, or is damaged."),
        ("page.pdf", "This file is not a PDF."),
        ("program.exe", "There is no preview for files of this type."),
    ],
)
def test_what_cannot_be_shown_is_said(
    console: Page, project: Project, name: str, sentence: str
) -> None:
    html = b"<script>document.title = 'run'</script>"
    project.client.files.create(file=(name, html), purpose="user_data")
    console.get_by_role("button", name="Refresh").click()
    console.get_by_role("button", name=name).click()

    expect(console.locator(".preview")).to_have_text(sentence)
    assert console.title() == "Files"


@pytest.mark.parametrize(
    ("quota", "said", "share"),
    [
        (Quota(), "2 files · 1.5 kB", None),
        (Quota(bytes=2_000), "2 files · 1.5 kB of 2 kB", 0.75),
        (Quota(files=2, bytes=0), "2 of 2 files · 1.5 kB of 0 bytes", 1),
        (Quota(files=0), "2 of 0 files · 1.5 kB", 1),
    ],
)
def test_usage_and_limits_are_shown(
    open_console: Callable[..., Page],
    project: Project,
    keys: Keys,
    connect: Callable[[str], openai.OpenAI],
    quota: Quota,
    said: str,
    share: float | None,
) -> None:
    for size in (500, 1_000):
        project.client.files.create(file=("a.txt", b"a" * size), purpose="user_data")
    keys.limit(project.name, quota)  # the gateway still knows the project's first key without it
    console = open_console()
    sign_in(console, replace(project, client=connect(keys.create(project.name)[1])))

    usage = console.locator("#usage")
    expect(usage).to_have_text(said)
    bars = usage.get_by_label("Storage used")
    assert [bar.get_attribute("value") for bar in bars.all()] == [str(share)] * (share is not None)


def test_offline_is_said_in_a_sentence(console: Page) -> None:
    console.context.set_offline(True)

    console.get_by_role("button", name="Refresh").click()

    expect(console.locator("#notices")).to_contain_text("You are offline.")
    expect(console.get_by_text("The list could not be loaded.")).to_be_visible()


def test_file_that_expired_meanwhile_is_said_with_the_request_id(
    console: Page, project: Project
) -> None:
    store_files(project, ["short.txt"], expires_at=int(time.time()) + 3)
    console.get_by_role("button", name="Refresh").click()
    expect(row(console, "short.txt")).to_be_visible()
    console.wait_for_timeout(3_500)

    console.get_by_role("button", name="short.txt").click()

    expect(console.locator(".preview")).to_contain_text("(Request ID: ")
