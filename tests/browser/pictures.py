"""Takes the pictures of the README, of a demo and of a campaign: `.venv/bin/python tests/browser/pictures.py`.

It needs what the browser tests need, and `./x demo` and `./x peak fuzz` before it.
"""

import shutil
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import sync_playwright

ROOT: Final = Path(__file__).resolve().parents[2]
DEMO: Final = ROOT / "out" / "demo"
PICTURES: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 1180
HEIGHT: Final = 860
PAGES: Final = {
    "review": DEMO / "review" / "index.html",
    "operator": DEMO / "status.html",
    "report": DEMO / "report.html",
    "fuzz": ROOT / "out" / "fuzz" / "report.html",
}
SCHEMES: Final[dict[Literal["light", "dark"], str]] = {"light": "", "dark": "-dark"}


def main() -> None:
    """Write each page's first screen, light and dark."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme, ending in SCHEMES.items():
            page = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme).new_page()
            for name, path in PAGES.items():
                page.goto(path.as_uri())
                page.screenshot(path=PICTURES / f"{name}{ending}.png")
        browser.close()


if __name__ == "__main__":
    main()
