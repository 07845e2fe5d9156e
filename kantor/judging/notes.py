"""A grid as the rules of counterpoint read it: what sounds, moves and is struck in each row."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from kantor.chorale import SILENCE, VOICES
from kantor.judging import chords, spelling


class Error(NamedTuple):
    """A place where a rule is broken."""

    kind: str  # one of counterpoint.KINDS
    row: int  # where it is complete (the second sonority of a motion)
    voices: tuple[int, ...]  # 0 = soprano ... 3 = bass, in this order
    words: str  # for a pupil


class Notes:
    """What the rules ask of a grid (rows, 4). All arrays have its shape, and `row before` of
    the first row is silence.
    """

    def __init__(self, grid: np.ndarray) -> None:
        """Read `grid`, an int array (rows, 4) of MIDI pitches, 0 = silence."""
        self.grid = np.asarray(grid, np.int64).reshape(-1, len(VOICES))
        silence = np.full((1, len(VOICES)), SILENCE)
        self.before = np.concatenate([silence, self.grid])[:-1]
        self.sounds = self.grid != SILENCE
        self.sounded = self.before != SILENCE
        self.struck = self.sounds & (self.grid != self.before)
        # From one sounding pitch to another, by a number of semitones.
        self.moves = self.struck & self.sounded
        self.steps = np.where(self.moves, self.grid - self.before, 0)

    @cached_property
    def chords(self) -> chords.Chords:
        """The chord of each row."""
        return chords.classify(self.grid)

    @cached_property
    def _classes(self) -> list[str]:
        return spelling.names(spelling.signature(self.grid))

    def name(self, row: int, voice: int) -> str:
        """The note of a voice, such as F#4, or a rest."""
        if not self.sounds[row, voice]:
            return "a rest"
        return spelling.pitch_name(int(self.grid[row, voice]), self._classes)

    def over(self, row: int, upper: int, lower: int) -> str:
        """The notes of two voices, such as D5 over G3."""
        return f"{self.name(row, upper)} over {self.name(row, lower)}"

    def motion(self, row: int, voice: int) -> str:
        """The two notes of a voice that moves, such as D5 to E5."""
        return f"{self.name(row - 1, voice)} to {self.name(row, voice)}"


def begins(wrong: np.ndarray) -> np.ndarray:
    """The rows where a stretch of True in an array (rows,) begins."""
    return np.flatnonzero(wrong & ~np.concatenate([[False], wrong])[:-1])
