"""Is a file the text that it claims to be? Checked before it is parsed, with the exact place."""

import codecs
from itertools import chain
from pathlib import Path

PIECE_BYTES = 1 << 20
BYTE_ORDER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def check_text(path: Path, encoding: str) -> None:
    """Pass when every byte of the file is text in `encoding`, and none of it is NUL.

    Raises `ValueError` with the byte and the line of the first that is not.
    """
    decoder = _decoder(encoding)
    done, line = 0, 1
    with path.open("rb") as file:
        for piece in chain(iter(lambda: file.read(PIECE_BYTES), b""), (b"",)):
            try:
                text = decoder.decode(piece, final=not piece)  # the last, empty piece ends it
            except UnicodeDecodeError as error:
                # The decoder may have kept the first bytes of a character from the last piece.
                begin = done + len(piece) - len(error.object) + error.start
                line += error.object[: error.start].count(b"\n")
                raise _not_in_encoding(path, encoding, begin, line) from error
            except UnicodeError as error:  # utf-16 without a mark has no place to name
                raise ValueError(f"{path.name}: not {encoding}: {error}") from error
            if "\0" in text:
                line += text.count("\n", 0, text.index("\0"))
                raise ValueError(f"{path.name}:{line}: NUL character, {_nul_hint(path)}")
            line += text.count("\n")
            done += len(piece)
    if done == 0:
        raise ValueError(f"{path.name} is empty, rows with a header were expected")


def without_mark(encoding: str) -> str:
    """The codec to read with: UTF-8 loses the byte order mark that some programs put first."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def guess_encoding(path: Path) -> str:
    """The encoding of a text file that names none: utf-8 if it is, else what old programs wrote."""
    content = path.read_bytes()
    if content.startswith(BYTE_ORDER_MARKS):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        "a".encode(encoding)  # refuses codecs that are not text, such as base64
        return codecs.getincrementaldecoder(encoding)("strict")
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"data.encoding {encoding!r} is unknown, allowed: utf-8, latin-1, cp1252, utf-16 "
            "and other names of Python's text codecs"
        ) from error


def _not_in_encoding(path: Path, encoding: str, begin: int, line: int) -> ValueError:
    with path.open("rb") as file:
        start = file.read(2)
        file.seek(begin)
        byte = file.read(1)
    better = "utf-16" if start in BYTE_ORDER_MARKS else "latin-1"
    return ValueError(
        f"{path.name}:{line}: byte 0x{byte.hex()} at offset {begin} is not {encoding}, "
        f"data.encoding: {better} may be right"
    )


def _nul_hint(path: Path) -> str:
    with path.open("rb") as file:
        utf_16 = b"\0" in file.read(4)
    return "data.encoding: utf-16 may be right" if utf_16 else "only text is allowed"
