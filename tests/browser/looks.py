"""What a page must look like to whoever opens it: nothing for axe to object to, nothing beside the screen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PICTURES = os.environ.get("MAILER_SCREENSHOTS", "")
AXE = Axe()
RULES = {"target-size": {"enabled": True}}  # WCAG 2.2 AA, which axe leaves off
GRAVE = ("serious", "critical")


def looks_right(page: Page) -> None:
    """Fail on what axe finds serious, in light and in dark, and on a page that is wider than its window."""
    too_wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0, f"{page.url} is {too_wide} px too wide"
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    faults = _faults(page, {"rules": RULES})
    if page.viewport_size and page.viewport_size["width"] > 1000:  # a scheme is colours alone, the same at any width
        page.emulate_media(color_scheme="dark")
        faults += _faults(page, {"runOnly": ["color-contrast"]})
        page.emulate_media(color_scheme="light")
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keep a picture of what is on the screen, or of the whole page, if `MAILER_SCREENSHOTS` names a folder for it."""
    if PICTURES and page.viewport_size:
        path = Path(PICTURES) / f"{name}-{page.viewport_size['width']}.png"
        page.screenshot(path=path, animations="disabled", full_page=whole)


def _faults(page: Page, options: dict[str, Any]) -> list[str]:
    options = options | {"resultTypes": ["violations"], "iframes": False}  # a frame holds a mail, another document
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{fault['id']}: {fault['help']}: {node['html'][:200]} {node['failureSummary']}"
        for fault in found
        if fault["impact"] in GRAVE
        for node in fault["nodes"][:5]
    ]
