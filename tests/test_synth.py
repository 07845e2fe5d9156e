import numpy as np
import pytest
from scipy.io import wavfile

from helpers.music import random_grid
from kantor import chorale, synth
from kantor.system import memory
from kantor.system.errors import KantorError

RATE = 44100
TIMBRES = ["sine", "organ"]


def play(grid, tempo=40.0, rate=RATE, amplitude=0.25, timbre="sine"):
    return synth.synthesise(np.array(grid), tempo, rate, amplitude, timbre)


@pytest.mark.parametrize("timbre", TIMBRES)
@pytest.mark.parametrize("pitch", range(chorale.LOWEST, chorale.HIGHEST + 1))
def test_every_pitch_is_in_tune_within_a_cent(pitch, timbre):
    grid = np.zeros((40, 4), int)
    grid[:, 1] = pitch
    sound = play(grid, tempo=120.0, timbre=timbre)[: 4 * RATE]
    expected = 440 * 2 ** ((pitch - 69) / 12)
    # How far the phase runs, second by second, against that of the expected frequency.
    turning = sound * np.exp(-2j * np.pi * expected * np.arange(len(sound)) / RATE)
    early, late = (
        np.angle((turning[start : start + RATE] * np.hanning(RATE)).sum())
        for start in (RATE // 2, 2 * RATE + RATE // 2)
    )
    drift = (late - early + np.pi) % (2 * np.pi) - np.pi
    heard = expected + drift / (2 * np.pi) / 2
    assert abs(1200 * np.log2(heard / expected)) < 1
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) / 4 == pytest.approx(expected, abs=0.2), "another octave or note"


@pytest.mark.parametrize("timbre", TIMBRES)
def test_nothing_is_louder_than_a_decibel_below_full_scale(timbre):
    for amplitude in (0.1, 0.25):
        peak = np.abs(play(random_grid(60), timbre=timbre, amplitude=amplitude)).max()
        assert peak <= 10 ** (-1 / 20) + 1e-6


@pytest.mark.parametrize("timbre", TIMBRES)
def test_nothing_clicks_where_notes_begin_change_and_end(monkeypatch, timbre):
    """A jump would be steeper than the wave at its steepest and the fades at theirs."""
    # The room comes after that, and what it adds has no jump where the sound has none.
    monkeypatch.setitem(synth.ROOM, timbre, 0.0)
    cycle = synth._cycle(synth.PARTIALS[timbre])
    slope = np.abs(np.diff(cycle)).max() * len(cycle) / RATE
    fade = np.pi / 2 / (synth.FADE_SECONDS[timbre] * RATE)
    for pitches in ([60, 67], [60, 61], [60, 0], [0, 60], [36, 81], [60]):
        grid = np.zeros((len(pitches), 4), int)
        grid[:, 0] = pitches
        # The rows' lengths vary, so that changes fall on many phases.
        for tempo in (37.5, 37.8, 38.2, 40.0, 40.9):
            sound = play(grid, tempo=tempo, timbre=timbre)
            steepest = 0.25 * (slope * synth.frequency(max(pitches)) + fade * 1.01)
            assert np.abs(np.diff(sound)).max() <= steepest
            assert abs(sound[0]) < 1e-3 and abs(sound[-1]) < 1e-3


def test_a_held_note_is_not_struck_again():
    grid = np.zeros((8, 4), int)
    grid[:, 2] = 60
    # Its amplitude stays the same from the first fade to the last chord.
    middle = play(grid)[RATE // 2 : 2 * RATE]
    peaks = np.abs(middle[: len(middle) // 441 * 441]).reshape(-1, 441).max(axis=1)
    assert peaks.min() > 0.24 and peaks.max() <= 0.25


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_repeated_note_is_struck_again_without_a_click(monkeypatch, timbre):
    monkeypatch.setitem(synth.ROOM, timbre, 0.0)
    cycle = synth._cycle(synth.PARTIALS[timbre])
    slope = np.abs(np.diff(cycle)).max() * len(cycle) / RATE * synth.frequency(72)
    fade = np.pi / 2 / (synth.FADE_SECONDS[timbre] * RATE)
    grid = np.zeros((8, 4), int)
    grid[:, 0] = 72
    struck = np.zeros_like(grid)
    struck[[0, 4], 0] = 1
    for tempo in (37.5, 38.2, 60.0, 66.6):
        sound = synth.synthesise(grid, tempo, RATE, 0.25, timbre, struck)
        assert np.abs(np.diff(sound)).max() <= 0.25 * (slope + fade * 1.01)
        again = round(RATE * 60 / tempo)
        quiet = round(0.08 * synth.FADE_SECONDS[timbre] * RATE)
        assert np.abs(sound[again - quiet : again + quiet]).max() < 0.25 * 0.02
        held = round(2 * synth.FADE_SECONDS[timbre] * RATE)
        for middle in (again - held, again + held):
            assert np.abs(sound[middle - 200 : middle + 200]).max() > 0.24, "as loud as ever"
        spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
        above = np.fft.rfftfreq(len(sound), 1 / RATE) > 9 * synth.frequency(72)
        assert spectrum[above].sum() < 1e-6 * spectrum.sum(), "a click would be heard up there"


def test_only_the_voice_that_is_struck_again_changes():
    grid = np.tile([72, 67, 60, 48], (8, 1))
    struck = np.zeros_like(grid)
    struck[4, 1] = 1
    alone = np.where(np.arange(4) == 1, grid, 0)
    change = synth.synthesise(grid, 60.0, RATE, 0.05, "organ", struck) - play(
        grid, 60.0, amplitude=0.05, timbre="organ"
    )
    of_alto = synth.synthesise(alone, 60.0, RATE, 0.05, "organ", struck) - play(
        alone, 60.0, amplitude=0.05, timbre="organ"
    )
    assert np.abs(change).max() > 0.01
    np.testing.assert_allclose(change, of_alto, atol=1e-6)


@pytest.mark.parametrize("tempo", [300.0, 700.0, 1000.0])
def test_rows_shorter_than_a_fade_can_be_struck_again(tempo):
    grid = np.full((12, 4), 60)
    sound = synth.synthesise(grid, tempo, 16000, 0.1, "organ", np.ones_like(grid))
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.1


def test_the_room_answers_softly_and_dies_away():
    grid = np.zeros((8, 4), int)
    grid[:2, 1] = 60  # two seconds, then silence
    sound = play(grid, tempo=15.0, timbre="organ")

    def level(begin, end):
        return np.sqrt((sound[int(begin * RATE) : int(end * RATE)] ** 2).mean())

    played, after = level(1.0, 2.0), level(2.05, 2.15)
    assert 0.02 < after / played < 0.25
    assert level(3.3, 3.4) < played / 1000
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    above = np.fft.rfftfreq(len(sound), 1 / RATE) > 9 * synth.frequency(60)
    assert spectrum[above].sum() < 1e-5 * spectrum.sum(), "a click would be heard up there"


def test_voices_sound_one_upon_the_other_and_rests_are_silent():
    grid = np.array([[60, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 40], [60, 0, 0, 40]])
    rows = play(grid, tempo=15.0)
    assert np.abs(rows[int(1.1 * RATE) : int(1.9 * RATE)]).max() == 0
    soprano, bass = (play(np.where(np.arange(4) == v, grid, 0), tempo=15.0) for v in (0, 3))
    np.testing.assert_allclose(rows, soprano + bass, atol=1e-6)


@pytest.mark.parametrize(("tempo", "rate"), [(40.0, 44100), (33.4, 22050), (300.0, 16000)])
def test_it_lasts_its_rows_and_the_last_one_twice(tempo, rate):
    sound = play(random_grid(33), tempo=tempo, rate=rate)
    seconds = (33 + 1) * 60 / tempo / 4
    assert len(sound) / rate == pytest.approx(seconds + synth.FADE_SECONDS["sine"], abs=2 / rate)


def test_a_sound_that_the_memory_can_not_hold_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "installed", lambda: 10**9)
    with pytest.raises(
        KantorError, match=r"^a sound of 341 minutes takes about 28\.9 GB of memory"
    ):
        synth.synthesise(np.full((4096, 4), 60), 3.0, 44100, 0.1, "sine")


def test_a_wav_file_reads_back_as_sixteen_bits(tmp_path):
    sound = play(random_grid(5))
    synth.write_wav(sound, RATE, tmp_path / "x.wav")
    rate, read = wavfile.read(tmp_path / "x.wav")
    assert rate == RATE and read.dtype == np.int16
    np.testing.assert_allclose(read / 32767, sound, atol=1 / 32767)
