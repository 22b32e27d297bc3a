"""Which encoding the texts of a file are in."""

import codecs
from typing import Any

# As much of a file as its encoding is told from.
SAMPLE_BYTES = 2**16
# A UTF-8 file with some damaged bytes has fewer characters that cannot be read; one in GB18030 has hardly any that can.
_FOREIGN_SHARE = 0.3


def detect_encoding(data: bytes, whole: bool = False) -> str:
    """Tell UTF-8, UTF-16 with a byte order mark, and GB18030 (with GBK and GB2312, which are parts of it) apart.

    data (bytes): the beginning of a file.
    whole (bool): the data are all of it, and do not end in the middle of a character.
    RETURNS (str): `utf-8`, `utf-16` or `gb18030`; `utf-8` also for what is none of them.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _decodes(data, "utf-8", whole):
        return "utf-8"
    read = data.decode("utf-8", "replace")
    foreign = sum(character > "\x7f" for character in read)
    mostly_damaged = read.count("\ufffd") > _FOREIGN_SHARE * foreign
    return "gb18030" if mostly_damaged and _decodes(data, "gb18030", whole) else "utf-8"


def _decodes(data: bytes, encoding: str, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return True


def peek(file: Any) -> bytes:
    """The beginning of a file that is open for reading, which is still read afterwards."""
    if hasattr(file, "peek"):
        return file.peek(SAMPLE_BYTES)
    if not file.seekable():
        return b""
    position = file.tell()
    data = file.read(SAMPLE_BYTES)
    file.seek(position)
    return data
