import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import midi
from scipy.io import wavfile

from helpers.music import grids
from kantor import chorale
from kantor.metadata import Metadata
from kantor.notation import piece, reading
from kantor.notation.piece import Piece
from kantor.system.errors import KantorError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
descriptions = st.builds(
    Metadata,
    split=texts,
    index=st.none() | st.integers(0, 999),
    title=texts,
    signature=st.none() | st.integers(-7, 7),
    pickup=st.none() | st.floats(0, 4),
)
pieces = st.builds(Piece, grids, texts, texts, descriptions)
names = st.text("abcdefgh_0123456789", min_size=1, max_size=8)


@given(st.dictionaries(names, pieces, max_size=4))
def test_loading_what_was_saved_gives_it_back_in_its_order(tmp_path_factory, saved):
    folder = tmp_path_factory.mktemp("pieces")
    piece.save(saved, folder)
    loaded = piece.load(folder)
    assert list(loaded) == list(saved)
    for before, after in zip(saved.values(), loaded.values(), strict=True):
        assert np.array_equal(after.grid, before.grid)
        assert after[1:4] == before[1:4]


def test_what_is_not_there_or_other_than_it_was_saved_is_told(tmp_path):
    with pytest.raises(KantorError, match="dvc repro -f compose"):
        piece.load(tmp_path)
    (tmp_path / "pieces.json").write_text('{"one": {"title": "One"}}')
    (tmp_path / "one.csv").write_text(chorale.to_csv(np.full((2, 4), 60)))
    with pytest.raises(KantorError, match=r"pieces\.json: KeyError\('composer'\)"):
        piece.load(tmp_path)


@pytest.mark.parametrize("pitch", [60, chorale.SILENCE], ids=["notes", "silence"])
def test_a_piece_is_written_in_all_formats_silence_too(settings, tmp_path, pitch):
    grid = np.full((20, 4), pitch)
    piece.write(Piece(grid, "A title"), tmp_path / "x", settings.render)
    assert {path.name for path in tmp_path.iterdir()} == {"x.csv", "x.wav", "x.mid", "x.musicxml"}
    assert np.array_equal(chorale.read(tmp_path / "x.csv"), grid)
    rate, samples = wavfile.read(tmp_path / "x.wav")
    assert rate == settings.render.rate and samples.any() == (pitch > 0)
    file = midi.MidiFile()
    file.open(tmp_path / "x.mid")
    file.read()
    file.close()
    assert len(file.tracks) == 4
    if pitch:
        for kind in ("mid", "musicxml"):
            assert np.array_equal(reading.read(tmp_path / f"x.{kind}")[0], grid)
    else:
        with pytest.raises(KantorError, match="no notes"):
            reading.read(tmp_path / "x.musicxml")
