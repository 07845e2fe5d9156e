import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from music21 import midi
from scipy.io import wavfile

from helpers.barred import grids_with_details, of_bars
from helpers.music import grids
from kantor import chorale
from kantor import details as details_file
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
pieces = st.one_of(
    st.builds(Piece, grids, texts, texts, descriptions, st.none()),
    st.builds(
        lambda music, *more: Piece(music[0], *more, music[1]),
        grids_with_details(),
        texts,
        texts,
        descriptions,
    ),
)
names = st.text("abcdefgh_0123456789", min_size=1, max_size=8)


def assert_same(details, others):
    assert (details is None) == (others is None)
    for column, other in zip(details or (), others or (), strict=True):
        np.testing.assert_array_equal(column, other)


@given(st.dictionaries(names, pieces, max_size=4))
def test_loading_what_was_saved_gives_it_back_in_its_order(tmp_path_factory, saved):
    folder = tmp_path_factory.mktemp("pieces")
    piece.save(saved, folder)
    loaded = piece.load(folder)
    assert list(loaded) == list(saved)
    for before, after in zip(saved.values(), loaded.values(), strict=True):
        assert np.array_equal(after.grid, before.grid)
        assert after[1:4] == before[1:4]
        assert_same(after.details, before.details)


def test_what_is_not_there_or_other_than_it_was_saved_is_told(tmp_path):
    with pytest.raises(KantorError, match="dvc repro compose"):
        piece.load(tmp_path)
    (tmp_path / "pieces.json").write_text('{"one": {"title": "One"}}')
    (tmp_path / "one.csv").write_text(chorale.to_csv(np.full((2, 4), 60)))
    with pytest.raises(KantorError, match=r"pieces\.json: .*composer.*dvc repro -sf compose"):
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


def test_details_are_written_beside_the_grid_and_heard(settings, tmp_path):
    plain = Piece(np.full((16, 4), 60), "A title")
    details = of_bars([(16, 0, 0)])
    details.struck[:] = 0
    details.struck[::4] = 1
    for name, kind in {"plain": plain, "struck": plain._replace(details=details)}.items():
        piece.write(kind, tmp_path / name, settings.render)
    assert_same(details_file.read(tmp_path / "struck.details.csv"), details)
    assert not (tmp_path / "plain.details.csv").exists()
    for kind in ("wav", "mid", "musicxml"):
        texts = [(tmp_path / f"{name}.{kind}").read_bytes() for name in ("plain", "struck")]
        assert texts[0] != texts[1]


def test_the_first_rows_of_a_piece_keep_their_details():
    whole = Piece(np.arange(36, 68).reshape(8, 4), "A title", details=of_bars([(8, 0, 0)]))
    first = whole.first(3)
    assert np.array_equal(first.grid, whole.grid[:3])
    assert [len(column) for column in first.details] == [3] * 5
    assert first.details.place.tolist() == [0, 1, 2]
    assert whole._replace(details=None).first(3).details is None
