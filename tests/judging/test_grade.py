from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from scipy import stats

from helpers.chorales import of_split
from helpers.music import grids, random_grid
from kantor import chorale
from kantor.judging import grade, key
from kantor.system.errors import KantorError

OTHER_JUDGES_MEAN = 7.9


@pytest.fixture(scope="module")
def random_reference():
    return grade.Reference.fit([random_grid(100, seed) for seed in range(8)])


@pytest.fixture(scope="module")
def reference():
    return grade.Reference.fit(of_split("train"))


def by_hand(values, others):
    """The least and the greatest distance of two lists of categories: the others' commonest
    first, each one apart; those equally common in one order or the other.
    """
    kinds, counts = np.unique(others, return_counts=True)
    distances = []
    for direction in (1, -1):
        order = np.lexsort((direction * np.arange(len(kinds)), -counts))
        places = {kind: place for place, kind in enumerate(kinds[order].tolist())}
        own, theirs = (
            [places.get(value, len(places)) for value in part] for part in (values, others)
        )
        distances.append(stats.wasserstein_distance(own, theirs))
    return min(distances), max(distances)


def durations(grids):
    return [
        end - begin
        for grid in grids
        for voice in grid.T
        for begin, end in chorale.runs(voice)
        if voice[begin]
    ]


def steps(grids, voice):
    return [
        int(step)
        for grid in grids
        for notes in [[grid[a, voice] for a, _ in chorale.runs(grid[:, voice]) if grid[a, voice]]]
        for step in np.diff(notes)
    ]


def parallels_by_hand(grid):
    number = 0
    for before, after in zip(grid[:-1].tolist(), grid[1:].tolist(), strict=True):
        for a, b in combinations(range(4), 2):
            notes = before[a], before[b], after[a], after[b]
            both = all(notes) and (after[a] - before[a]) * (after[b] - before[b]) > 0
            intervals = {(before[a] - before[b]) % 12, (after[a] - after[b]) % 12}
            number += both and intervals in ({0}, {7})
    return number


def degrees(grids):
    """Semitones above the tonic of each row and voice, or a rest."""
    tonics = [key.piece_key(grid)[0] for grid in grids]
    return [
        int(pitch - tonic) % 12 if pitch else 12
        for tonic, grid in zip(tonics, grids, strict=True)
        for pitch in grid.reshape(-1)
    ]


def qualities(grids):
    """The pitch classes of the chord on each beat, above that one of them that sorts first."""
    chords = [{int(pitch) % 12 for pitch in row if pitch} for grid in grids for row in grid[::4]]
    return [
        str(min((sorted((a - root) % 12 for a in chord) for root in chord), default=[]))
        for chord in chords
    ]


def few_chords(seed):
    """A grid of five chords of C major or C minor, some of them much more often than others."""
    draw = np.random.Generator(np.random.Philox(seed))
    third = 64 if seed % 2 else 63
    chords = [
        [72, 67, third, 48],
        [71, 67, 62, 55],
        [72, 69, 65, 53],
        [72, 68, third, 56],
        [71, 68, 65, 62],
    ]
    return np.array(chords)[draw.choice(5, 120, p=[0.4, 0.3, 0.15, 0.1, 0.05])].repeat(2, axis=0)


def test_distances_are_wassersteins():
    others = [few_chords(seed) for seed in range(6)]
    minor = [key.piece_key(other)[1] for other in others]
    alike = [other for other, mode in zip(others, minor, strict=True) if mode == minor[0]]
    assert len(alike) < len(others)
    own = grade.Reference.fit(others).features(others[0])
    voices = {name: steps([others[0]], voice) for voice, name in enumerate(chorale.VOICES)}
    expected = {
        "notes": (degrees(others[:1]), degrees(alike)),
        "harmony": (qualities(others[:1]), qualities(alike)),
    } | {name: (voices[name], steps(alike, voice)) for voice, name in enumerate(chorale.VOICES)}
    for name, (values, all_values) in expected.items():
        low, high = by_hand(values, all_values)
        assert low - 1e-9 <= own[name] <= high + 1e-9, name
    lengths = stats.wasserstein_distance(durations(others[:1]), durations(others))
    assert own["rhythm"] == pytest.approx(lengths), "in sixteenths, in their own order"
    rates = [100 * parallels_by_hand(other) / len(durations([other])) for other in others]
    assert own["parallels"] == pytest.approx(abs(rates[0] - np.mean(rates)))


def test_what_never_moves_counts_as_the_commonest(random_reference):
    still = np.tile([67, 64, 60, 48], (32, 1))
    minor = key.piece_key(still)[1]
    places, shares = (
        part["alto", minor] for part in (random_reference.places, random_reference.shares)
    )
    assert shares[0] == max(shares)
    mean_place = (np.arange(len(shares)) * shares).sum()
    assert mean_place < places.max()
    assert random_reference.features(still)["alto"] == pytest.approx(mean_place)


@given(grids)
def test_parallels_are_those_by_hand(grid):
    assert grade.parallels(grid) == parallels_by_hand(grid)
    fifths = grid.clip(48, 81)
    fifths[:, 3] = fifths[:, 1] - 7
    assert grade.parallels(fifths) >= (np.diff(fifths[:, 1]) != 0).sum()


@given(grids)
def test_any_grid_has_a_grade(random_reference, grid):
    features = random_reference.features(grid)
    assert tuple(features) == grade.FEATURES
    assert all(np.isfinite(distance) and distance >= 0 for distance in features.values())
    assert random_reference.grade(grid) == sum(features.values())


def test_a_reference_is_at_no_distance_from_itself():
    grid = random_grid(100)
    assert grade.Reference.fit([grid]).grade(grid) == pytest.approx(0, abs=1e-9)


def test_it_needs_chorales():
    with pytest.raises(KantorError, match="no chorales to compare with"):
        grade.Reference.fit([])


def test_grades_are_the_same_in_every_key(reference):
    for grid in of_split("test")[:10]:
        moved = np.where(grid > 0, grid - 1, 0)
        assert reference.grade(moved) == pytest.approx(reference.grade(grid))


def test_bach_has_about_the_grade_that_another_judge_gave_him(reference):
    grades = [reference.grade(grid[:256]) for grid in of_split("test")]
    assert np.mean(grades) == pytest.approx(OTHER_JUDGES_MEAN, rel=0.15)


def test_the_splits_bach_never_saw_have_equal_grades(reference):
    draw = np.random.Generator(np.random.Philox(2))
    means = []
    for split in ("valid", "test"):
        grades = np.array([reference.grade(grid) for grid in of_split(split)])
        again = draw.integers(0, len(grades), (2000, len(grades)))
        means.append(grades[again].mean(1))
    low, high = np.percentile(means[0] - means[1], [2.5, 97.5])
    assert low < 0 < high


def doubled(grid, draw):
    """The bass a fifth or two octaves below the soprano: all is parallel."""
    return np.column_stack([grid[:, :3], np.where(grid[:, 0] > 0, grid[:, 0] - 19, 0)])


def scattered(grid, draw):
    """Each voice's notes moved by a semitone up or down, or not."""
    moves = draw.integers(-1, 2, grid.shape)
    held = np.vstack([np.zeros((1, 4), bool), grid[1:] == grid[:-1]])
    latest = np.maximum.accumulate(np.where(held, 0, np.arange(len(grid))[:, None]), axis=0)
    return np.where(grid > 0, grid + np.take_along_axis(moves, latest, 0), 0)


def slowed(grid, draw):
    return np.repeat(grid, 3, axis=0)[: len(grid)]


@pytest.mark.parametrize(
    ("damage", "names"),
    [
        (doubled, {"parallels"}),
        (scattered, {"notes", "harmony"}),
        (slowed, {"rhythm"}),
    ],
)
def test_damage_is_graded_worse(reference, damage, names):
    draw = np.random.Generator(np.random.Philox(4))
    pairs = [(grid, damage(grid, draw)) for grid in of_split("test")[:30]]
    worse = [reference.grade(after) > reference.grade(before) for before, after in pairs]
    assert np.mean(worse) > 0.95
    for name in names:
        before, after = (
            np.mean([reference.features(grid)[name] for grid in side])
            for side in zip(*pairs, strict=True)
        )
        assert after > 1.5 * before
