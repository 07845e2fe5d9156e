"""The report stage, and what its page holds."""

import base64
import gzip
import hashlib
import html
import io
import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest
import soundfile
from scipy.io import wavfile

from helpers.page import CHORALES, SAMPLES
from helpers.project import PROJECT
from kantor.report import page

pytestmark = pytest.mark.xdist_group("page")  # they share what is built once


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "reports/index.html").read_text("utf-8")


@pytest.fixture(scope="module")
def files(text):
    """The files inside the page, unpacked."""
    (packed,) = re.findall(r'<script type="application/json" id="the-files">(.*?)</script>', text)
    contents = {name: base64.b64decode(file["data"]) for name, file in json.loads(packed).items()}
    return {
        name: gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
        for name, content in contents.items()
    }


@pytest.mark.slow
def test_the_page_and_the_pictures_are_the_same_bytes_in_another_process(folder):
    def digests():
        paths = [folder / "reports/index.html", *sorted((folder / "reports/pictures").iterdir())]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}

    before = digests()
    names = {f"{name}-{part}.svg" for name in SAMPLES for part in ("piano-roll", "1")}
    assert names <= before.keys()
    there = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-m", "stages.report"], cwd=folder, env=there, check=True)
    assert digests() == before


def test_flac_holds_the_very_samples_of_the_wav_file(folder, files):
    for name in SAMPLES:
        rate, samples = wavfile.read(folder / f"reports/samples/{name}.wav")
        decoded, of_flac = soundfile.read(io.BytesIO(files[f"{name}.flac"]), dtype="int16")
        assert of_flac == rate and (decoded == samples).all()


def test_sound_lasts_as_long_as_its_wav_file(folder):
    wav = folder / "reports/samples/cold.wav"
    rate, samples = wavfile.read(wav)
    for lossless in (True, False):
        assert page.Assets().add_sound("cold", wav, lossless) == len(samples) / rate


def test_the_files_of_the_run_are_in_the_page(folder, files):
    for name in SAMPLES:
        for kind in ("mid", "musicxml"):
            path = folder / f"reports/samples/{name}.{kind}"
            assert files[f"{name}.{kind}"] == path.read_bytes()
    for name in [*SAMPLES, *CHORALES]:
        assert files[f"{name}-1.svg"] == (folder / f"reports/pictures/{name}-1.svg").read_bytes()
    assert {f"{name}.mp3" for name in CHORALES} < files.keys()


def test_no_file_ends_the_script_that_holds_it():
    assets = page.Assets()
    assets.add("</script>", "text/plain", b"")
    assert "</" not in assets.json() and list(json.loads(assets.json())) == ["</script>"]


def test_all_that_the_page_asks_for_is_inside_it(text, files):
    named = re.findall(r'data-(?:file|wav)="([^"]+)"', text)
    assert named and {*named} <= {*files}
    assert all(
        link.startswith(("#", "data:")) for link in re.findall(r'(?:href|src)="(.*?)"', text)
    )


def test_a_piece_has_its_title_and_the_figures_and_versions_are_there(text, folder):
    title = html.escape("Nun </script> & so fort, BWV 385")
    assert re.search(rf'<summary><span id="train_001-name">{re.escape(title)}<', text)
    scored = json.loads((folder / "reports/metrics.json").read_text())["test"]
    for loss in (scored["pieces"], scored["baselines"]["bigram"], *scored["voices"].values()):
        assert f'<span lang="en">{loss["loss"]:.3f}</span>' in text
        assert f'<span lang="pt">{loss["loss"]:.3f}</span>'.replace(".", ",") in text
    history = pd.read_csv(folder / "reports/evaluation/training.csv")
    assert text.count('<circle class="valid_loss"') == len(history)
    assert "verovio:" in text and "architecture: row_gru" in text


def test_no_two_elements_share_an_id_and_labels_name_what_is_there(text):
    ids = re.findall(r'\sid="(.*?)"', text.split('id="the-files"')[0])
    assert len(ids) == len(set(ids))
    labels = re.findall(r'aria-labelledby="(.*?)"', text)
    assert labels and {name for label in labels for name in label.split()} <= {*ids}


@pytest.mark.parametrize(
    ("value", "language", "digits", "text"),
    [(0.34567, "en", 3, "0.346"), (0.34567, "pt", 3, "0,346"), (None, "pt", 3, "–"),
     (0.5, "pt", None, "0,5"), (3, "pt", None, "3")],
)  # fmt: skip
def test_numbers_are_written_as_the_language_has_them(value, language, digits, text):
    assert page.written(value, language, digits) == text


def test_every_text_is_there_in_every_language():
    texts = page.yaml.safe_load((page.FOLDER / "texts.yaml").read_text("utf-8"))
    for key, translated in texts.items():
        assert translated.keys() == set(page.LANGUAGES), key
        assert len({json.dumps(sorted(part.split("}")[0] for part in text.split("{")[1:]))
                    for text in translated.values()}) == 1, key  # fmt: skip
