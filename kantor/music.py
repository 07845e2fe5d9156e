"""A piece in the formats that people use: its notes as CSV, its sound, and its score."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from kantor import catalogue, chorale, notation, synth
from kantor.params import Render

BACH = "Johann Sebastian Bach"


class Music(NamedTuple):
    """A grid (rows, 4), what its score is headed with, and the row of corpus.csv that tells its
    key and metre, empty if none does.
    """

    grid: np.ndarray
    title: str
    composer: str = "Kantor"
    known: Mapping[str, str] = {}


def of_bach(grid: np.ndarray, known: Mapping[str, str]) -> Music:
    """A chorale from the corpus."""
    return Music(grid, catalogue.heading(known), BACH, known)


def write(music: Music, path: Path, chosen: Render) -> None:
    """Write music as `path` with the suffixes .csv, .wav, .mid and .musicxml."""
    path.with_suffix(".csv").write_text(chorale.to_csv(music.grid))
    sound = synth.synthesise(music.grid, chosen.tempo, chosen.rate, chosen.amplitude, chosen.timbre)
    synth.write_wav(sound, chosen.rate, path.with_suffix(".wav"))
    setting = notation.setting(music.grid, music.known)
    score = notation.score(music.grid, setting, music.title, music.composer, chosen.tempo)
    notation.write(score, path)
