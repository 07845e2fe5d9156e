"""The published archive: fetched with care, unpacked without trust, checked by its content.

Nothing that the archive says is written to a disk: members are read in memory, and only
`{train,valid,test}/chorale_NNN.csv` (below any folder) are kept. The edition is identified
by `chorale.digest` of its content, not by the bytes of one tar.
"""

import io
import re
import tarfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
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

PLAIN = {"Accept-Encoding": "identity"}
# The archive has 400 members, its addresses 100 characters.
MOST_MEMBERS, MOST_SHOWN = 4000, 200
MOST_DIGITS = 16
# What reading what others wrote can raise.
UNREADABLE = (ValueError, EOFError, OverflowError, RecursionError, LookupError, TypeError)

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
                _wait(settings.backoff_seconds, attempt)
            try:
                data = _in_time(_waitable(settings.timeout_seconds), partial(_fetch, url, settings))
                return _verify(
                    unpack(io.BytesIO(data), settings.max_mebibytes * MEBIBYTE), settings
                )
            except requests.RequestException as error:
                refusal = _reason(error)
                if not _passing(error):
                    break
            except (RefusedError, KantorError, OSError) as error:
                refusal = str(error)
                break
        refusals.append(f"{_shown(url)}: {refusal}")
    raise KantorError(f"download.archive: no source worked ({'; '.join(refusals)}); {INSTEAD}")


def unpack(file: IO[bytes], limit: int) -> Chorales:
    """Read the chorales out of a gzipped tar of at most `limit` unpacked bytes."""
    chorales: Chorales = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(_gunzip(file, limit))) as tar:
            for number, member in enumerate(tar):
                if number >= MOST_MEMBERS:
                    raise RefusedError(f"it has over {MOST_MEMBERS} members")
                name = _shown(member.name)
                path = PurePosixPath(member.name)
                if path.is_absolute() or ".." in path.parts:
                    raise RefusedError(f"its member {name!r} lies outside the archive")
                if member.issparse() or member.size > limit:
                    raise RefusedError(f"its member {name!r} is over {limit} bytes")
                if not (member.isfile() or member.isdir()):
                    raise RefusedError(f"its member {name!r} is neither a file nor a folder")
                if member.isfile() and (match := MEMBER.fullmatch(member.name)):
                    text = tar.extractfile(member).read().decode("utf-8")
                    key = (match[1], int(match[2]))
                    if key in chorales:
                        raise RefusedError(f"its member {name!r} is there twice")
                    chorales[key] = chorale.from_csv(text, name)
    except (tarfile.TarError, zlib.error, *UNREADABLE) as error:
        raise RefusedError(f"not a whole gzipped tar of CSV files ({_shown(error)})") from None
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


def _in_time(seconds: float, fetch: Callable[[], bytes]) -> bytes:
    """What `fetch` returns or raises; requests.Timeout if it takes longer.

    Looking up a name, connecting, redirects, headers and trailers each have a limit of their own
    at most, so all of it runs in a thread that is left behind.
    """
    future: Future[bytes] = Future()

    def run() -> None:
        try:
            future.set_result(fetch())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except FutureTimeoutError:
        raise requests.Timeout from None


def _fetch(url: str, settings: Archive) -> bytes:
    """What lies at `url`, an http(s) address or a path."""
    limit = settings.max_mebibytes * MEBIBYTE
    too_much = RefusedError(f"over {settings.max_mebibytes} MiB (max_mebibytes)")
    if not url.startswith(("https://", "http://")):
        path = Path(url.removeprefix("file://"))
        if "\0" in url or not path.exists():
            raise RefusedError("no such file")
        if not path.is_file():
            raise RefusedError("not a file; expected a gzipped tar, or an http(s) address")
        with path.open("rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise too_much
        return data
    seconds = _waitable(settings.timeout_seconds)
    deadline = time.monotonic() + seconds
    data = bytearray()
    try:
        with requests.get(url, stream=True, timeout=seconds, headers=PLAIN) as answer:
            answer.raise_for_status()
            length = answer.headers.get("Content-Length", "")
            announced = int(length) if length.isdecimal() and len(length) < MOST_DIGITS else 0
            with Progress(f"download {url}", announced or limit, "bytes") as progress:
                # read1 returns what has come: nothing is fetched for long after the deadline.
                while chunk := answer.raw.read1(2**14):
                    data += chunk
                    if len(data) > limit:
                        raise too_much
                    if time.monotonic() > deadline:
                        raise requests.Timeout
                    progress.advance(units=len(chunk))
    except urllib3.exceptions.ReadTimeoutError:
        raise requests.Timeout from None
    except urllib3.exceptions.LocationValueError as error:
        raise RefusedError(f"not an address ({_shown(error)})") from None
    except urllib3.exceptions.HTTPError:
        words = f"cut short: {len(data)} of {announced or 'unknown'} bytes came"
        raise requests.ConnectionError(words) from None
    except requests.RequestException:
        raise
    except UNREADABLE as error:  # what nobody checks before it is used
        raise RefusedError(f"not an address, or not an answer ({_shown(error)})") from None
    return bytes(data)


def _waitable(seconds: float) -> float:
    """As many seconds, or as many as a computer can wait: about three centuries."""
    return min(seconds, threading.TIMEOUT_MAX)


def _wait(backoff: float, attempt: int) -> None:
    """Wait before an attempt, numbered from 0: `backoff` seconds before 1, then ever twice that."""
    time.sleep(_waitable(backoff * 2.0 ** min(attempt - 1, 1000)))


def _shown(words: object) -> str:
    """Words of others, on one line."""
    text = str(words)
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


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
    if error.response is not None and not isinstance(error, requests.TooManyRedirects):
        return _shown(f"answered {error.response.status_code} {error.response.reason}")
    if isinstance(error, requests.Timeout):
        return "too slow (timeout_seconds)"
    return _shown(error)
