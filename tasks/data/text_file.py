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
                advice = _advice(path, encoding, "latin-1")
                raise ValueError(f"{path.name}: not {encoding}: {error}, {advice}") from error
            if "\0" in text:
                line += text.count("\n", 0, text.index("\0"))
                advice = _advice(path, encoding, None, "only text is allowed")
                raise ValueError(f"{path.name}:{line}: NUL character, {advice}")
            line += text.count("\n")
            done += len(piece)
    if done == 0:
        raise ValueError(f"{path.name} is empty, rows with a header were expected")


def without_mark(encoding: str) -> str:
    """The codec to read with: UTF-8 loses the byte order mark that some programs put first."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def guess_encoding(path: Path) -> str:
    """The encoding of a text file that names none: utf-8 if it is, else what old programs wrote."""
    if utf_16 := _utf_16_of(path):
        return utf_16
    content = path.read_bytes()
    for encoding in ("utf-8", "cp1252"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _utf_16_of(path: Path) -> str | None:
    """The form of UTF-16 that a file begins as: with its mark, or with half a letter that is NUL,
    as those of ASCII have, with which headers begin."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in BYTE_ORDER_MARKS:
        return "utf-16"
    forms = {(False, True): "utf-16-le", (True, False): "utf-16-be"}
    return forms.get((start[:1] == b"\0", start[1:] == b"\0"))


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
        file.seek(begin)
        byte = file.read(1)
    return ValueError(
        f"{path.name}:{line}: byte 0x{byte.hex()} at offset {begin} is not {encoding}, "
        f"{_advice(path, encoding, 'latin-1')}"
    )


def _advice(
    path: Path, encoding: str, usual: str | None, otherwise: str = "the file is cut off or damaged"
) -> str:
    """The encoding that may be right, if it is another."""
    better = _utf_16_of(path) or usual
    if better is None or codecs.lookup(better).name == codecs.lookup(encoding).name:
        return otherwise
    return f"data.encoding: {better} may be right"
