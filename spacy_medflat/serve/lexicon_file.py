"""The file in which the words of users outlive the service."""

import tempfile
from pathlib import Path

from ..errors import LexiconError, MedflatError
from ..files import write_text
from ..lattice.lexicon import Lexicon, format_lexicon, parse_lexicon, read_lexicon
from .answers import ServeError

_EMPTY = format_lexicon(Lexicon())


class LexiconFile:
    """A lexicon as `spacy medflat lexicon` reads it, written as a whole at each change."""

    def __init__(self, path: Path):
        """path (Path): the file; it need not be there yet."""
        self.path = path

    def read(self) -> dict[str, str] | None:
        """The words with their types; None if there is no file.

        RAISES (MedflatError): it is no lexicon.
        """
        if not self.path.exists():
            return None
        data = self.path.read_bytes() if self.path.is_file() else None
        if data is not None and data.decode("utf-8", "replace").strip() in ("", _EMPTY.strip()):
            return {}
        return {entry.word: entry.types for entry in read_lexicon(self.path).entries()}

    def check(self) -> None:
        """RAISES (MedflatError): the file is no lexicon, or could not be written."""
        self.read()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.path.parent).close()
        except OSError as error:
            raise MedflatError(f"{self.path}: words cannot be kept there: {error.strerror or error}") from error

    def write(self, words: dict[str, str]) -> None:
        """Replace the file, whole or not at all.

        RAISES (ServeError): there is no room for it, or it cannot be written.
        """
        try:
            write_text(self.path, format_lexicon(Lexicon(words)), durable=True)
        except OSError as error:
            message = f"the words cannot be kept: {error.strerror or error}; nothing is changed. Make room on the disk"
            raise ServeError(507, "disk_full", message) from error


def checked_words(words: dict[str, str]) -> Lexicon:
    """The words as a lexicon that its file can hold.

    RAISES (LexiconError): something is no word.
    """
    lexicon = Lexicon(words)
    again = parse_lexicon(format_lexicon(lexicon), "words") if words else lexicon
    if again != lexicon:
        odd = next(word for word in lexicon if word not in again or again.types(word) != lexicon.types(word))
        raise LexiconError(f"{odd!r} cannot be kept in a file of words")
    return lexicon
