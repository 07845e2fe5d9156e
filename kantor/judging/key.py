"""In which key music is: the key whose profile correlates best with how long each pitch class
sounds.

The profiles are those of Aarden and Essen (Aarden, "Dynamic Melodic Expectancy", 2003), how often
each degree occurs in folk songs of the Essen collection. Of four pairs of profiles (the others:
Krumhansl and Kessler 1982, Temperley 1999, Temperley 2007) they agree most often with the last
bass note of Bach's pieces.
"""

import numpy as np

from kantor.chorale import SILENCE

PITCH_CLASSES = 12
MINOR_TO_RELATIVE_MAJOR = 3
FIFTH = 7
# What a melody's last note adds to the correlations of the keys on it, and its signature to those
# of its two keys. No more: Bach writes many a minor key with a flat less than is usual now.
LAST_NOTE, SIGNATURE = 0.2, 0.1

MAJOR = (
    *(17.7661, 0.145624, 14.9265, 0.160186, 19.8049, 11.3587),
    *(0.291248, 22.062, 0.145624, 8.15494, 0.232998, 4.95122),
)
MINOR = (
    *(18.2648, 0.737619, 14.0499, 16.8599, 0.702494, 14.4362),
    *(0.702494, 18.6161, 4.56621, 1.93186, 7.37619, 1.75623),
)


def _profiles() -> np.ndarray:
    """The 24 profiles (24, 12), major from C on, then minor, each of mean 0 and length 1."""
    rolled = np.array([np.roll(p, tonic) for p in (MAJOR, MINOR) for tonic in range(PITCH_CLASSES)])
    centred = rolled - rolled.mean(1, keepdims=True)
    return centred / np.sqrt((centred**2).sum(1, keepdims=True))


PROFILES = _profiles()


def histograms(grid: np.ndarray) -> np.ndarray:
    """How many voices sound each pitch class (rows, 12) in each row of a grid (rows, 4)."""
    classes = np.where(grid == SILENCE, -1, grid % PITCH_CLASSES)
    return (classes[:, :, None] == np.arange(PITCH_CLASSES)).sum(1)


def keys(histograms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The keys of durations of pitch classes (n, 12): tonics (n,), 0 = C, and whether they are
    minor (n,).

    Krumhansl, "Cognitive Foundations of Musical Pitch" (1990), chapter 4. Where all is equal, as
    in silence, it is C major.
    """
    # The length of a histogram scales its 24 correlations alike, so it may stay.
    best = _covariances(histograms).argmax(1)
    return best % PITCH_CLASSES, best >= PITCH_CLASSES


def _covariances(histograms: np.ndarray) -> np.ndarray:
    """Durations of pitch classes (n, 12) by the 24 profiles (n, 24), each less its mean."""
    centred = histograms - histograms.mean(1, keepdims=True)
    return (centred[:, None] * PROFILES).sum(2)


def scales(tonics: np.ndarray, minor: np.ndarray) -> np.ndarray:
    """The tonics of the major keys that have the same scale: a minor key's relative one."""
    return np.where(minor, (tonics + MINOR_TO_RELATIVE_MAJOR) % PITCH_CLASSES, tonics)


def piece_key(grid: np.ndarray) -> tuple[int, bool]:
    """The tonic, 0 = C, and whether the key is minor, of a whole grid (rows, 4)."""
    tonics, minor = keys(histograms(grid).sum(0)[None])
    return int(tonics[0]), bool(minor[0])


def melody_key(line: np.ndarray, signature: int | None = None) -> tuple[int, bool]:
    """The tonic, 0 = C, and whether the key is minor, of a voice alone (rows,), not all silent,
    by how long its pitch classes sound, by its last note, and by its signature in sharps, if it is
    known.

    Of Bach's sopranos in the validation split, 88% get the key of the whole setting in
    corpus.csv, with their signatures or without (pytest tests/judging/test_key.py); 75% do by
    durations alone.
    """
    sounding = histograms(line[:, None]).sum(0)
    # All twelve classes may sound alike, and correlate with nothing.
    spread = np.sqrt(((sounding - sounding.mean()) ** 2).sum()) or 1
    scores = _covariances(sounding[None])[0] / spread
    last = line[line != SILENCE][-1] % PITCH_CLASSES
    scores[[last, last + PITCH_CLASSES]] += LAST_NOTE
    if signature is not None:
        major = FIFTH * signature % PITCH_CLASSES
        minor = (major - MINOR_TO_RELATIVE_MAJOR) % PITCH_CLASSES
        scores[[major, minor + PITCH_CLASSES]] += SIGNATURE
    is_minor, tonic = divmod(int(scores.argmax()), PITCH_CLASSES)
    return tonic, bool(is_minor)


def kept(grid: np.ndarray, rows: int = 64, hop: int = 16) -> tuple[int, int]:
    """How many windows of `rows` rows, one each `hop` rows, have the scale of the opening window;
    and how many there are.

    A key and its relative have one scale, and Bach's phrases end in either, so both count. The key
    of the whole piece would not do: of music that wanders it is a mean that many windows are near.
    The opening window itself isn't counted.
    """
    starts = np.arange(0, len(grid) - rows + 1, hop)
    if len(starts) < 2:
        return 0, 0
    sums = np.concatenate([np.zeros((1, PITCH_CLASSES), int), histograms(grid).cumsum(0)])
    own = scales(*keys(sums[starts + rows] - sums[starts]))
    return int((own[1:] == own[0]).sum()), len(starts) - 1


def windows(grid: np.ndarray, rows: int = 64, hop: int = 16) -> float:
    """The share of windows that have the scale of the opening one, as in `kept`; nan if there is
    no second window.
    """
    same, count = kept(grid, rows, hop)
    return same / count if count else float("nan")


def returns(grid: np.ndarray, rows: int = 32) -> tuple[int, int]:
    """Whether (1 or 0) the first and the last `rows` rows have one tonic, and 1 for the piece; two
    zeros if they would overlap.

    Only the tonic counts, as Bach ends many a piece in minor on a major triad.
    """
    if len(grid) < 2 * rows:
        return 0, 0
    chromas = histograms(grid)
    tonics, _ = keys(np.stack([chromas[:rows].sum(0), chromas[-rows:].sum(0)]))
    return int(tonics[0] == tonics[1]), 1
