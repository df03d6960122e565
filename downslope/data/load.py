"""The bytes of a file: found, unpacked within limits, and recognised by how they begin."""

import difflib
import os
import zlib
from pathlib import Path

from downslope.core.errors import BadData

GZIP = b"\x1f\x8b"
LARGEST_RATIO = 200
SMALL_ENOUGH = 16 << 20  # below this many bytes no expansion ratio is dangerous
BLOCK = 1 << 18

NOT_TABLES = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Office document; save the sheet as CSV",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"\x80\x04\x95": "a pickle, which could run any code; save the table as CSV or Parquet",
    b"\x93NUMPY": "a single NumPy array; save X and y together with numpy.savez",
    b"\x89HDF": "an HDF5 file; save the table as CSV or Parquet",
    b"Obj\x01": "an Avro file; save the table as CSV or Parquet",
}


def find_file(source: str | os.PathLike[str]) -> Path:
    """The path, when a readable file is there; otherwise an error with the nearest names in its folder."""
    path = Path(source)
    try:
        if path.is_dir():
            raise BadData(f"{path} is a folder, expected a file with a table; name one of the files in it")
        if path.exists():
            if not path.is_file():
                raise BadData(f"{path} is not a regular file, expected a file with a table")
            return path
    except (OSError, ValueError) as problem:
        raise BadData(f"cannot look for {str(path)!r}: {problem}") from None
    folder = path.parent
    if not folder.is_dir():
        raise BadData(f"no file {path}: there is no folder {folder}; check the path")
    near = difflib.get_close_matches(path.name, [p.name for p in folder.iterdir()], n=3, cutoff=0.5)
    guess = f"; did you mean {' or '.join(near)}?" if near else "; check the name and the folder"
    raise BadData(f"no file {path}{guess}")


def load_file(path: Path) -> bytes:
    """All bytes of a file."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise BadData(f"cannot read {path}: {problem.strerror or problem}") from None


def unpack(data: bytes, path: Path) -> bytes:
    """What a gzip file holds, refused as soon as it grows out of proportion; other bytes as they are."""
    if not data.startswith(GZIP):
        return data
    pieces: list[bytes] = []
    size, position = 0, 0
    try:
        while data[position : position + 2] == GZIP:  # a gzip file may have several members, one after the other
            inflate = zlib.decompressobj(wbits=31)
            waiting = b""
            while not inflate.eof:
                if not waiting:
                    waiting = data[position : position + BLOCK]
                    position += len(waiting)
                piece = inflate.decompress(waiting, BLOCK)
                if not piece and not waiting:
                    raise BadData(f"{path} is cut off: its gzip data ends too early; copy or download it again")
                waiting = inflate.unconsumed_tail
                pieces.append(piece)
                size += len(piece)
                if size > SMALL_ENOUGH and size > LARGEST_RATIO * (position - len(waiting)):
                    raise BadData(
                        f"{path} unfolds to more than {LARGEST_RATIO} times its size; unpack it yourself if you trust it"
                    )
            position -= len(inflate.unused_data)
    except zlib.error as problem:
        raise BadData(f"{path} is a damaged gzip file ({problem}); copy or download it again") from None
    return b"".join(pieces)


def refuse_other_files(data: bytes, path: Path) -> None:
    """An error that says what a file is, when it begins like something that is not a table."""
    if not data:
        raise BadData(f"{path} is empty, expected a header line and rows")
    for start, what in NOT_TABLES.items():
        if data.startswith(start):
            raise BadData(f"{path} is not a table but {what}")
    if data.startswith(b"PK\x03\x04") or data.startswith(b"PK\x05\x06"):
        sheet = b"xl/" in data[:4096] or path.suffix.lower() in (".xlsx", ".xlsm", ".ods")
        advice = "an Excel or Office file; save the sheet as CSV" if sheet else "a zip archive; unpack it first"
        raise BadData(f"{path} is not a table but {advice}")
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype", b"<html", b"<?xml", b"<svg")):
        raise BadData(f"{path} is not a table but a web page or XML; download the data itself")
    if head.startswith((b'{"', b"[{", b"{\n", b"{ ")):
        raise BadData(f"{path} is not a table but JSON; save it as CSV or Parquet")
