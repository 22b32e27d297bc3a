"""A browser without a window, where there is one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def dump(page: Path, width: int = 1200) -> str:
    """The page after its scripts ran, as HTML; skips the test where no Chromium is."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    profile = page.parent / "profile"
    result = subprocess.run(
        [
            browser,
            *("--headless", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage", "--virtual-time-budget=5000"),
            *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
            *(f"--user-data-dir={profile}", f"--window-size={width},1000", "--dump-dom", page.as_uri()),
        ],
        capture_output=True,
        encoding="utf8",
        timeout=120,
    )
    if result.returncode or not result.stdout.strip():
        pytest.skip(f"{browser} does not start here: {result.stderr.strip()[-300:]}")
    return result.stdout
