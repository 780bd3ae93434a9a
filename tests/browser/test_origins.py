"""Pages of other origins: what a browser lets them do with a key and with presigned URLs."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.contract.calls import CONTENT, NEW_FILE
from tests.contract.project import Project
from tools.local.stack import LocalStack

# Resolves to the status, or to "refused" if the browser gives the page no answer.
ASK = """async ({ url, ...options }) => {
    try { return (await fetch(url, options)).status; } catch { return "refused"; }
}"""


class _Blank(BaseHTTPRequestHandler):
    """A site of somebody else."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Prints nothing."""


# Makes a file in each way, reads it back, and reads what errors say: the SDK's calls, its headers.
USE = """async ({ url, key, file, content }) => {
    const headers = { Authorization: `Bearer ${key}`, "x-stainless-lang": "js" };
    const call = async (path, options = {}) => {
        const sent = { ...options, headers: { ...headers, ...options.headers } };
        const answer = await fetch(url + path, sent);
        if (!answer.headers.get("x-request-id")) throw new Error("no x-request-id");
        return answer;
    };
    const form = new FormData();
    form.append("purpose", "user_data");
    form.append("file", new Blob([content]), "small.txt");
    const once = { method: "POST", headers: { "Idempotency-Key": crypto.randomUUID() } };
    const small = await (await call("/files", { ...once, body: form })).json();
    const some = await call(`/files/${small.id}/content`, { headers: { Range: "bytes=0-2" } });

    const json = { "Content-Type": "application/json" };
    const wish = { method: "POST", headers: json, body: JSON.stringify(file) };
    const direct = await (await call("/files", wish)).json();
    const { upload } = direct;
    const put = await fetch(upload.url, { ...upload, body: content });
    const state = await (await call(`/files/${direct.id}`)).json();
    const link = await (await call(`/files/${direct.id}/url`)).json();
    const part = await fetch(link.url, { headers: { Range: "bytes=0-2" } });

    return {
        small: [some.status, await some.text(), some.headers.get("Content-Range")],
        direct: [put.status, Boolean(put.headers.get("ETag")), state.status],
        link: [part.status, await part.text(), part.headers.get("Content-Range")],
        deleted: (await call(`/files/${small.id}`, { method: "DELETE" })).status,
        refused: [
            (await call("/files/none")).status, // by a function
            (await call("/nothing")).status, // by the gateway, as the next one
            (await call("/files", { headers: { Authorization: "Bearer wrong" } })).status,
        ],
    };
}"""


@pytest.fixture
def open_site(browser: Browser) -> Iterator[Callable[[], Page]]:
    """Opens a page of an origin of its own: another host than the API's, another port."""
    with ExitStack() as opened:

        def open_site() -> Page:
            server = opened.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Blank))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            opened.callback(server.shutdown)
            page = browser.new_page()
            opened.callback(page.close)
            page.goto(f"http://localhost:{server.server_port}/")
            return page

        yield open_site


@pytest.fixture
def other_site(open_site: Callable[[], Page]) -> Page:
    """A page of an origin that no parameter names."""
    return open_site()


def test_page_of_an_origin_not_named_reaches_neither_api_nor_bucket(
    other_site: Page, project: Project
) -> None:
    # Given a page that has got hold of a key and of presigned URLs
    authorization = {"Authorization": f"Bearer {project.client.api_key}"}
    stored = project.upload_directly()
    link = project.http.get(f"/files/{stored}/url").json()["url"]
    pending = project.create_pending()
    target = pending["upload"]

    # When it calls the API and the bucket, the browser refuses
    def ask(url: str, **options: Any) -> Any:
        return other_site.evaluate(ASK, {"url": url, **options})

    assert ask(f"{project.stack.base_url}/files", headers=authorization) == "refused"
    assert ask(link) == "refused"
    put = {"method": "PUT", "headers": target["headers"], "body": CONTENT.decode()}
    assert ask(target["url"], **put) == "refused"

    # Then nothing has been written
    assert project.http.get(f"/files/{pending['id']}").json()["status"] == "pending"


@pytest.mark.parametrize("named", [True, False], ids=["one-origin", "all-origins"])
def test_pages_of_the_allowed_origin_use_api_and_bucket_and_no_others_do(
    open_site: Callable[[], Page], tmp_path: Path, named: bool
) -> None:
    # Given a stack whose operator allows the pages of one site, or of all
    page, other = open_site(), open_site()
    origin = urlsplit(page.url)._replace(path="").geturl() if named else "*"
    with LocalStack(tmp_path, parameters={"AllowedOrigin": origin}) as stack:
        key = stack.keys.create("acme")[1]

        # When a page of that site makes, reads and deletes files
        content = CONTENT.decode()
        use = {"url": stack.base_url, "key": key, "file": NEW_FILE, "content": content}
        found = page.evaluate(USE, use)

        # Then it reads every answer, errors included
        size = len(CONTENT)
        assert found == {
            "small": [206, content[:3], f"bytes 0-2/{size}"],
            "direct": [200, True, "processed"],
            "link": [206, content[:3], f"bytes 0-2/{size}"],
            "deleted": 200,
            "refused": [404, 404, 401],
        }
        # And a page of another site reads none, unless all are allowed
        ask = {"url": f"{stack.base_url}/files", "headers": {"Authorization": f"Bearer {key}"}}
        assert other.evaluate(ASK, ask) == ("refused" if named else 200)
