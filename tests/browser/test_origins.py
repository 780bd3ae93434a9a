"""Pages of other origins: what a browser lets them do with a key and with presigned URLs."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.contract.calls import CONTENT
from tests.contract.project import Project

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


@pytest.fixture
def other_site(browser: Browser) -> Iterator[Page]:
    """A page of an origin that no parameter names: another host, another port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://localhost:{server.server_port}/")
        yield page
        page.close()
        server.shutdown()


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
