import numpy as np
import pytest
from music21 import expressions, key, meter, note, stream

from helpers import running
from helpers.clone import digests
from kantor import chorale, details, plan
from kantor.network import model_file, strikes
from kantor.notation import reading
from kantor.sampling.fragments import UNKNOWN

pytestmark = pytest.mark.xdist_group("harmonise")
# Pitches and quarters; 72 is there twice, and the second bar ends with a fermata and a rest.
NOTES = [(67, 1), (69, 1), (71, 1), (72, 0.5), (72, 0.5), (74, 1), (72, 2), (0, 1), (67, 4)]
LINE = [pitch for pitch, quarters in NOTES for _ in range(int(4 * quarters))]
BEGINS = np.cumsum([0, *(int(4 * quarters) for _, quarters in NOTES[:-1])]).tolist()
ROWS = len(LINE)
FERMATA = range(20, 28)


@pytest.fixture(scope="module")
def melody(folder):
    """Writes the melody some semitones higher, as a score of one part in 4/4 and G major."""

    def written(shift=0, name="melody.musicxml", fermata=True):
        part = stream.Part()
        part.append([key.KeySignature(1), meter.TimeSignature("4/4")])
        for number, (pitch, quarters) in enumerate(NOTES):
            element = note.Note(pitch + shift) if pitch else note.Rest()
            element.quarterLength = quarters
            if fermata and number in (6, 8):
                element.expressions.append(expressions.Fermata())
            part.append(element)
        stream.Score([part]).write("musicxml", folder / name)
        return folder / name

    return written


def harmonise(folder, name, *arguments):
    return running.kantor(folder, "harmonise", "melody.musicxml", name, *arguments)


@pytest.mark.slow
def test_a_melody_is_harmonised_and_kept(folder, melody, capsys):
    """With a model, and the same bits twice."""
    melody()
    few = ("--particles", 2, "--count", 2)
    assert harmonise(folder, "one", *few) == "" == harmonise(folder, "two", *few)
    assert digests(folder / "one", ".") == digests(folder / "two", ".")
    for number in range(2):
        grid, described, extras = reading.read(folder / f"one/{number}.musicxml")
        assert grid[:, 0].tolist() == LINE
        assert (described.signature, described.metre) == (1, "4/4")
        assert np.flatnonzero(extras.struck[:, 0]).tolist() == [
            begin for begin in BEGINS if LINE[begin]
        ]
        assert np.flatnonzero(extras.fermata).tolist() == [*FERMATA, *range(32, 48)]
    assert (folder / "one/0.csv").read_text() != (folder / "one/1.csv").read_text()


def test_the_other_voices_are_composed_after_the_melodys_plan(folder, melody, filters, capsys):
    melody()
    assert harmonise(folder, "planned") == ""
    (fragment,) = filters.fragments
    assert fragment.grid[:, 0].tolist() == LINE and (fragment.grid[:, 1:] == UNKNOWN).all()
    table = fragment.plan
    assert table[0, [plan.TONIC, plan.MODE, plan.BAR, plan.PLACE]].tolist() == [7, 0, 16, 0]
    assert table[:, plan.LEFT].tolist() == [*range(ROWS, 0, -1)]
    assert table[27, plan.PHRASE] == 1 and table[28, plan.PHRASE] == 20
    assert "key: found G major; --key says another\n" in capsys.readouterr().out


def test_what_is_asked_for_comes_first(folder, melody, filters):
    melody()
    asked = ("--key", "E minor", "--metre", "3/4", "--pickup", 1)
    assert harmonise(folder, "asked", *asked, "--phrases", "2,2") == ""
    table = filters.fragments[0].plan
    assert table[0].tolist() == [4, 1, 12, 8, 24, ROWS]
    _, described, _ = reading.read(folder / "asked/0.musicxml")
    assert (described.signature, described.metre, described.pickup) == (1, "3/4", 1.0)


def test_another_voice_is_harmonised(folder, melody, filters, monkeypatch):
    melody()
    monkeypatch.setattr("kantor.commands.harmonise._range", lambda voice: (60, 80))
    assert harmonise(folder, "tenor", "--voice", "tenor") == ""
    assert filters.fragments[0].grid[:, 2].tolist() == LINE
    assert chorale.read(folder / "tenor/0.csv")[:, 2].tolist() == LINE


def test_a_melody_out_of_its_voices_range_is_moved_and_written_back(
    folder, melody, filters, monkeypatch, capsys
):
    """The other voices come down with it, as far as a grid has pitches."""
    melody(shift=-12)
    rows = np.array(LINE)
    high = np.stack([rows, rows, rows, rows], axis=1)
    monkeypatch.setattr("helpers.completing.random_grid", lambda rows, seed: high)
    assert harmonise(folder, "low") == ""
    fragment = filters.fragments[0]
    assert fragment.grid[:, 0].tolist() == LINE
    words = "the melody lies too low for a soprano: composed an octave higher, and written back\n"
    assert words in capsys.readouterr().out
    lower = np.where(rows == 0, 0, rows - 12)
    assert chorale.read(folder / "low/0.csv").tolist() == np.stack([lower] * 4, axis=1).tolist()


def test_a_melody_stays_where_it_was_composed_if_a_voice_is_too_low_else(
    folder, melody, filters, monkeypatch, capsys
):
    melody(shift=-10)
    monkeypatch.setattr("kantor.commands.harmonise._range", lambda voice: (66, 75))
    low = np.full((ROWS, 4), chorale.LOWEST)
    monkeypatch.setattr("helpers.completing.random_grid", lambda rows, seed: low)
    assert harmonise(folder, "left") == ""
    words = "composed 9 semitones higher, and left there, for not all voices are within MIDI"
    assert words in capsys.readouterr().out
    grid, described, _ = reading.read(folder / "left/0.musicxml")
    assert grid[:, 0].tolist() == [pitch and pitch - 1 for pitch in LINE]
    # F major became F sharp major.
    assert described.signature == 6


@pytest.mark.parametrize(("shift", "far"), [(9, "7 semitones lower"), (-9, "7 semitones higher")])
def test_the_plan_moves_with_the_melody(folder, melody, filters, monkeypatch, capsys, shift, far):
    melody(shift=shift)
    exactly = min(filter(None, LINE)) + np.sign(shift) * 2, max(LINE) + np.sign(shift) * 2
    monkeypatch.setattr("kantor.commands.harmonise._range", lambda voice: exactly)
    assert harmonise(folder, f"moved{shift}") == ""
    assert filters.fragments[0].plan[0, plan.TONIC] == (7 + np.sign(shift) * 2) % 12
    assert f"composed {far}, " in capsys.readouterr().out


def test_other_voices_strike_as_the_network_says(folder, melody, filters, monkeypatch):
    """Here everything again."""
    melody()
    network = strikes.build(2)
    kernel, bias = network.get_layer("struck").get_weights()
    network.get_layer("struck").set_weights([0 * kernel, bias + 30])
    model_file.save(network, folder / "models/strikes.keras")
    monkeypatch.setattr("kantor.network.model_file.load", lambda path: network)
    assert harmonise(folder, "struck") == ""
    (folder / "models/strikes.keras").unlink()
    struck = details.read(folder / "struck/0.details.csv").struck
    grid = chorale.read(folder / "struck/0.csv")
    assert struck[:, 1:].tolist() == (grid[:, 1:] != 0).astype(int).tolist()
    assert np.flatnonzero(struck[:, 0]).tolist() == [begin for begin in BEGINS if LINE[begin]]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--key", "H minor"), "kantor harmonise: key is 'H minor': expected a tonic"),
        (("--phrases", "4,4"), "8 bars are asked for; expected 3"),
        (("--particles", "0"), "--particles is 0; expected 1 or more"),
        (("--top-p", "2"), "kantor harmonise: top_p is 2"),
        (("--count", "0"), "--count is 0; expected 1 or more"),
        (("--model", "none.keras"), "none.keras: no such model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_before_anything_is_composed(
    folder, melody, filters, arguments, sentence
):
    melody()
    error = harmonise(folder, "bad", *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert not filters.fragments and not (folder / "bad").exists()


def test_ranges_are_those_of_chorales_that_are_there(folder, melody, filters, tmp_path):
    path = melody()
    for name in ("params.yaml", "models"):
        (tmp_path / name).symlink_to(folder / name)
    error = running.kantor(tmp_path, "harmonise", path, "mine")
    assert error == "error: data/chorales/train: no chorales in it; run `dvc repro download`"
