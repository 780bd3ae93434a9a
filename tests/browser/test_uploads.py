"""Uploads by a person: any size, through reloads and lost connections."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import MB, Slow, choose, drop, row, sample, sign_in, store_files, upload
from tests.contract.calls import sha256_of
from tests.contract.deployed import configured
from tests.contract.project import Project


def stored(project: Project) -> dict[str, str]:
    """The SHA-256 of each file of a project, by its name."""
    return {
        file.filename: sha256_of(project.client, file.id) for file in project.client.files.list()
    }


def digests(*paths: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_files_of_several_sizes_arrive_as_they_are(
    console: Page, project: Project, tmp_path: Path
) -> None:
    paths = [
        sample(tmp_path, "one.bin", 1_000),
        sample(tmp_path, "six.bin", 6 * MB),
        sample(tmp_path, "eighty.bin", 80 * MB),
    ]

    choose(console, *paths)

    for path in paths:
        expect(upload(console, path.name)).to_be_visible(timeout=60_000)
        expect(row(console, path.name)).to_be_visible()
    expect(console.locator("#overall")).to_contain_text("3 of 3 done")
    assert stored(project) == digests(*paths)


def test_empty_file_is_refused_with_a_sentence(
    console: Page, project: Project, tmp_path: Path
) -> None:
    choose(console, sample(tmp_path, "empty.txt", 0), sample(tmp_path, "full.txt", 1))

    notice = console.locator("#notices")
    expect(notice).to_contain_text("“empty.txt” was not sent: it is empty")
    expect(upload(console, "full.txt")).to_be_visible()
    assert [file.filename for file in project.client.files.list()] == ["full.txt"]


def test_upload_goes_on_after_a_reload(console: Page, project: Project, tmp_path: Path) -> None:
    # Given a file of ten parts of which some have arrived
    path = sample(tmp_path, "eighty.bin", 80 * MB)
    slow = Slow(console, at_first=4)
    choose(console, path)
    expect(upload(console, path.name, "sending")).to_contain_text("%")
    while slow.sent < 4:
        console.wait_for_timeout(100)
    console.wait_for_timeout(500)

    # When the page is loaded again, and the file chosen again
    console.reload()
    interrupted = upload(console, path.name, "interrupted")
    expect(interrupted).to_contain_text("choose the same file to go on")
    slow.open()
    with console.expect_file_chooser() as chooser:
        interrupted.get_by_role("button", name="Choose file").click()
    chooser.value.set_files(path)

    # Then only the other parts are sent, and it is one file
    expect(upload(console, path.name)).to_be_visible(timeout=60_000)
    assert slow.sent <= 6
    assert stored(project) == digests(path)


def test_another_file_cannot_complete_an_interrupted_upload(
    console: Page, project: Project, tmp_path: Path
) -> None:
    path = sample(tmp_path, "ten.bin", 10 * MB)
    Slow(console, at_first=0)
    choose(console, path)
    expect(upload(console, path.name, "sending")).to_be_visible()
    console.wait_for_timeout(1_000)
    console.reload()

    with console.expect_file_chooser() as chooser:
        console.get_by_role("button", name="Choose file", exact=True).click()
    chooser.value.set_files(sample(tmp_path, "other.bin", 10 * MB))

    expect(console.locator("#notices")).to_contain_text("That is another file: choose “ten.bin”")


def test_upload_pauses_resumes_and_is_cancelled(
    console: Page, project: Project, tmp_path: Path
) -> None:
    path = sample(tmp_path, "twenty.bin", 20 * MB)
    slow = Slow(console, at_first=1)
    choose(console, path)
    expect(upload(console, path.name, "sending")).to_contain_text(" %")

    console.get_by_role("button", name="Pause twenty.bin").click()
    expect(upload(console, path.name, "paused")).to_contain_text("paused")
    console.get_by_role("button", name="Resume twenty.bin").click()
    expect(upload(console, path.name, "sending")).to_be_visible()
    console.get_by_role("button", name="Cancel twenty.bin").click()
    expect(console.locator("#uploads")).to_be_hidden()

    console.reload()
    expect(console.locator("#uploads")).to_be_hidden()
    assert project.items() == []
    slow.open()
    choose(console, path)
    expect(upload(console, path.name)).to_be_visible(timeout=60_000)
    assert stored(project) == digests(path)


def test_upload_waits_while_the_browser_is_offline(
    console: Page, project: Project, tmp_path: Path
) -> None:
    path = sample(tmp_path, "twenty.bin", 20 * MB)
    console.context.set_offline(True)

    choose(console, path)

    expect(console.locator("#overall")).to_contain_text("offline: goes on by itself")
    console.context.set_offline(False)
    expect(upload(console, path.name)).to_be_visible(timeout=60_000)
    assert stored(project) == digests(path)


def test_purpose_and_expiry_are_those_chosen(
    console: Page, project: Project, tmp_path: Path
) -> None:
    console.get_by_label("Purpose").first.select_option("vision")
    console.get_by_label("Expires").select_option("in a day")

    choose(console, sample(tmp_path, "photo.png", 10))

    expect(row(console, "photo.png")).to_contain_text("tomorrow")
    (file,) = project.client.files.list()
    assert file.purpose == "vision"
    assert file.expires_at == file.created_at + 86_400


def test_only_lifetimes_within_the_bounds_are_offered(
    open_console: Callable[..., Page], project: Project
) -> None:
    bounds = {"MIN_LIFETIME_SECONDS": "7200", "MAX_LIFETIME_SECONDS": "604800"}
    with configured(project.stack, "Pages", **bounds):
        page = open_console()
        sign_in(page, project)

        options = page.get_by_label("Expires").locator("option")
        expect(options).to_have_text(["by default", "in a day", "in a week"])


def test_dropped_files_and_folders_are_sent(
    console: Page, project: Project, tmp_path: Path
) -> None:
    single, folder = sample(tmp_path, "single.txt", 2), tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    sample(folder, "outer.txt", 3)
    sample(folder / "inner", "inner.txt", 4)

    drop(console, single, folder)

    for name in ("single.txt", "outer.txt", "inner.txt"):
        expect(row(console, name)).to_be_visible()
    assert len(project.client.files.list().data) == 3


def test_chosen_folder_is_sent(console: Page, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    sample(folder / "inner", "inner.txt", 4)

    with console.expect_file_chooser() as chooser:
        console.get_by_role("button", name="Folder").click()
    chooser.value.set_files(folder)

    expect(row(console, "inner.txt")).to_be_visible()


def test_dropped_file_is_found_again_after_a_reload(
    console: Page, project: Project, tmp_path: Path
) -> None:
    path = sample(tmp_path, "twenty.bin", 20 * MB)
    slow = Slow(console, at_first=1)
    drop(console, path)
    expect(upload(console, path.name, "sending")).to_contain_text(re.compile("[1-9][0-9] %"))

    console.reload()
    slow.open()
    upload(console, path.name, "interrupted").get_by_role("button", name="Resume").click()

    expect(upload(console, path.name)).to_be_visible(timeout=60_000)
    assert slow.sent <= 2
    assert stored(project) == digests(path)


def test_unfinished_uploads_are_shown_to_their_key_alone(
    open_console: Callable[..., Page], new_project: Callable[[str], Project], tmp_path: Path
) -> None:
    mine, other = new_project("mine"), new_project("other")
    page = open_console()
    sign_in(page, mine)
    Slow(page, at_first=0)
    choose(page, sample(tmp_path, "secret-plan.bin", 10 * MB))
    expect(upload(page, "secret-plan.bin", "sending")).to_be_visible()
    page.wait_for_timeout(1_000)

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, other)
    expect(page.get_by_text("There are no files yet.")).to_be_visible()
    expect(page.get_by_text("secret-plan.bin")).to_have_count(0)

    page.get_by_role("button", name="Sign out").click()
    sign_in(page, mine)
    expect(upload(page, "secret-plan.bin", "interrupted")).to_be_visible()


@pytest.mark.parametrize("size", [1_000, 10 * MB])
def test_key_that_may_only_read_is_told_so(
    open_console: Callable[..., Page],
    project: Project,
    keys: Any,
    tmp_path: Path,
    size: int,
) -> None:
    store_files(project, ["visible.txt"])
    page = open_console()
    page.get_by_label("API key").fill(keys.create(project.name, scopes=["files:read"])[1])
    page.get_by_role("button", name="Continue").click()
    expect(row(page, "visible.txt")).to_be_visible()

    choose(page, sample(tmp_path, "new.bin", size))

    failed = upload(page, "new.bin", "failed")
    expect(failed).to_contain_text("This API key lacks the scope 'files:write'. (Request ID: ")
