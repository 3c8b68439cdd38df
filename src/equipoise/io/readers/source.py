"""The bytes of a file, its text and its hash; refused if too large for the memory."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from equipoise.core.errors import DataError

HEAD_BYTES = 65536
HASH_BLOCK_BYTES = 1 << 24
"""Large ones: between blocks the thread waits for the interpreter."""
MEMORY_PER_BYTE = {"text": 6.0, "binary": 8.0}
"""Peak memory of reading over the size of the file, measured on text of 10 columns
(4.5) and on .mpr files (6), rounded up."""
BINARY_SUFFIXES = (".mpr", ".nda", ".ndax", ".parquet")
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13, 26, 27})
MOST_CONTROL_SHARE = 0.01
"""Text exports hold a stray control byte in a comment; binary files far more."""


@dataclass(frozen=True)
class Source:
    """A file that exists and fits into memory."""

    path: Path
    size_bytes: int

    @cached_property
    def raw(self) -> bytes:
        """All bytes."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise DataError(
                f"cannot be read ({error.strerror or error})", where=str(self.path)
            ) from None

    @cached_property
    def head(self) -> bytes:
        """The first bytes, enough to recognise a format."""
        try:
            with self.path.open("rb") as stream:
                return stream.read(HEAD_BYTES)
        except OSError as error:
            raise DataError(
                f"cannot be read ({error.strerror or error})", where=str(self.path)
            ) from None

    def sha256(self) -> str:
        """Hash of the content, read anew in blocks: for a thread of its own."""
        try:
            with self.path.open("rb") as stream:
                digest = hashlib.sha256()
                size = min(self.size_bytes, HASH_BLOCK_BYTES)
                while block := stream.read(size):
                    digest.update(block)
                return digest.hexdigest()
        except OSError as error:
            raise DataError(
                f"cannot be read ({error.strerror or error})", where=str(self.path)
            ) from None

    @cached_property
    def encoding(self) -> str:
        """Of the text: by its mark, else UTF-8 if it is valid, else Latin-1."""
        raw = self.raw
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            return "utf-16"
        if raw.startswith(b"\xef\xbb\xbf"):
            return "utf-8-sig"
        if raw.isascii():  # a hundred times faster than to decode
            return "utf-8"
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return "latin-1"
        return "utf-8"

    @cached_property
    def text_bytes(self) -> bytes:
        r"""The text as UTF-8 with "\n" at the end of lines.

        Raises
        ------
        DataError
            If the file is not text.
        """
        raw, encoding = self.raw, self.encoding
        if encoding == "utf-8-sig":
            raw = raw[3:]
        elif encoding == "utf-16":
            try:
                raw = raw.decode("utf-16").encode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"begins as UTF-16 text, but is not ({error.reason})",
                    where=str(self.path),
                    remedy="save it as UTF-8 text again",
                ) from None
        elif encoding == "latin-1":
            raw = raw.decode("latin-1").encode()
        if b"\r" in raw:
            raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return raw

    @cached_property
    def head_text(self) -> str:
        """The beginning as text, for recognition: undecodable bytes do not matter."""
        head = self.head
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            return head.decode("utf-16", errors="ignore")
        text = head.removeprefix(b"\xef\xbb\xbf")
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError as error:
            if len(head) == HEAD_BYTES and error.start > len(text) - 4:
                # cut within a character
                return text[: error.start].decode("utf-8")
            return text.decode("latin-1")

    @cached_property
    def head_lines(self) -> list[str]:
        r"""The beginning in lines, cut where the whole text is: at "\n" alone."""
        return self.head_text.replace("\r\n", "\n").replace("\r", "\n").split("\n")

    @cached_property
    def is_text(self) -> bool:
        """Whether the beginning looks like text."""
        head = self.head
        if head.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
            return True
        strange = len(head) - len(head.translate(None, _CONTROL))
        return strange <= MOST_CONTROL_SHARE * len(head)


def open_source(path: str | Path) -> Source:
    """Look at a file before reading it.

    Raises
    ------
    DataError
        If it is absent, a folder, empty, or larger than the free memory allows.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise DataError(
                "this is a folder, a file was expected",
                where=str(file),
                remedy="name a file inside it",
            )
        size = file.stat().st_size
    except FileNotFoundError:
        raise DataError(
            "there is no such file", where=str(file), remedy="check the path"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be read ({reason})", where=str(file)) from None
    if size == 0:
        raise DataError("the file is empty", where=str(file), remedy="export it again")
    kind = "binary" if file.suffix.lower() in BINARY_SUFFIXES else "text"
    refuse_too_large(file, size, MEMORY_PER_BYTE[kind])
    return Source(file, size)


def refuse_too_large(file: Path, size: int, factor: float) -> None:
    """Refuse what needs `size` bytes times `factor` if that is more than is free."""
    free = free_memory_bytes()
    if free is not None and size * factor > free:
        raise DataError(
            f"{size / 1e9:.1f} GB, which needs about {size * factor / 1e9:.0f} GB of "
            f"memory to read and prove; {free / 1e9:.1f} GB are free",
            where=str(file),
            remedy="split it at cycles, export fewer columns, or use a machine with "
            "more memory",
        )


def free_memory_bytes() -> int | None:
    """Memory that can be had now, limits of a container included; None if unknown."""
    found: list[int] = []
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found += [int(x.split()[1]) * 1024 for x in lines if x.startswith("MemAvail")]
    except (OSError, ValueError, IndexError):
        pass
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        if limit.isdecimal():
            found.append(int(limit) - used)
    except (OSError, ValueError):
        pass
    if not found:
        try:
            pages = os.sysconf("SC_PHYS_PAGES")
            found.append(pages * os.sysconf("SC_PAGE_SIZE") // 2)
        except (AttributeError, OSError, ValueError):
            return None
    return max(min(found), 0)
