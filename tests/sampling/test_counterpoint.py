import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from helpers.music import pitches
from kantor import chorale
from kantor.chorale import VOCABULARY_SIZE, VOICES
from kantor.judging import motion
from kantor.judging.notes import Notes
from kantor.sampling import counterpoint
from kantor.system.runtime import tf


@pytest.mark.slow
@given(arrays.arrays(np.int64, (2, 4), elements=pitches), arrays.arrays(bool, 4))
def test_what_is_forbidden_is_what_the_judge_counts(rows, decided):
    before, notes = (tf.constant(chorale.encode(row)[None], tf.int32) for row in rows)
    for voice in range(len(VOICES)):
        forbidden = counterpoint.parallels(before, notes, decided[None], voice).numpy()[0]
        for token in range(VOCABULARY_SIZE):
            both = rows.copy()
            both[1, voice] = chorale.decode(np.array([token]))[0]
            wrong = any(
                voice in error.voices and decided[sum(error.voices) - voice]
                for error in motion.parallels(Notes(both))
            )
            assert forbidden[token] == wrong
