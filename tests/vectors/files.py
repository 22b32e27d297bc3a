"""word2vec files for tests."""

import bz2
import gzip
import lzma
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

Rows = Sequence[tuple[str, Sequence[float]]]

ROWS: Rows = [
    ("的", [0.5, -1.0, 0.25]),
    ("肺癌", [1.0, 2.0, 3.0]),
    ("the", [4.0, 5.0, 6.0]),
    ("右肺上叶", [-0.125, 0.0, 1e-3]),
]


def text(rows: Rows, header: str | None = "") -> bytes:
    """word2vec text; "" is the true header, None is no header."""
    lines = [f"{word} {' '.join(map(str, vector))}" for word, vector in rows]
    true = f"{len(rows)} {len(rows[0][1])}"
    return "".join(f"{line}\n" for line in ([] if header is None else [header or true]) + lines).encode()


def binary(rows: Rows, header: str = "", end: bytes = b"\n") -> bytes:
    """word2vec binary; `end` follows each vector."""
    true = f"{len(rows)} {len(rows[0][1])}"
    body = [word.encode() + b" " + struct.pack(f"<{len(vector)}f", *vector) + end for word, vector in rows]
    return f"{header or true}\n".encode() + b"".join(body)


def pack(path: Path, data: bytes) -> Path:
    """Write the data, compressed as the name of the file says."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("vectors.txt", data)
        return path
    compress = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}.get(path.suffix, bytes)
    path.write_bytes(compress(data))
    return path
