import numpy as np
import pytest
from hypothesis import given, strategies
from hypothesis.extra import numpy as arrays

from helpers.chorales import FOLDER, of_split
from kantor import metadata, plan
from kantor.judging import key

CADENCE = [[72, 67, 64, 48], [72, 69, 65, 53], [71, 67, 62, 55], [72, 67, 64, 48]]
MINOR_CADENCE = [[72, 67, 63, 48], [72, 68, 65, 53], [71, 67, 62, 55], [72, 67, 63, 48]]
histograms = arrays.arrays(np.int64, (3, 12), elements=strategies.integers(0, 200))


def cadences(semitones=0, chords=CADENCE, times=1):
    """A cadence, each chord a quarter long, transposed and repeated: 16 rows each time."""
    return np.tile(np.repeat(chords, 4, axis=0) + semitones, (times, 1))


@pytest.mark.parametrize("semitones", range(-6, 6))
def test_a_cadence_is_in_its_key(semitones):
    assert key.piece_key(cadences(semitones)) == (semitones % 12, False)
    assert key.piece_key(cadences(semitones, MINOR_CADENCE)) == (semitones % 12, True)


@given(histograms)
def test_keys_are_those_of_the_highest_correlation(values):
    values = values[np.ptp(values, axis=1) > 0]
    tonics, minor = key.keys(values)
    for histogram, tonic, is_minor in zip(values, tonics, minor, strict=True):
        correlations = [
            np.corrcoef(np.roll(profile, step), histogram)[0, 1]
            for profile in (key.MAJOR, key.MINOR)
            for step in range(12)
        ]
        assert correlations[12 * is_minor + tonic] == pytest.approx(max(correlations), abs=1e-9)


def test_durations_count_and_silence_does_not():
    rests = np.zeros((40, 4), int)
    grid = np.concatenate([cadences(0), rests, cadences(6)[:4]])
    assert key.piece_key(grid) == (0, False)
    assert key.histograms(grid).sum() == (grid > 0).sum()


def test_the_relative_keys_share_a_scale():
    tonics, minor = np.array([0, 9, 3, 0]), np.array([False, True, False, True])
    assert key.scales(tonics, minor).tolist() == [0, 0, 3, 3]


def test_windows_of_another_key_are_not_kept():
    home, away = cadences(times=8), cadences(6, times=8)
    assert key.kept(home) == (4, 4)
    # Of the windows that begin in rows 16, 32, ... 192, those from 96 on lie wholly elsewhere.
    kept, windows = key.kept(np.concatenate([home, away]))
    assert windows == 12
    assert 4 <= kept <= 7
    assert key.windows(np.concatenate([home, away])) == kept / windows


def test_it_is_the_opening_that_the_others_are_compared_with():
    home, away = cadences(times=4), cadences(6, times=4)
    assert key.kept(np.concatenate([home, away, away, home]), hop=64) == (1, 3)


def test_the_relative_key_is_kept():
    relative = cadences(-3, MINOR_CADENCE, times=8)
    assert key.windows(np.concatenate([cadences(times=8), relative])) == 1


@pytest.mark.parametrize("rows", [1, 63, 64, 79])
def test_a_piece_of_one_window_keeps_nothing(rows):
    assert key.kept(cadences(times=5)[:rows]) == (0, 0)
    assert np.isnan(key.windows(cadences(times=5)[:rows]))


def test_a_piece_returns_to_its_tonic_in_either_mode():
    home, minor, away = cadences(times=2), cadences(0, MINOR_CADENCE, times=2), cadences(6)
    assert key.returns(np.concatenate([minor, away, home])) == (1, 1)
    assert key.returns(np.concatenate([home, away, away])) == (0, 1)
    assert key.returns(home) == (0, 0)


def test_bachs_keys_agree_with_his_last_basses_and_with_the_corpus():
    grids = of_split("train")
    corpus = metadata.read(FOLDER / "corpus.csv")
    rows = [row for row in corpus.values() if row.split == "train"]
    own = [key.piece_key(grid) for grid in grids]
    basses = [grid[grid[:, 3] > 0][-1, 3] % 12 for grid in grids]
    assert np.mean([tonic == bass for (tonic, _), bass in zip(own, basses, strict=True)]) > 0.85
    alike = [minor == (row.mode == "minor") for (_, minor), row in zip(own, rows, strict=True)]
    assert np.mean(alike) > 0.95


def test_a_melody_has_the_key_of_its_notes_its_end_and_its_signature():
    # As long as each other, these four may be A minor or C major.
    assert key.melody_key(np.repeat([60, 64, 67, 69, 0], 4)) == (9, True)
    assert key.melody_key(np.repeat([69, 67, 64, 60, 0], 4)) == (0, False)
    # Here no third tells the mode.
    line = np.repeat([62, 60, 67], 4)
    assert [key.melody_key(line, sharps) for sharps in (1, -2)] == [(7, False), (7, True)]
    # All pitch classes sound alike.
    assert key.melody_key(np.arange(60, 72)) == (11, False)


@pytest.mark.parametrize("told", [False, True])
def test_of_bachs_sopranos_seven_of_eight_have_the_key_of_the_corpus(told):
    grids = of_split("valid")
    corpus = metadata.read(FOLDER / "corpus.csv")
    rows = [row for row in corpus.values() if row.split == "valid"]
    right = [
        plan.key_name(*key.melody_key(grid[:, 0], row.signature if told else None))
        == plan.key_name(*plan.tonality(f"{row.key} {row.mode}"))
        for grid, row in zip(grids, rows, strict=True)
    ]
    assert np.mean(right) > 0.87


def test_bach_keeps_a_key_that_bars_of_his_in_random_keys_do_not():
    draw = np.random.Generator(np.random.Philox(3))
    grids = of_split("test")
    strayed = []
    for grid in grids:
        moves = np.repeat(draw.integers(-5, 7, len(grid) // 16 + 1), 16)[: len(grid)]
        strayed.append(np.where(grid > 0, grid + moves[:, None], 0))

    def share(pieces):
        counts = np.sum([key.kept(piece) for piece in pieces], axis=0)
        return counts[0] / counts[1]

    assert share(grids) > 0.75
    assert share(strayed) < 0.35
