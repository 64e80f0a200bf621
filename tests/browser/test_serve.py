"""What `peak serve` offers, in real Chromium: pages are shown, nothing else is answered, nothing else is asked."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from peak_trade.watch.serve import POLL_SECONDS, server

METHODS = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@pytest.fixture
def url(site: Path) -> Iterator[str]:
    """The address of a server of the run, on a free port of the loopback interface."""
    with server(site, 0) as found:
        thread = Thread(target=found.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        yield found.url
        found.shutdown()
        thread.join()


def test_pages_are_shown_under_their_policy(opened: Any, url: str) -> None:
    """From the list of runs a click leads to the operator's page and to the report; every style applies."""
    start = opened(url)
    for name in ("status.html", "report.html"):
        start.page.goto(url)
        start.page.get_by_role("link", name=name).click()
        start.page.wait_for_url(f"{url}run/{name}")
        assert start.page.locator("h1").is_visible()
        assert start.page.evaluate("getComputedStyle(document.querySelector('.banner')).borderLeftStyle") == "solid"
    assert start.said == []
    assert {address.partition("?")[0] for address in start.asked} <= {
        url,
        f"{url}run/status.html",
        f"{url}run/report.html",
    }


def test_only_reading_is_answered(opened: Any, url: str) -> None:
    """Pages are 200, other methods 405, what is not there 404, and no answer may be framed or scripted."""
    request = opened(url).page.context.request
    for path in ("", "run/status.html", "run/report.html"):
        found = request.get(url + path)
        assert found.status == 200
        policy = found.headers["content-security-policy"]
        assert "script-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        for method in METHODS:
            assert request.fetch(url + path, method=method).status == 405
    assert request.get(f"{url}run/journal.jsonl").status == 404


def test_the_review_is_shown_and_its_simulator_works(opened: Any, url: str) -> None:
    """From the start a click leads to the review and on to a simulator, whose script runs; nothing else is asked."""
    start = opened(url)
    start.page.get_by_role("link", name="The review of the specifications").click()
    start.page.wait_for_url(f"{url}review/")
    assert start.page.locator("h1").is_visible()
    start.page.goto(f"{url}review/simulator-order.html")
    assert start.page.locator("#state").inner_text() == "initialized"
    start.page.get_by_role("button", name="deny").click()
    assert start.page.locator("#state").inner_text() == "denied"
    assert start.said == []
    assert {address.partition("?")[0] for address in start.asked} <= {
        url,
        f"{url}review/",
        f"{url}review/simulator-order.html",
    }


def test_no_page_of_the_review_reaches_a_run(opened: Any, url: str) -> None:
    """A script in a page of the review can ask for nothing, not even for what the same server would show."""
    start = opened(f"{url}review/simulator-session.html")
    asking = "fetch('/run/status.json').then(() => 'reached', () => 'refused')"
    assert start.page.evaluate(asking) == "refused"
    assert any("Content Security Policy" in line for line in start.said)
