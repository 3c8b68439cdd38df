"""The folder of a store: its marker, its writer's lock, files that appear whole.

::

    equipoise-store.json                 marker, with the version of this layout
    catalogue.parquet                    what there is; replacing it is the commit
    writer.lock                          held by the one writer, released by the kernel
    readers.lock                         shared by readers: nothing is removed meanwhile
    timeseries/<id>-<hash>.parquet       one file per cell and kind, never changed
    cycles/<id>-<hash>.parquet
    spectra/<id>-<hash>.parquet

The id is the beginning of the SHA-256 of the source, the hash that of the file; no
text of a user is ever part of a path. Files with other names are left alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

from equipoise import __version__
from equipoise.core.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Generator

LAYOUT = 1
MARKER = "equipoise-store.json"
CATALOGUE = "catalogue.parquet"
LOCK = "writer.lock"
READERS = "readers.lock"
KINDS = ("timeseries", "cycles", "spectra")
ID_LENGTH = 16  # hex digits, 64 bits
UNFINISHED = ".unfinished-"
_DATA_FILE = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}\.parquet")
_POLL_SECOND = 0.02


def source_hash(path: str | Path) -> str:
    """SHA-256 of a file, as a store wants it of the source of a cell.

    Raises
    ------
    StoreError
        If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(
            f"cannot read this file ({error.strerror or error})", where=str(path)
        ) from None


def data_file(kind: str, cell_id: str, sha256: str) -> str:
    """Path of a table, relative to the store; tells its cell and its content."""
    return f"{kind}/{cell_id}-{sha256[:ID_LENGTH]}.parquet"


def check_marker(folder: Path) -> None:
    """Refuse a folder that is no store, or one of a newer layout.

    Raises
    ------
    StoreError
        If it is not a store this version reads.
    """
    try:
        content: object = json.loads((folder / MARKER).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        what = "there is no such folder" if not folder.exists() else "this is no store"
        raise StoreError(
            f"{what} (no {MARKER} in it)",
            where=str(folder),
            remedy="name the folder of a store, or create one (create=True)",
        ) from None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"the marker of the store cannot be read ({error})",
            where=str(folder / MARKER),
        ) from None
    fields = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    layout = fields.get("layout")
    if not isinstance(layout, int) or layout < 1:
        raise StoreError(
            f"the marker of the store has no layout version, found {content!r:.60}",
            where=str(folder / MARKER),
        )
    if layout > LAYOUT:
        by = fields.get("equipoise", "a newer version")
        raise StoreError(
            f"this store has layout {layout}, written by equipoise {by}; "
            f"equipoise {__version__} knows layouts up to {LAYOUT}",
            where=str(folder),
            remedy="upgrade equipoise",
        )


def write_marker(folder: Path) -> None:
    """Make a prepared folder a store."""
    content = {"store": "equipoise", "layout": LAYOUT, "equipoise": __version__}
    put(folder / MARKER, f"{json.dumps(content, indent=2)}\n".encode())
    sync(folder)


def prepare(folder: Path) -> None:
    """Create the folders of a store in an empty folder, or go on with a killed try.

    Raises
    ------
    StoreError
        If it holds anything else, or cannot be created.
    """
    ours = {MARKER, CATALOGUE, LOCK, READERS, *KINDS}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        others = [
            p.name
            for p in folder.iterdir()
            if p.name not in ours and not p.name.startswith(UNFINISHED)
        ]
        if not others:
            for kind in KINDS:
                (folder / kind).mkdir(exist_ok=True)
            (folder / READERS).touch()
    except OSError as error:
        raise unwritten(error, folder) from None
    if others:
        raise StoreError(
            f"this folder is not empty and no store; it holds {sorted(others)[0]!r}",
            where=str(folder),
            remedy="give the name of a new folder",
        )


@contextmanager
def locked(folder: Path, wait_second: float) -> Generator[None]:
    """Be the one writer of a store.

    An advisory lock of the operating system on an open file: it goes when its holder
    goes, killed or not, so that a stale one cannot exist.

    Raises
    ------
    StoreError
        If another writer holds it for longer than that, or the folder is read-only.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        raise StoreError(
            "writing to a store needs the file locks of Linux or macOS; "
            "reading works everywhere",
            where=str(folder),
        ) from None
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise unwritten(error, folder) from None
    try:
        deadline = time.monotonic() + wait_second
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise _busy(folder, handle, wait_second) from None
                time.sleep(_POLL_SECOND)
            except OSError as error:
                raise unwritten(error, folder) from None
        with suppress(OSError):  # who it is: only for the message of another
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:  # a forked child may keep the file open: closing would not do
            fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


@contextmanager
def reading(folder: Path) -> Generator[None]:
    """Keep files that a writer replaces on the disk until this reader has done.

    Where there are no locks, files may go; `Store` then reads the new state.
    """
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl

            stream = stack.enter_context((folder / READERS).open("rb"))
            fcntl.flock(stream, fcntl.LOCK_SH)  # waits for a removal: milliseconds
        yield


@contextmanager
def alone(folder: Path, lock: str) -> Generator[bool]:
    """Whether nobody holds a lock (LOCK or READERS); nobody gets it meanwhile.

    True also where that cannot be asked: nobody writes to a read-only store.
    """
    with ExitStack() as stack:
        free = True
        try:
            import fcntl

            stream = stack.enter_context((folder / lock).open("rb"))
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        except (ImportError, OSError):
            pass
        yield free


def put(target: Path, raw: bytes | memoryview, *, sync: bool = True) -> None:
    """Write a file that appears whole, and on the disk if `sync`, or not at all.

    Raises
    ------
    StoreError
        If it cannot be written; what was begun is removed.
    """
    temporary = target.parent / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        with temporary.open("xb", buffering=0) as stream:
            view = memoryview(raw)
            while view.nbytes:
                view = view[stream.write(view) :]
            if sync:
                os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise unwritten(error, target) from None
        raise


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk.

    Raises
    ------
    StoreError
        If the disk refuses.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise unwritten(error, path) from None


def leftovers(folder: Path, known: set[str]) -> list[str]:
    """Files of killed writers: unfinished, or whole and in no catalogue.

    Paths relative to the store. Only for the holder of the lock: the files of a writer
    at work look the same.
    """
    found: list[str] = []
    for name in ("", *KINDS):
        with suppress(OSError), os.scandir(folder / name) as entries:
            for entry in entries:
                path = f"{name}/{entry.name}" if name else entry.name
                ours = bool(name) and _DATA_FILE.fullmatch(entry.name) is not None
                if entry.name.startswith(UNFINISHED) or (ours and path not in known):
                    found.append(path)
    return sorted(found)


def unwritten(error: OSError, path: Path) -> StoreError:
    """The error for a file or folder that could not be written."""
    return StoreError(
        f"cannot write here ({error.strerror or error}); the store is as it was",
        where=str(path),
        remedy="make room and see that you may write there, then do it again",
    )


def _busy(folder: Path, handle: int, wait_second: float) -> StoreError:
    with suppress(OSError):
        holder = os.pread(handle, 32, 0).decode("ascii", "replace")
        return StoreError(
            f"process {holder or '(unknown)'} is writing to this store; waited "
            f"{wait_second:g} s",
            where=str(folder),
            remedy="try again when it has finished, or wait longer (wait_second)",
        )
    return StoreError("another process is writing to this store", where=str(folder))
