"""The published archive: fetched with care, unpacked without trust, checked by its content.

Nothing that the archive says is written to a disk: members are read in memory, and only
`{train,valid,test}/chorale_NNN.csv` (below any folder) are kept. The edition is identified
by `chorale.digest` of its content, not by the bytes of one tar.
"""

import io
import re
import tarfile
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import requests
import urllib3

from kantor import chorale
from kantor.params import Archive
from kantor.system.errors import KantorError
from kantor.system.progress import Progress

MEBIBYTE = 2**20
COUNTS = {"train": 229, "valid": 76, "test": 77}
INSTEAD = "check the network, or set download.source: music21, which needs none"
MEMBER = re.compile(rf"(?:.*/)?({'|'.join(COUNTS)})/chorale_(\d{{3}})\.csv")

Chorales = dict[tuple[str, int], np.ndarray]


class RefusedError(Exception):
    """Why one source gave no archive."""


def load(settings: Archive) -> Chorales:
    """Fetch the archive from the first of its sources that gives the pinned content.

    Returns grids by (split, index). Raises KantorError with what each source answered.
    """
    refusals = []
    for url in settings.urls:
        for attempt in range(settings.attempts):
            if attempt:
                time.sleep(settings.backoff_seconds * 2 ** (attempt - 1))
            try:
                with tempfile.TemporaryFile() as file:
                    _fetch(url, file, settings)
                    file.seek(0)
                    return _verify(unpack(file, settings.max_mebibytes * MEBIBYTE), settings)
            except requests.RequestException as error:
                refusal = f"{url}: {_reason(error)}"
                if not _passing(error):
                    break
            except (RefusedError, KantorError, OSError) as error:
                refusal = f"{url}: {error}"
                break
        refusals.append(refusal)
    raise KantorError(f"download.archive: no source worked ({'; '.join(refusals)}); {INSTEAD}")


def unpack(file: IO[bytes], limit: int) -> Chorales:
    """Read the chorales out of a gzipped tar of at most `limit` unpacked bytes."""
    chorales: Chorales = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_gunzip(file, limit))) as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise RefusedError(f"its member {member.name!r} lies outside the archive")
                if member.issparse() or member.size > limit:
                    raise RefusedError(f"its member {member.name!r} is over {limit} bytes")
                if not (member.isfile() or member.isdir()):
                    raise RefusedError(f"its member {member.name!r} is neither a file nor a folder")
                if member.isfile() and (match := MEMBER.fullmatch(member.name)):
                    text = tar.extractfile(member).read().decode("utf-8")
                    key = (match[1], int(match[2]))
                    if key in chorales:
                        raise RefusedError(f"its member {member.name!r} is there twice")
                    chorales[key] = chorale.from_csv(text, member.name)
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise RefusedError(f"not a whole gzipped tar of CSV files ({error})") from None
    return chorales


def _gunzip(file: IO[bytes], limit: int) -> bytes:
    """Unpack, but no further than `limit`: a small file can hide a giant one."""
    unzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    data = unzip.decompress(file.read(), limit + 1)
    if len(data) > limit:
        raise RefusedError(f"over {limit / MEBIBYTE:g} MiB when unpacked (max_mebibytes)")
    if not unzip.eof:
        raise RefusedError("cut short: the gzip stream does not end")
    return data


def _fetch(url: str, file: IO[bytes], settings: Archive) -> None:
    """Write what lies at `url`, an http(s) address or a path, to `file`."""
    limit = settings.max_mebibytes * MEBIBYTE
    deadline = time.monotonic() + settings.timeout_seconds
    if not url.startswith(("https://", "http://")):
        path = Path(url.removeprefix("file://"))
        if path.stat().st_size > limit:
            raise RefusedError(f"over {settings.max_mebibytes} MiB (max_mebibytes)")
        file.write(path.read_bytes())
        return
    plain = {"Accept-Encoding": "identity"}
    with requests.get(url, stream=True, timeout=settings.timeout_seconds, headers=plain) as answer:
        answer.raise_for_status()
        length = answer.headers.get("Content-Length", "")
        announced = int(length) if length.isdecimal() else 0
        received = 0
        with Progress(f"download {url}", announced or limit, "bytes") as progress:
            try:
                # read1 returns what has come: a slow server can't outstay the deadline.
                while chunk := answer.raw.read1(2**14):
                    received += len(chunk)
                    if received > limit:
                        raise RefusedError(f"over {settings.max_mebibytes} MiB (max_mebibytes)")
                    if time.monotonic() > deadline:
                        raise requests.Timeout
                    file.write(chunk)
                    progress.advance(units=len(chunk))
            except urllib3.exceptions.ReadTimeoutError:
                raise requests.Timeout from None
            except urllib3.exceptions.HTTPError:
                words = f"cut short: {received} of {announced or 'unknown'} bytes came"
                raise requests.ConnectionError(words) from None


def _verify(chorales: Chorales, settings: Archive) -> Chorales:
    counts = Counter(split for split, _ in chorales)
    if counts != COUNTS:
        raise RefusedError(f"chorales {_counted(counts)}; expected {_counted(COUNTS)}")
    if (digest := chorale.digest(chorales)) != settings.sha256:
        raise RefusedError(
            f"other notes than the published ones: sha256 of the content {digest}; "
            f"expected download.archive.sha256, {settings.sha256}"
        )
    return chorales


def _counted(counts: dict[str, int]) -> str:
    return " / ".join(f"{counts.get(split, 0)} {split}" for split in COUNTS)


def _passing(error: requests.RequestException) -> bool:
    """Whether the same request may succeed later."""
    if error.response is not None:
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, requests.ConnectionError | requests.Timeout)


def _reason(error: requests.RequestException) -> str:
    if error.response is not None:
        return f"answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "too slow (timeout_seconds)"
    return str(error)
