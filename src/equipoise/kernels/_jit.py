"""The one decorator of the kernels, with a cache that notices every edit.

numba's own cache keeps serving old machine code when a jitted function *in
another file* changes. The cache folder is therefore keyed by a hash of all
kernel sources; the setting is put back so that other packages keep their own.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numba
from numba import njit


def _sources_hash() -> str:
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _cache_folder() -> str:
    home = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(home) if home else Path.home() / ".cache"
        folder = base / "equipoise" / f"kernels-{_sources_hash()}"
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):  # read-only or absent home
        folder = _temporary_folder()
    return str(folder)


def _temporary_folder() -> Path:
    """A folder of this user alone, kept for the next run where the system does."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"equipoise-{user}-{_sources_hash()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or (user and folder.stat().st_uid != user):
            raise PermissionError
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="equipoise-kernels-"))
    return folder


CACHE_FOLDER = _cache_folder()


def kernel(function):
    """Compile `function`: cached, no GIL, IEEE division, no fast-math."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = CACHE_FOLDER
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before
