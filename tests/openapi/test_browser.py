"""The page in a real browser: it shows every route, and a call can be made with a key."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from ipcraft.testing.fixtures import Served

pytestmark = pytest.mark.browser

_PATIENCE = 60_000
"""Milliseconds."""


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Give a page of a browser that nobody sees."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "the browser's tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(_PATIENCE)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def complaints(page: Page) -> list[str]:
    """Give what the browser has against the page: errors, and what the policy forbade."""
    found: list[str] = []
    page.on("console", lambda each: found.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Give the URLs that the page asks for."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    return found


@pytest.fixture
def shown(page: Page, served: Served, complaints: list[str], asked: list[str]) -> Page:
    """Open the page, and wait until it shows the document."""
    page.goto(f"{served.url}/docs")
    page.wait_for_selector(".opblock")
    return page


def test_every_route_is_shown(shown: Page, served: Served, complaints: list[str]) -> None:
    """Each method of each path of the document stands on the page, and nothing went wrong."""
    document = shown.request.get(f"{served.url}/api/v1/openapi.json").json()
    told = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    blocks = shown.locator(".opblock-summary").all()
    on_page = {
        (
            block.locator(".opblock-summary-method").inner_text(),
            block.locator(".opblock-summary-path").get_attribute("data-path"),
        )
        for block in blocks
    }
    assert on_page == told
    assert complaints == []


def test_nobody_else_is_asked(shown: Page, served: Served, asked: list[str]) -> None:
    """All that the page needs comes from where it came from."""
    assert [url for url in asked if not url.startswith((served.url, "data:"))] == []
    assert len(asked) >= 4


def test_a_call_is_made_with_a_key(shown: Page, served: Served, complaints: list[str]) -> None:
    """A person enters an API key, creates a folder, and sees the answer; the folder is there."""
    org = served.organization()
    shown.click("button.authorize >> nth=0")
    dialog = shown.locator(".dialog-ux .auth-container", has_text="api_key")
    dialog.locator("input").fill(org.key)
    dialog.locator("button.authorize").click()
    shown.click(".dialog-ux .btn-done >> nth=0")
    block = shown.locator("#operations-sections-post_sections")
    block.locator(".opblock-summary-control").click()
    block.locator("textarea.body-param__text").fill('{"name": "Made in a browser"}')
    block.locator("button.execute").click()
    status = block.locator(".live-responses-table .response-col_status").last
    status.wait_for()
    assert status.inner_text().split()[0] == "201"
    assert [each["name"] for each in org.get("/api/v1/sections").json()] == ["Made in a browser"]
    assert complaints == []


def test_the_key_goes_with_the_page(shown: Page, served: Served) -> None:
    """What was entered is kept nowhere in the browser."""
    assert shown.evaluate("Object.keys(localStorage).concat(Object.keys(sessionStorage))") == []
    assert shown.locator("button.authorize.unlocked").count() > 0
