"""The archive, fetched from a server on loopback that answers in every bad way."""

import gzip
import io
import tarfile
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import pytest

from helpers.music import random_grid
from helpers.settings import changed
from kantor import chorale
from kantor.data import archive
from kantor.system.errors import KantorError

CHORALES = {
    (split, number): random_grid(4, seed=1000 * place + number)
    for place, (split, count) in enumerate(archive.COUNTS.items())
    for number in range(count)
}


def pack(members, top=""):
    """A gzipped tar of (name, text) pairs and ready TarInfo objects."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member, io.BytesIO(bytes(member.size)))
            else:
                name, text = member
                info = tarfile.TarInfo(top + name)
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
    return data.getvalue()


def texts(chorales):
    return [(chorale.file_name(*key), chorale.to_csv(grid)) for key, grid in chorales.items()]


GOOD = pack(texts(CHORALES))


class Server(BaseHTTPRequestHandler):
    """Answers each path as its name says, and counts the requests."""

    seen: ClassVar[Counter] = Counter()

    def do_GET(self):
        Server.seen[self.path] += 1
        if self.path == "/404":
            self.send_error(404)
        elif self.path == "/busy" or (self.path == "/busy-once" and Server.seen[self.path] == 1):
            self.send_error(503)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(GOOD)))
            self.end_headers()
            if self.path == "/short":
                self.wfile.write(GOOD[:1000])
            elif self.path == "/slow":
                for place in range(100):
                    self.wfile.write(GOOD[place : place + 1])
                    time.sleep(0.05)
            else:
                self.wfile.write(GOOD)

    def log_message(self, *words):
        pass


@pytest.fixture
def server():
    Server.seen.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def block(settings):
    return changed(
        settings.download.archive,
        sha256=chorale.digest(CHORALES),
        attempts=2,
        backoff_seconds=0.01,
        timeout_seconds=20.0,
    )


def load(block, *urls, **changes):
    return archive.load(changed(block, urls=list(urls), **changes))


def refusal(block, *urls, **changes):
    with pytest.raises(KantorError) as caught:
        load(block, *urls, **changes)
    assert "music21, which needs none" in str(caught.value)
    return str(caught.value)


def test_a_good_answer_is_the_edition(server, block):
    loaded = load(block, f"{server}/good")
    assert loaded.keys() == CHORALES.keys()
    assert all(np.array_equal(grid, CHORALES[key]) for key, grid in loaded.items())


def test_sources_are_tried_in_order_and_a_path_is_one(server, block, tmp_path):
    path = tmp_path / "archive.tgz"
    path.write_bytes(GOOD)
    assert load(block, f"{server}/404", str(tmp_path / "none.tgz"), str(path), f"{server}/good")
    assert Server.seen == {"/404": 1}


def test_another_packing_of_the_same_notes_passes(block, tmp_path):
    path = tmp_path / "other.tgz"
    extra = [("._chorale_000.csv", "junk"), ("README.md", "words")]
    path.write_bytes(pack([*reversed(texts(CHORALES)), *extra], top="jsb_chorales/"))
    assert load(block, str(path)).keys() == CHORALES.keys()


def test_what_may_pass_is_tried_again_and_what_can_not_is_not(server, block):
    assert load(block, f"{server}/busy-once")
    assert "answered 503" in refusal(block, f"{server}/busy")
    assert "answered 404" in refusal(block, f"{server}/404")
    assert Server.seen == {"/busy-once": 2, "/busy": 2, "/404": 1}


def test_an_answer_cut_short_is_told(server, block):
    assert f"cut short: 1000 of {len(GOOD)} bytes" in refusal(block, f"{server}/short")


def test_a_slow_answer_ends_at_the_time_limit(server, block):
    assert "too slow" in refusal(block, f"{server}/slow", timeout_seconds=0.3, attempts=1)


def test_nobody_there_is_told(block):
    assert "127.0.0.1" in refusal(block, "http://127.0.0.1:9/none", attempts=1)


def test_a_changed_note_is_other_content(block, tmp_path):
    grid = CHORALES["test", 5].copy()
    grid[0, 0] += 1 if grid[0, 0] < chorale.HIGHEST else -1
    path = tmp_path / "changed.tgz"
    path.write_bytes(pack(texts(CHORALES | {("test", 5): grid})))
    assert "other notes than the published ones" in refusal(block, str(path))


def test_a_missing_chorale_is_counted(block, tmp_path):
    path = tmp_path / "fewer.tgz"
    path.write_bytes(pack(texts(CHORALES)[1:]))
    words = refusal(block, str(path))
    assert "228 train / 76 valid / 77 test; expected 229 train / 76 valid / 77 test" in words


def member(name, kind=tarfile.REGTYPE, target="", size=0):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, target, size
    return info


def sparse(name, size):
    """A member of a few bytes that says it is `size` long when read."""
    info = tarfile.TarInfo(name)
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.name": name,
        "GNU.sparse.size": str(size),
    }
    return info


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (member("../train/chorale_000.csv"), "lies outside"),
        (member("/train/chorale_000.csv"), "lies outside"),
        (member("train/chorale_000.csv", tarfile.SYMTYPE, "/etc/passwd"), "neither a file"),
        (member("train/chorale_000.csv", tarfile.LNKTYPE, "train/x"), "neither a file"),
        (member("train/pipe", tarfile.FIFOTYPE), "neither a file"),
        (member("train/giant", size=17 * 2**20), "over 16 MiB when unpacked"),
        (sparse("train/sparse", 17 * 2**20), "is over"),
        (("train/chorale_000.csv", texts(CHORALES)[0][1]), "is there twice"),
        (("train/chorale_999.csv", "words\n"), "first line is 'words'"),
    ],
)
def test_a_hostile_tar_is_refused_and_writes_nothing(block, tmp_path, hostile, words):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "hostile.tgz").write_bytes(pack([*texts(CHORALES), hostile]))
    assert words in refusal(block, str(folder / "hostile.tgz"))
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "hostile.tgz"]


@pytest.mark.parametrize(
    "data",
    [b"no gzip at all", gzip.compress(b"no tar at all"), GOOD[:-20]],
    ids=["no gzip", "no tar", "cut short"],
)
def test_what_is_no_whole_gzipped_tar_is_refused(block, tmp_path, data):
    path = tmp_path / "broken.tgz"
    path.write_bytes(data)
    assert f"{path}: " in refusal(block, str(path))


def test_the_published_archive_is_what_params_pins(settings, published):
    loaded = archive.load(changed(settings.download.archive, urls=[str(published)]))
    assert loaded["train", 0][0].tolist() == [74, 70, 65, 58]
    assert sum(grid.size for grid in loaded.values()) == 370_144
