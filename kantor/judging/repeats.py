"""How long the sequences of notes are that a voice repeats: the ninth feature of the grade."""

import numpy as np

from kantor.chorale import SILENCE

HELD = -1


def lengths(voice: np.ndarray) -> np.ndarray:
    """The lengths in rows of all repeated sequences of a voice (rows,), as pitches.

    Of each two places of the voice, the longest sequences that are the same there: pitches and
    durations, two notes at least, from the beginning of a note on. A sequence that occurs three
    times is three pairs.
    """
    begins = np.diff(voice, prepend=voice[0] - 1) != 0
    tokens = np.where(begins, voice, HELD)
    count = len(tokens)
    # Row k: which places have the same token k rows on. Behind the end nothing is the same.
    padded = np.concatenate([tokens, np.full(count, HELD - 1)])
    later = np.lib.stride_tricks.sliding_window_view(padded, count)[1 : count + 1]
    same = np.zeros((count, count + 1), np.int8)
    same[:, :-1] = later == tokens
    edges = np.flatnonzero(np.diff(same.reshape(-1), prepend=0))
    starts, ends = edges[::2] % (count + 1), edges[1::2] % (count + 1)
    notes = np.concatenate([[0], (begins & (voice != SILENCE)).cumsum()])
    onsets = np.append(np.flatnonzero(begins), count)
    firsts = onsets[np.searchsorted(onsets, starts)]
    return (ends - firsts)[notes[ends] - notes[starts] >= 2]
