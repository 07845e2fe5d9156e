"""A grid as sound: four voices, each a tone generator of its own.

Each voice's phase runs on from note to note. Where a note ends and another begins, the one
fades out while the other fades in, along halves of a squared sine, so there is no click and no
dip. A pitch that stays is held, unless it is struck again: then the note before has faded out
when it begins, as on an organ, whose key must come up first.

The organ stands in a room: its sound comes back as a tail of many faint echoes, the high ones
fainter, which dies away within a second or so.

Equal temperament, A4 (MIDI 69) = 440 Hz. Nothing is louder than 1 dB below full scale: what
would be is turned down as a whole.
"""

import warnings
from pathlib import Path

import numpy as np
from scipy import signal
from scipy.io import wavfile

from kantor.chorale import ROWS_PER_QUARTER, SILENCE, runs
from kantor.system import atomic, memory

FADE_SECONDS = {"sine": 0.012, "organ": 0.03}
# Relative strengths of the partials 1, 2, 3, ...: the organ's are those of stopped and open
# pipes of 8', 4' and 2' together.
PARTIALS = {"sine": (1.0,), "organ": (1.0, 0.5, 0.15, 0.25, 0.0, 0.05, 0.0, 0.1)}
LAST_CHORD_TIMES = 2
BYTES_A_SAMPLE = 32  # while a sound is made: itself, its room, its end, and what is written
LOUDEST = 10 ** (-1 / 20)  # 1 dB below full scale

# The room: how loud its tail is beside the sound itself, how long after that it begins, how long
# until it has died away by 60 dB, and above how many hertz it is fainter.
ROOM = {"sine": 0.0, "organ": 0.12}
ROOM_BEGINS, ROOM_SECONDS = 0.012, 1.1
ROOM_DULL_ABOVE = 2500.0
ROOM_SEED = 1723

# A phase is a 32-bit fraction of a turn that wraps around by itself: no note is off by more
# than 0.00001 Hz. Its upper 16 bits look the wave up, as finely as 16-bit samples show.
PHASE_BITS = 32
TURN = 2**PHASE_BITS
CYCLE_BITS = 16


def frequency(pitch: int) -> float:
    """Hertz of a MIDI pitch."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def synthesise(
    grid: np.ndarray,
    tempo: float,
    rate: int,
    amplitude: float,
    timbre: str,
    struck: np.ndarray | None = None,
) -> np.ndarray:
    """Play a grid (rows, 4) at `tempo` quarters a minute; float32 samples within [-1, 1].

    Where `struck` (rows, 4) is 1 a note begins, even if its pitch is the one before. The last row
    sounds twice as long as the others and fades away. Raises KantorError if this machine lacks the
    memory.
    """
    starts, fade = _starts(len(grid), tempo, rate), round(FADE_SECONDS[timbre] * rate)
    count = length(len(grid), tempo, rate, timbre)
    memory.check(
        count * BYTES_A_SAMPLE,
        f"a sound of {count / rate / 60:.0f} minutes",
        "expected a shorter piece or a faster tempo",
    )
    sound = np.zeros(count, np.float32)
    more = [(0, LAST_CHORD_TIMES - 1), (0, 0)]
    grid_played = np.pad(grid, more, "edge")
    struck_played = np.zeros_like(grid_played) if struck is None else np.pad(struck, more)
    for voice, strokes in zip(grid_played.T, struck_played.T, strict=True):
        _play(sound, voice, strokes, starts, rate, fade, _cycle(PARTIALS[timbre]))
    if wet := ROOM[timbre]:
        sound += np.float32(wet) * signal.oaconvolve(sound, _tail(rate))[: len(sound)]
    away = np.linspace(1, 0, len(sound) - starts[len(grid) - 1], dtype=np.float32)
    sound[starts[len(grid) - 1] :] *= away**2
    sound *= np.float32(amplitude)
    return sound / np.float32(max(1.0, np.abs(sound).max() / LOUDEST))


def length(rows: int, tempo: float, rate: int, timbre: str) -> int:
    """The samples that a grid of `rows` rows sounds for."""
    return int(_starts(rows, tempo, rate)[-1]) + round(FADE_SECONDS[timbre] * rate)


def write_wav(sound: np.ndarray, rate: int, path: Path) -> None:
    """Write samples within [-1, 1] as a 16-bit WAV file."""
    with atomic.output(path) as fresh:
        wavfile.write(fresh, rate, np.rint(sound * 32767).astype(np.int16))


def samples(path: Path) -> int:
    """The samples in a WAV file of `write_wav`; ValueError if it is cut or of another form."""
    with warnings.catch_warnings():
        # scipy only warns of a file that is cut.
        warnings.simplefilter("error", wavfile.WavFileWarning)
        _, sound = wavfile.read(path)
    if sound.ndim != 1 or sound.dtype != np.int16:
        raise ValueError("not 16-bit samples in one channel")
    return len(sound)


def _starts(rows: int, tempo: float, rate: int) -> np.ndarray:
    """The sample where each row begins, and where the last one ends."""
    rows += LAST_CHORD_TIMES - 1
    # Rounded row by row, the ends would drift; rounded from the start, none is off by more
    # than half a sample.
    return np.rint(np.arange(rows + 1) * 60 * rate / (tempo * ROWS_PER_QUARTER)).astype(int)


def _play(
    sound: np.ndarray,
    voice: np.ndarray,
    struck: np.ndarray,
    starts: np.ndarray,
    rate: int,
    fade: int,
    cycle: np.ndarray,
) -> None:
    """Add the notes of one voice (rows,), which begin anew where `struck` (rows,) is 1."""
    rise = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    phase = 0
    for first, end in runs(voice, struck):
        pitch, start, stop = voice[first], starts[first], starts[end]
        if pitch == SILENCE:
            continue
        step = round(frequency(pitch) / rate * TURN)
        again = end < len(voice) and voice[end] == pitch
        # It never is shorter than a fade, even if its rows are.
        samples = max(stop - start, fade) if again else stop - start + fade
        phases = np.arange(samples, dtype=np.uint32)
        phases *= np.uint32(step)
        phases += np.uint32(phase)
        phases >>= np.uint32(PHASE_BITS - CYCLE_BITS)
        note = cycle[phases]
        note[:fade] *= rise
        note[-fade:] *= rise[::-1]
        sound[start : start + samples] += note
        phase = (phase + step * int(stop - start)) % TURN


def _tail(rate: int) -> np.ndarray:
    """What comes back from the room of a single impulse, float32, of energy 1."""
    times = np.arange(round(ROOM_SECONDS * rate)) / rate
    echoes = np.random.Generator(np.random.Philox(ROOM_SEED)).standard_normal(len(times))
    echoes *= 10 ** (-3 * times / ROOM_SECONDS) * np.minimum(times / ROOM_BEGINS, 1)
    dull = np.exp(-2 * np.pi * ROOM_DULL_ABOVE / rate)
    echoes = signal.lfilter([1 - dull], [1, -dull], echoes)
    late = np.concatenate([np.zeros(round(ROOM_BEGINS * rate)), echoes])
    return (late / np.sqrt((late**2).sum())).astype(np.float32)


def _cycle(partials: tuple[float, ...]) -> np.ndarray:
    """One turn of a timbre, float32 within [-1, 1]."""
    turn = np.linspace(0, 2 * np.pi, 2**CYCLE_BITS, endpoint=False)
    wave = sum(strength * np.sin(k * turn) for k, strength in enumerate(partials, start=1))
    return (wave / np.abs(wave).max()).astype(np.float32)
