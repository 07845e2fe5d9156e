"""Sources of the archive that are hostile, or out of order: each is refused in one sentence, in
time, and nothing is written.
"""

import gzip
import io
import os
import socket
import tarfile
import threading
import time
from contextlib import contextmanager
from functools import partial

import pytest

from helpers.settings import changed
from kantor.data import archive
from kantor.system.errors import KantorError

SECONDS = 0.5  # which an attempt may take
OK = b"HTTP/1.1 200 OK\r\n"


def refusal(settings, url, **changes):
    """The sentence on a source, which comes in time."""
    quick = {"urls": [str(url)], "attempts": 1, "timeout_seconds": SECONDS, "backoff_seconds": 0.0}
    block = changed(settings.download.archive, **quick | changes)
    began = time.monotonic()
    with pytest.raises(KantorError) as caught:
        archive.load(block)
    assert time.monotonic() - began < 10
    sentence = str(caught.value)
    assert sentence.startswith("download.archive: no source worked (") and "\n" not in sentence
    assert "set download.source: music21" in sentence
    return sentence


def drip(client, *parts):
    """Send bytes one by one, for far longer than anybody should wait."""
    for part in parts:
        client.sendall(part)
    while True:
        client.sendall(b"x")
        time.sleep(0.02)


def redirect(port, client, wait=0.0):
    """Send the client to the same server again."""
    time.sleep(wait)
    where = f"Location: http://127.0.0.1:{port}/again\r\n".encode()
    client.sendall(b"HTTP/1.1 302 Found\r\nConnection: close\r\n" + where + b"\r\n")


@contextmanager
def serving(answer):
    """A server that calls `answer(port, client)` for each request; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def serve(client):
            with client:
                try:
                    client.recv(4096)
                    answer(port, client)
                except OSError:
                    pass  # the client has gone

        def accept():
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{port}/archive.tgz"
        listening.shutdown(socket.SHUT_RDWR)


def sends(*parts):
    return lambda port, client: [client.sendall(part) for part in parts]


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SERVERS = {
    "says nothing": (lambda port, client: time.sleep(30), "too slow"),
    "drips its status": (lambda port, client: drip(client, b"HTTP/1.1 2"), "too slow"),
    "drips a header": (lambda port, client: drip(client, OK, b"X: "), "too slow"),
    "drips its body": (
        lambda port, client: drip(client, OK, b"Content-Length: 9999\r\n\r\n"),
        "too",
    ),
    "drips a chunk's extension": (lambda port, client: drip(client, CHUNKED, b"5;x="), "too slow"),
    "drips a trailer": (lambda port, client: drip(client, CHUNKED, b"0\r\nX: "), "too slow"),
    "redirects slowly": (partial(redirect, wait=0.2), "too slow"),
    "redirects to a file": (
        sends(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
        "No connection adapters",
    ),
    "redirects nowhere": (
        sends(b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"),
        "http",
    ),
    "redirects to a label": (
        sends(b"HTTP/1.1 302 Found\r\nLocation: http://" + b"a" * 64 + b".test/\r\n\r\n"),
        "http",
    ),
    "closes at once": (lambda port, client: None, "http"),
    "is no web server": (sends(b"220 smtp\r\n"), "http"),
    "has 5,000 digits": (sends(OK, b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nab"), "http"),
    "has a negative length": (sends(OK, b"Content-Length: -5\r\n\r\nab"), "gzipped"),
    "has two lengths": (sends(OK, b"Content-Length: 5, 6\r\n\r\nab"), "http"),
    "has 200 headers": (sends(OK, b"X: y\r\n" * 200, b"\r\n"), "http"),
    "has a long header": (sends(OK, b"X: " + b"y" * 100_000 + b"\r\n\r\n"), "http"),
    "has an odd chunk": (sends(CHUNKED, b"zz\r\nab\r\n"), "http"),
    "says too much": (sends(OK, b"\r\n", b"x" * (2**20 + 9)), "over 1 MiB"),
    "breaks lines": (sends(b"HTTP/1.1 404 No\x1b[31m\r\n\r\n"), "answered 404"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_has_one_time_limit(settings, server):
    answer, words = SERVERS[server]
    with serving(answer) as url:
        assert words in refusal(settings, url, max_mebibytes=1)


def test_redirects_have_an_end(settings):
    with serving(redirect) as url:
        assert "redirects" in refusal(settings, url, timeout_seconds=9.0)


def test_a_name_that_is_looked_up_for_ever_ends_at_the_time_limit(settings, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(30))
    assert "too slow" in refusal(settings, "http://slow.test/archive.tgz")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://" + "a" * 64 + ".test/x", "http"),
        ("http://" + "a." * 200 + "test/x", "http"),
        ("http://[::1", "http"),
        ("http://", "http"),
        ("http:///x", "http"),
        ("http://127.0.0.1:99999/x", "http"),
        ("http://127.0.0.1:-1/x", "http"),
        ("http://.test/x", "http"),
        ("http://127.0.0.1:9/\0", "http"),
        ("http://user\n@127.0.0.1:9/x", "http"),
        ("https://127.0.0.1:9/x", "http"),
        ("ftp://127.0.0.1/x", "no such file"),
        ("/nowhere/x.tgz", "no such file"),
        ("file:///nowhere/x.tgz", "no such file"),
        ("/tmp/a\0b", "no such file"),
        ("/" + "a" * 500, "File name too long"),
        ("/dev/zero", "not a file"),
        ("/dev/null", "not a file"),
        ("/dev/stdin", "not a"),
        ("/etc", "not a file"),
        ("/proc/self/mem", "error"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_an_odd_address_is_refused(settings, url, words):
    assert words in refusal(settings, url)


def test_a_pipe_is_not_waited_for(settings, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert "not a file" in refusal(settings, tmp_path / "pipe")


@pytest.mark.parametrize(
    "changes",
    [{"timeout_seconds": 3600.0}, {"timeout_seconds": 1e-308}, {"max_mebibytes": 1024}],
    ids=str,
)
def test_odd_limits_are_kept(settings, changes):
    refusal(settings, "http://127.0.0.1:9/x", **changes)


def tar(*members):
    """A gzipped tar of names and TarInfo objects."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz", compresslevel=1) as file:
        for member in members:
            info = member if isinstance(member, tarfile.TarInfo) else tarfile.TarInfo(member)
            file.addfile(info, io.BytesIO(bytes(info.size)))
    return data.getvalue()


def info(name, **fields):
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def long_names(count):
    """Headers that each say the name of the next one."""
    header = info("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=1).tobuf()
    return gzip.compress((header + bytes(512)) * count + info("x").tobuf() + bytes(1024))


def raw(**fields):
    """A tar whose only header has other bytes in it, with the sum that it should have."""
    header = bytearray(info("train/chorale_000.csv", size=4).tobuf())
    for place, value in fields.values():
        header[place : place + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + bytes(1024))


ARCHIVES = {
    "30,000 members": (tar(*(f"x/{n}" for n in range(30_000))), "over 4000 members"),
    "4 GiB": (gzip.compress(bytes(2**24 + 2**20), 1), "over 16 MiB when unpacked"),
    "gzip in gzip": (gzip.compress(gzip.compress(b"x")), "not a whole gzipped tar"),
    "nothing": (b"", "cut short"),
    "empty": (tar(), "chorales 0 train"),
    "a link out": (
        tar(info("train/chorale_000.csv", type=tarfile.SYMTYPE, linkname="/etc")),
        "neither",
    ),
    "a hard link": (
        tar(info("train/chorale_000.csv", type=tarfile.LNKTYPE, linkname="x")),
        "neither",
    ),
    "a device": (tar(info("train/zero", type=tarfile.CHRTYPE, devmajor=1, devminor=5)), "neither"),
    "a pipe": (tar(info("train/pipe", type=tarfile.FIFOTYPE)), "neither"),
    "an absolute path": (tar("/etc/passwd"), "lies outside"),
    "a path upwards": (tar("train/../../x"), "lies outside"),
    "a name of lines": (tar("../a\nb\x1b[31m"), "lies outside"),
    "a long name": (tar("../" + "a" * 50_000), "lies outside"),
    "names of names": (long_names(5000), "not a whole"),
    "a negative size": (raw(size=(124, b"\xff" * 12)), "first line is"),
    "a huge size": (raw(size=(124, b"\x80" + b"\x7f" * 11)), "over 16777216 bytes"),
    "an odd size": (raw(size=(124, b"zz")), "not a whole"),
    "not UTF-8": (tar(info("train/chorale_000.csv", size=0)), "first line is ''"),
    "zeros for notes": (tar(info("train/chorale_000.csv", size=64)), "first line is"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_is_refused(settings, tmp_path, name):
    content, words = ARCHIVES[name]
    (tmp_path / "archive.tgz").write_bytes(content)
    assert words in refusal(settings, tmp_path / "archive.tgz", timeout_seconds=10.0)
    assert [path.name for path in tmp_path.iterdir()] == ["archive.tgz"]
