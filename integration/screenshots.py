"""Take the screenshots of aiohttp-server's documentation anew: ``make screenshots``."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from chromium import Chromium, Page, chromium
from command_server import EXAMPLES, command_server

FOLDER = EXAMPLES.parent / "docs" / "screenshots"
UPLOADS = {
    "harbour.jpg": 2_480_113, "tide-table.csv": 18_204, "lighthouse.svg": 3_377, "log.txt": 812,
}  # fmt: skip
LARGE = 200_000_000
WITHOUT_FOLDER = f"document.body.innerHTML.replaceAll('{EXAMPLES.parents[2]}/', '')"


async def page_of_plot(browser: Chromium, url: str, uploads: list[Path], *, dark: bool) -> bytes:
    """Return the front page, behind an upload, with a plot that has some length."""
    page = await browser.new_page(height=716, dark=dark)
    await page.open(url)
    await page.choose_files("input", *uploads)
    await page.until("document.querySelector('#line').points.numberOfItems >= 60")
    await page.evaluate("document.querySelector('button').click()")
    await page.until("document.querySelector('#progress').innerText.includes('kept')")
    await page.until("document.querySelector('#line').points.numberOfItems >= 115")
    return await page.screenshot()


async def page_at(browser: Chromium, url: str, *, height: int, dark: bool = False) -> bytes:
    """Return the page at a URL, without the folder in which this repository happens to be."""
    page: Page = await browser.new_page(height=height, dark=dark)
    await page.open(url)
    await page.evaluate(f"document.body.innerHTML = {WITHOUT_FOLDER}")
    return await page.screenshot()


async def pictures(url: str, profile: Path, uploads: list[Path]) -> dict[str, bytes]:
    """Return all pictures by their names."""
    async with chromium(profile) as browser:
        return {
            "page": await page_of_plot(browser, url, uploads, dark=False),
            "page-dark": await page_of_plot(browser, url, uploads, dark=True),
            "listing": await page_at(browser, f"{url}/files/", height=400),
            "error": await page_at(browser, f"{url}/broken", height=650, dark=True),
        }


async def main() -> None:
    """Write all of them."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, size in UPLOADS.items():
            (folder / name).write_bytes(bytes(size))
        with (folder / "voyage.tar").open("wb") as large:
            os.truncate(large.fileno(), LARGE)
        uploads = [folder / name for name in (*UPLOADS, "voyage.tar")]
        with command_server("demo:make_app", folder=EXAMPLES) as server:
            taken = await pictures(server.url, folder / "profile", uploads)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, picture in taken.items():
        file = FOLDER / f"{name}.png"
        file.write_bytes(picture)
        print(f"{file.relative_to(EXAMPLES.parents[2])}: {len(picture):,} bytes")


if __name__ == "__main__":
    asyncio.run(main())
