"""Plain and compressed files as streams of bytes that know how far they have been read."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from ..errors import MedflatError

COMPRESSED = (".gz", ".bz2", ".xz", ".zip")

_BUFFER = 1 << 20


class Stream(NamedTuple):
    """An open file.

    file (BufferedReader): the uncompressed bytes.
    position (callable): how many bytes of the file on the disk were consumed.
    """

    file: io.BufferedReader
    position: Callable[[], int]


@contextmanager
def open_stream(path: Path) -> Iterator[Stream]:
    """Open a file for reading; it is decompressed if its last suffix is .gz, .bz2, .xz, or .zip with one member.

    RAISES (MedflatError): a zip with no, several or encrypted members, or, at any point of the block, compressed data
        that is damaged or cut short.
    RAISES (OSError): the file cannot be opened.
    """
    with ExitStack() as stack:
        raw = stack.enter_context(path.open("rb"))
        try:
            file = stack.enter_context(_uncompressed(raw, path))
            yield Stream(io.BufferedReader(cast(io.RawIOBase, file), _BUFFER), raw.tell)
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise _damaged(path, error) from error
        except OSError as error:
            # bz2 reports bad data as an OSError without a number.
            if path.suffix == ".bz2" and error.errno is None:
                raise _damaged(path, error) from error
            raise


def inner_suffix(path: Path) -> str:
    """The suffix of the file once it is uncompressed: `.txt` of `notes.txt.gz`."""
    return Path(path.stem).suffix if path.suffix in COMPRESSED else path.suffix


def _uncompressed(raw: BinaryIO, path: Path) -> IO[bytes]:
    match path.suffix:
        case ".gz":
            return cast(IO[bytes], gzip.GzipFile(fileobj=raw))
        case ".bz2":
            return bz2.BZ2File(raw)
        case ".xz":
            return lzma.LZMAFile(raw)
        case ".zip":
            return _only_member(zipfile.ZipFile(raw), path)
        case _:
            return raw


def _only_member(archive: zipfile.ZipFile, path: Path) -> IO[bytes]:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        raise MedflatError(f"{path}: holds {len(names)} files ({', '.join(names[:5])}); unpack it and name one of them")
    try:
        return archive.open(names[0])
    except (RuntimeError, NotImplementedError) as error:
        # Encrypted, or packed in a way that Python does not know.
        raise MedflatError(f"{path}: {error}; unpack it and name the file in it") from error


def _damaged(path: Path, error: Exception) -> MedflatError:
    return MedflatError(f"{path}: the compressed data is damaged or cut short ({error}); get the file again")
