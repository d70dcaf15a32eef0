"""Files written under a temporary name and renamed at the end, so that one that exists is whole."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vibentropy.errors import OutputError


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    What was written is on the disk before it is renamed: a machine that stops leaves no half file either.

    Parameters
    ----------
    path : path-like
        Missing folders are made.

    Yields
    ------
    pathlib.Path
        With the suffix of `path`, so that writers which look at suffixes choose the same format. The name depends
        on `path` only: what a killed run leaves behind is overwritten by the next one. Hence one writer per path,
        which holds a lock that ends with its process. Snakemake keeps workflows apart that run in one folder; this
        is for those that share results from two folders, and for jobs of a cluster that outlive their workflow.

    Raises
    ------
    OutputError
        If the file cannot be written: full disk, no permission, read-only folder, another writer.
    """
    path = Path(path)
    temporary = path.with_name(f".partial-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(temporary) as descriptor:
            try:
                yield temporary
                os.fsync(descriptor)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_be_written(path, error) from error


def cannot_be_written(path: Path | str, error: OSError) -> OutputError:
    """Say what to do about a file that cannot be written.

    Parameters
    ----------
    path : path-like
    error : OSError

    Returns
    -------
    OutputError
        To be raised.
    """
    remedy = next((text for numbers, text in _OUTPUT_REMEDIES.items() if error.errno in numbers), "")
    return OutputError(f"cannot be written: {error}; {remedy}then run the same command again", path)


_ELSEWHERE = "or write to another place (`results` in the configuration), "

_OUTPUT_REMEDIES = {
    (errno.ENOSPC, errno.EDQUOT): f"free space there {_ELSEWHERE}",
    (errno.EROFS, errno.EACCES, errno.EPERM): f"make it writable {_ELSEWHERE}",
    (errno.EAGAIN,): "another process is writing it: wait for that one or end it, ",
}


@contextmanager
def _locked(path):
    """Yield the descriptor of a file that no other process holds like this."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # Some file systems have no locks.
        yield descriptor
    finally:
        os.close(descriptor)


def sha256(path: Path | str) -> str:
    """Compute the SHA-256 of a file, in hexadecimal digits.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    str
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
