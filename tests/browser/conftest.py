"""The pages as a browser shows them: a small run, its report and operator's page, the review site, real Chromium.

Without Chromium or Playwright these tests are skipped, and say so.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from peak_trade.cli.effort import Effort
from peak_trade.cli.job import BUILTIN, Job, run, snapshot
from peak_trade.cli.prove import judge_system
from peak_trade.cli.ran import driving, prove_all, report
from peak_trade.cli.site import build
from peak_trade.cli.specs import spec_names, system_at
from peak_trade.cli.status import seen, verdicts
from peak_trade.evidence.collect import write
from peak_trade.proof.cache import Cache
from peak_trade.session.config import Config
from peak_trade.watch.snapshot import snapshots

NAMES = ("chromium", "chromium-browser", "google-chrome")
STEPS = 120
WITNESSES = frozenset({"SYS-W1"})


@dataclass(slots=True)
class Opened:
    """A page, what its console said, and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


Opener = Callable[..., Opened]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A running Chromium; skipped if there is none, or nothing to drive it with."""
    driver = pytest.importorskip("playwright.sync_api", reason="no Playwright here; install playwright")
    program = next((path for name in NAMES if (path := shutil.which(name))), "")
    if not program:
        pytest.skip("no Chromium on this computer; install chromium")
    with driver.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(chromium: Any, proved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in `run`, whose own pages are beside its journal, and the review site in `site`."""
    assert chromium  # nothing is made where nothing can show it
    root = tmp_path_factory.mktemp("pages")
    folder = root / "run"
    run(Job(folder, snapshot(BUILTIN, STEPS, Config(fault_permille=400))))
    known = Effort(cache=Cache(proved))
    results = [*prove_all(spec_names(), known), *judge_system(system_at("system"), WITNESSES, "system", known)]
    report(folder, results)
    write(folder, snapshots(seen(folder), verdicts(driving(results))))
    build(root / "site", results, folder)
    return root


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opener]:
    """Open an address in a fresh context with the given options; all contexts are closed afterwards."""
    contexts = []

    def show(address: str, **options: Any) -> Opened:
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(address)
        return found

    yield show
    for context in contexts:
        context.close()
