"""The pages for people, as a browser gets them."""

import re
from collections.abc import Iterator

import httpx2
import pytest

from tests.contract.conftest import PLAIN, check
from tests.support.template import ROOT
from tools.local.stack import LocalStack


@pytest.fixture
def browser(local_stack: LocalStack) -> Iterator[httpx2.Client]:
    """A client without a key."""
    hooks = {"response": [check]}
    with httpx2.Client(**PLAIN, base_url=local_stack.console_url, event_hooks=hooks) as client:
        yield client


@pytest.mark.parametrize(("path", "own"), [("/", "console/"), ("/docs", "docs/")])
def test_page_loads_without_a_key_with_all_that_it_names(
    browser: httpx2.Client, path: str, own: str
) -> None:
    page = browser.get(path)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:href|src)="([^":]+)"', page.text)
    assert [each for each in named if each.startswith(own)]
    for each in named:
        assert browser.get(each).status_code == 200, each
    again = browser.get(path, headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_document_is_served_as_it_is_in_docs(browser: httpx2.Client) -> None:
    answer = browser.get("/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (ROOT / "docs" / "openapi.json").read_bytes()


def test_console_may_connect_to_where_presigned_urls_lead(
    browser: httpx2.Client, local_stack: LocalStack
) -> None:
    policy = browser.get("/").headers["content-security-policy"]

    assert f"connect-src 'self' {local_stack.endpoint};" in policy
