"""The files of the page, read once: a request names a row of a table, and never a path."""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

from ..errors import MedflatError

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_LINK = re.compile(r"""(?:src|href)=["']/?page/([^"'?#]+)["']""")
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^"';]*["']\./([^"']+)["']""", re.M)


class PageFile(NamedTuple):
    """A file of the page.

    data (bytes): its contents.
    media_type (str): what it is.
    tag (str): differs with the contents, as the header `ETag` wants it.
    """

    data: bytes
    media_type: str
    tag: str


def read_page(folder: Path | None = None) -> dict[str, PageFile]:
    """The files of the page by name.

    folder (Path or None): where they are; None for those of the package.
    RAISES (MedflatError): one is missing, or of a kind that is not served.
    """
    folder = folder or FOLDER
    if not (folder / INDEX).is_file():
        raise MedflatError(f"{folder / INDEX}: no such file; the page is not there: install spacy-medflat again")
    files: dict[str, PageFile] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        if path.suffix not in _TYPES:
            raise MedflatError(f"{path}: a page has files in {', '.join(_TYPES)}; take this one away")
        data = path.read_bytes()
        files[path.name] = PageFile(data, _TYPES[path.suffix], f'"{hashlib.sha256(data).hexdigest()[:16]}"')
    for name, file in files.items():
        for wanted in _names_in(file):
            if wanted not in files:
                raise MedflatError(f"{folder / wanted}: no such file, but {name} needs it: install spacy-medflat again")
    return files


def _names_in(file: PageFile) -> list[str]:
    text = file.data.decode("utf-8", "replace")
    if file.media_type.startswith("text/html"):
        return _LINK.findall(text)
    return _IMPORT.findall(text) if file.media_type.startswith("text/javascript") else []
