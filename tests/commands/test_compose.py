import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from scipy.io import wavfile

from helpers import running
from helpers.clone import digests
from helpers.details import in_bars
from helpers.music import random_grid
from helpers.networks import small
from helpers.project import PROJECT
from kantor import chorale, details, metadata, plan
from kantor.commands import ending
from kantor.commands.source import Source
from kantor.metadata import Metadata
from kantor.network import model_file, strikes
from kantor.notation import reading

pytestmark = pytest.mark.xdist_group("compose")  # they share a model, and what is composed
KINDS = ("csv", "details.csv", "mid", "musicxml", "wav")


@pytest.fixture(scope="module")
def project(tmp_path_factory, settings, settings_file):
    """A folder with settings, a chorale of which little is known, and a tiny model."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(settings_file, folder)
    (folder / "data/chorales/train").mkdir(parents=True)
    (folder / "data/chorales/train/chorale_000.csv").write_text(chorale.to_csv(random_grid(64)))
    metadata.write([Metadata("train", 0, 64)], folder / "data/chorales/corpus.csv")
    network = small(settings, "wavenet_lstm", filters=[8], lstm=[])
    model_file.save(network, folder / "models/chorale.keras")
    return folder


@pytest.fixture(scope="module")
def two_pieces(project):
    """Two pieces of five rows."""
    assert running.kantor(project, "compose", "two", "--count", 2, "--rows", 5) == ""
    return project / "two"


@pytest.mark.slow
def test_a_user_composes_pieces_to_a_folder_and_is_told_where(project):
    command = [sys.executable, "-m", "kantor", "compose", "mine"]
    finished = subprocess.run(
        [*command, "--count", "11", "--rows", "5", "--top-p", "0.9"],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == (
        "no models/strikes.keras: composed notes that stay are held, none is struck again\n"
        "wrote 11 pieces to mine: .wav, .mid, .musicxml and .csv\n"
    )
    names = [f"{number:02d}.{kind}" for number in range(11) for kind in KINDS]
    assert sorted(path.name for path in (project / "mine").iterdir()) == names
    assert len(chorale.read(project / "mine/03.csv")) == 5


@pytest.mark.slow
def test_the_sound_is_as_fast_as_params_yaml_says(project, settings, two_pieces):
    rate, sound = wavfile.read(two_pieces / "0.wav")
    # One row more, in which the last chord dies away.
    seconds = 6 * 60 / (4 * settings.render.tempo)
    assert rate == settings.render.rate and len(sound) / rate == pytest.approx(seconds, abs=0.1)


def test_nothing_that_is_there_is_lost(project, two_pieces):
    before = digests(two_pieces, ".")
    sentence = running.kantor(project, "compose", "two")
    assert sentence == "error: two: is there already; name another one"
    assert digests(two_pieces, ".") == before and len(before) == 10


@pytest.mark.slow
def test_a_piece_is_the_same_however_many_are_composed(project, two_pieces):
    assert running.kantor(project, "compose", "three", "--count", 3, "--rows", 5) == ""
    assert running.kantor(project, "compose", "other", "--rows", 5, "--seed", 1) == ""
    for name in ("0.csv", "1.csv"):
        assert (project / "three" / name).read_text() == (two_pieces / name).read_text()
    assert (project / "other/0.csv").read_text() != (two_pieces / "0.csv").read_text()


@pytest.mark.slow
def test_a_piece_goes_on_from_the_first_rows_of_a_score(project, two_pieces):
    start = ("--prompt", "two/0.musicxml", "--prompt-rows", 3, "--rows", 2, "--temperature", 0)
    assert running.kantor(project, "compose", "longer", *start) == ""
    grid = chorale.read(project / "longer/0.csv")
    assert len(grid) == 5
    assert grid[:3].tolist() == chorale.read(two_pieces / "0.csv")[:3].tolist()


@pytest.mark.slow
def test_tempo_and_timbre_change_the_sound_alone(project, two_pieces, settings):
    arguments = ("--count", 2, "--rows", 5, "--tempo", 2 * settings.render.tempo)
    assert running.kantor(project, "compose", "fast", *arguments, "--timbre", "sine") == ""
    assert running.kantor(project, "compose", "sine", *arguments[:4], "--timbre", "sine") == ""
    sounds = {}
    for folder in ("two", "fast", "sine"):
        assert (project / folder / "1.csv").read_text() == (two_pieces / "1.csv").read_text()
        assert reading.read(project / folder / "1.mid")[0].tolist() == (
            reading.read(two_pieces / "1.mid")[0].tolist()
        )
        sounds[folder] = wavfile.read(project / folder / "1.wav")[1]
    assert len(sounds["fast"]) == pytest.approx(len(sounds["two"]) / 2, rel=0.02)
    assert len(sounds["sine"]) == pytest.approx(len(sounds["two"]), rel=0.1)
    assert sounds["sine"].tolist() != sounds["two"].tolist()


@pytest.mark.slow
def test_the_scores_have_the_key_and_metre_of_the_prompt(project):
    description = Metadata("test", 305, 8, key="A", mode="minor", metre="3/4", pickup=1.0)
    metadata.write([description], project / "corpus.csv")
    path = project / "test/chorale_305.csv"
    path.parent.mkdir()
    path.write_text(chorale.to_csv(random_grid(8)))
    on = ("--prompt-rows", 4, "--rows", 2)
    assert running.kantor(project, "compose", "csv", "--prompt", path, *on) == ""
    _, described, _ = reading.read(project / "csv/0.musicxml")
    assert (described.signature, described.metre, described.pickup) == (0, "3/4", 1.0)

    shutil.copy(path, project / "alone.csv")
    assert running.kantor(project, "compose", "alone", "--prompt", "alone.csv", *on) == ""
    assert reading.read(project / "alone/0.musicxml")[1].metre == "4/4"

    assert running.kantor(project, "compose", "xml", "--prompt", "csv/0.musicxml", *on) == ""
    _, described, _ = reading.read(project / "xml/0.musicxml")
    assert (described.signature, described.metre) == (0, "3/4")


ASKED = ("--key", "Bb minor", "--metre", "3/4", "--pickup", 0.5, "--phrases", "2,1")


@pytest.fixture
def requests(monkeypatch):
    """What the sampler is asked for, which composes held chords instead."""
    asked = []

    def compose(model, requests):
        asked.extend(requests)
        return [random_grid(request.all_rows) for request in requests]

    monkeypatch.setattr("kantor.sampling.composing.compose", compose)
    return asked


def test_a_piece_has_the_key_bars_and_phrases_that_are_asked_for(project, requests):
    assert running.kantor(project, "compose", "asked", *ASKED, "--bars", 3) == ""
    (request,) = requests
    expected = plan.regular(tonic=10, mode=1, bar=12, pickup=2, ends=[24, 36])
    assert request.plan.tolist() == expected.tolist() and request.rows == 36
    _, described, _ = reading.read(project / "asked/0.musicxml")
    assert (described.signature, described.metre, described.pickup) == (-5, "3/4", 0.5)


@pytest.mark.slow
def test_each_piece_is_planned_for_itself_as_one_of_the_training_split(
    project, requests, monkeypatch
):
    chorales = [plan.regular(tonic, 0, 16, 4, [32, 68]) for tonic in range(12)]
    monkeypatch.setattr("kantor.data.plans.read", lambda folder, split: chorales)
    assert running.kantor(project, "compose", "drawn", "--count", 6) == ""
    drawn = [request.plan.tolist() for request in requests]
    assert all(one in [plan.tolist() for plan in chorales] for one in drawn)
    assert len({one[0][plan.TONIC] for one in drawn}) > 1
    requests.clear()
    assert running.kantor(project, "compose", "longer_drawn", "--count", 3, "--rows", 100) == ""
    assert [request.plan[:, plan.LEFT].tolist() for request in requests] == 3 * [
        [*range(100, 0, -1)]
    ]
    assert [request.plan[0, plan.TONIC] for request in requests] == [one[0][0] for one in drawn[:3]]


def test_nothing_is_asked_for_without_a_plan(project, requests):
    assert running.kantor(project, "compose", "free", "--plan", "none") == ""
    assert requests[0].plan.tolist() == plan.unknown(112).tolist()


def test_what_a_prompt_tells_goes_on_and_what_is_asked_for_comes_first(project, requests):
    start = project / "start.musicxml"
    assert running.kantor(project, "compose", "start", *ASKED) == ""
    shutil.copy(project / "start/0.musicxml", start)
    requests.clear()
    on = ("--prompt", start, "--prompt-rows", 17, "--rows", 30)
    assert running.kantor(project, "compose", "on", *on) == ""
    assert (
        running.kantor(project, "compose", "over", *on, "--key", "F major", "--metre", "2/4") == ""
    )
    told, asked = (request.plan for request in requests)
    assert len(told) == 47 and told[:, plan.LEFT].tolist() == [*range(47, 0, -1)]
    assert told[:, plan.BAR].tolist() == 47 * [12]
    assert told[:, plan.PLACE].tolist() == [(row - 2) % 12 for row in range(47)]
    assert asked[:, [plan.TONIC, plan.MODE, plan.BAR]].tolist() == 47 * [[5, 0, 8]]
    described = reading.read(project / "over/0.musicxml")[1]
    assert (described.signature, described.metre, described.pickup) == (-1, "2/4", 0.5)


def test_details_of_a_prompt_tell_its_phrases_and_changes_of_metre(project, requests, monkeypatch):
    path = project / "changing.csv"
    path.write_text(chorale.to_csv(random_grid(40)))
    bar, place = np.repeat([16, 12], [16, 24]), np.r_[:16, :12, :12]
    fermata = np.isin(np.arange(40), range(12, 16)).astype(int)
    score = details.unknown(40)._replace(bar=bar, place=place, fermata=fermata)
    monkeypatch.setattr("kantor.details.beside", lambda path, rows: score)
    on = ("--prompt", path, "--prompt-rows", 20, "--rows", 12)
    assert running.kantor(project, "compose", "changing", *on) == ""
    table = requests[0].plan
    assert table[:, plan.BAR].tolist() == 16 * [16] + 16 * [12]
    assert table[:, plan.PLACE].tolist() == [*range(16), *range(12), *range(4)]
    assert table[:20, plan.PHRASE].tolist() == [*range(16, 0, -1)] + 4 * [plan.UNKNOWN]


@pytest.fixture
def striking(project):
    """The network beside the model that says what is struck again: everything."""
    network = strikes.build(2)
    kernel, bias = network.get_layer("struck").get_weights()
    network.get_layer("struck").set_weights([0 * kernel, bias + 30])
    model_file.save(network, project / "models/strikes.keras")
    yield
    (project / "models/strikes.keras").unlink()


def test_scores_have_repeated_notes_fermatas_and_bars(project, requests, striking, capsys):
    assert running.kantor(project, "compose", "repeated", *ASKED) == ""
    assert "strikes.keras" not in capsys.readouterr().out
    grid = chorale.read(project / "repeated/0.csv")
    told = details.read(project / "repeated/0.details.csv")
    assert told.struck.tolist() == (grid != 0).astype(int).tolist()
    assert told.fermata.nonzero()[0].tolist() == [23, 35]
    assert told.place.tolist() == [(row - 2) % 12 for row in range(36)]
    _, _, extras = reading.read(project / "repeated/0.musicxml")
    assert extras.struck.tolist() == told.struck.tolist()
    assert extras.fermata.tolist() == told.fermata.tolist()


def test_a_prompt_keeps_what_is_struck_in_it(project, requests, striking, monkeypatch):
    path = project / "held.csv"
    path.write_text(chorale.to_csv(random_grid(16)))
    score = details.unknown(16)._replace(struck=details.settled(np.zeros((16, 4)), random_grid(16)))
    monkeypatch.setattr("kantor.details.beside", lambda path, rows: score)
    on = ("--prompt", path, "--prompt-rows", 12, "--rows", 12)
    assert running.kantor(project, "compose", "kept", *on) == ""
    monkeypatch.undo()
    struck = details.read(project / "kept/0.details.csv").struck
    assert struck[:12].tolist() == score.struck[:12].tolist()
    grid = chorale.read(project / "kept/0.csv")
    assert struck[12:].tolist() == (grid[12:] != 0).astype(int).tolist()


@pytest.fixture
def ends(project):
    """The beginning and the ending of a piece in 3/4, each as a file: the one of two bars, the
    other from the third quarter of a bar on, with a fermata before its last bar.
    """
    for name, rows, first in (("begin", 24, 0), ("end", 28, 8)):
        path = project / f"{name}.csv"
        path.write_text(chorale.to_csv(random_grid(rows, seed=rows)))
        fermata = np.isin(np.arange(rows), range(14, 16)).astype(int) if name == "end" else 0
        told = in_bars(rows, bar=12, first=first)._replace(
            struck=details.settled(np.zeros((rows, 4), int), random_grid(rows, seed=rows)),
            fermata=np.zeros(rows, int) + fermata,
        )
        details.file_beside(path).write_text(details.to_csv(told))
    return "--prompt", "begin.csv", "--ending", "end.csv"


def test_a_piece_goes_on_to_its_ending(project, ends, filters):
    assert running.kantor(project, "compose", "joined", *ends, "--rows", 20) == ""
    (fragment,) = filters.fragments
    before, after = (chorale.read(project / f"{name}.csv") for name in ("begin", "end"))
    assert fragment.grid[:24].tolist() == before.tolist()
    assert (fragment.grid[24:44] == plan.UNKNOWN).all()
    assert fragment.grid[44:].tolist() == after.tolist()
    assert fragment.plan[:, plan.LEFT].tolist() == [*range(72, 0, -1)]
    assert fragment.plan[:, plan.PLACE].tolist() == 6 * [*range(12)]
    assert (fragment.plan[:44, plan.PHRASE] == plan.UNKNOWN).all()
    assert fragment.plan[44:, plan.PHRASE].tolist() == [*range(16, 0, -1), *range(12, 0, -1)]
    grid = chorale.read(project / "joined/0.csv")
    assert grid[fragment.there].tolist() == fragment.grid[fragment.there].tolist()
    told = details.read(project / "joined/0.details.csv")
    assert (
        told.struck[45:].tolist() == details.read(project / "end.details.csv").struck[1:].tolist()
    )
    assert np.flatnonzero(told.fermata[44:] == 1).tolist() == [14, 15]


def test_an_ending_shorter_than_a_bar_tells_where_its_own_phrases_end():
    def source(rows, *ends):
        own = plan.regular(0, 0, 16, 0, list(ends))
        return Source(random_grid(rows), own, details.unknown(rows), Metadata("train", 0, rows))

    phrases = ending.joined(source(16, 16), source(8, 4, 8), 24).plan[:, plan.PHRASE]
    assert (phrases[16:40] == plan.UNKNOWN).all()
    assert phrases[40:].tolist() == [4, 3, 2, 1] * 2


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [((), 44), (("--bars", 1), 8), (("--bars", 2), 20), (("--rows", 7), 7)],
    ids=str,
)
def test_an_ending_begins_where_in_the_bar_it_did(
    project, ends, filters, tmp_path, arguments, rows
):
    assert running.kantor(project, "compose", tmp_path / "on", *ends, *arguments) == ""
    assert len(filters.fragments[0].grid) == 24 + rows + 28


def test_several_ways_to_an_ending_are_drawn_as_the_settings_say(
    project, ends, filters, tmp_path, settings
):
    more = ("--count", 2, "--particles", 3, "--temperature", 0.5)
    assert running.kantor(project, "compose", tmp_path / "two", *ends, *more) == ""
    options = [fragment.options for fragment in filters.fragments]
    assert filters.particles == 3 and [one.temperature for one in options] == [0.5, 0.5]
    assert options[0].top_p == settings.completion.top_p
    first, second = (chorale.read(tmp_path / f"two/{number}.csv") for number in range(2))
    assert first.tolist() != second.tolist()


def test_a_pickup_is_before_the_first_bar_alone(project, ends, filters, tmp_path):
    bars = ("--metre", "3/4", "--pickup", 1, "--bars", 2)
    assert running.kantor(project, "compose", tmp_path / "late", *ends, *bars) == ""
    places = filters.fragments[0].plan[:, plan.PLACE].tolist()
    assert places[0] == 8 and places[-28] == 8, "where both begin in their bars"
    assert places == [(8 + row) % 12 for row in range(len(places))]


@pytest.mark.parametrize("key", ["G# major", "Db minor", "Fb major"])
def test_a_key_that_no_signature_holds_is_spelt_otherwise(project, tmp_path, key):
    options = ("--key", key, "--bars", 1, "--particles", 1)
    assert running.kantor(project, "compose", tmp_path / "out", *options) == ""
    assert reading.read(tmp_path / "out/0.musicxml")[1].signature in range(-5, 7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--rows", "4", "--bars", "1"), "--rows and --bars exclude each other before an ending"),
        (("--phrases", "4"), "--phrases and --prompt exclude each other"),
        (("--plan", "none"), "--ending and --plan none exclude each other"),
        (("--bars", "0"), "--bars is 0; expected 1 or more"),
        (("--rows", "4096"), "52 rows of prompt and ending and 4096 between; expected no more"),
        (("--ending", "none.csv"), "none.csv: no such file; name a CSV or a score"),
        (("--ending", "march.csv"), "the prompt ends in 3/4, and the ending begins in 4/4"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_ending_is_one_sentence(project, ends, filters, arguments, sentence):
    path = project / "march.csv"
    path.write_text(chorale.to_csv(random_grid(16)))
    details.file_beside(path).write_text(details.to_csv(in_bars(16)))
    error = running.kantor(project, "compose", "bad", *ends, *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert not filters.fragments and not (project / "bad").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--key", "H minor"), "kantor compose: key is 'H minor': expected a tonic, C to B"),
        (("--metre", "5/0"), "kantor compose: metre is '5/0': expected 1 to 99 beats"),
        (("--metre", "3/4", "--pickup", "3"), "kantor compose: pickup is 3.0: expected less than"),
        (("--phrases", "4,4", "--bars", "7"), "kantor compose: phrases is [4, 4]: expected 7 bars"),
        (("--bars", "27", "--rows", "4"), "27 bars of 16 rows in 4 rows; expected 432 rows"),
        (("--rows", "4097"), "--rows is 4097; expected 4096 or less: the longest"),
        (("--plan", "none", "--bars", "4"), "--bars and --plan none exclude each other"),
        (("--prompt", "two/0.csv", "--phrases", "4"), "--phrases and --prompt exclude each other"),
        (("--ending", "two/0.csv"), "--ending without --prompt; expected both"),
        (("--count", "0"), "--count is 0; expected 1 or more"),
        (("--seed", "-1"), "--seed is -1; expected 0 or more"),
        (("--rows", "0"), "--rows is 0; expected 1 or more"),
        (("--prompt-rows", "-1"), "--prompt-rows is -1; expected 0 or more"),
        (("--prompt-rows", "4"), "--prompt-rows without --prompt; expected both"),
        (("--temperature", "nan"), "kantor compose: temperature is nan"),
        (("--temperature", "-1"), "kantor compose: temperature is -1"),
        (("--top-k", "-1"), "--top-k is -1; expected 0 or more"),
        (("--top-p", "2"), "kantor compose: top_p is 2"),
        (("--tempo", "1"), "kantor compose: tempo is 1"),
        (("--timbre", "flute"), "kantor compose: timbre is 'flute'"),
        (("--prompt", "none.csv"), "none.csv: no such file; name a CSV or a score"),
        (("--prompt", "none.mid"), "none.mid: no such file"),
        (("--prompt", "two/0.csv", "--prompt-rows", "9"), "--prompt-rows is 9; two/0.csv has 5"),
        (("--model", "none.keras"), "none.keras: no such model"),
        (("--model", "params.yaml"), "params.yaml: not a model file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence_before_anything_is_composed(
    monkeypatch, project, two_pieces, arguments, sentence
):
    monkeypatch.setattr("kantor.sampling.composing.compose", None)
    error = running.kantor(project, "compose", "bad", *arguments)
    assert error.startswith(f"error: {sentence}") and "\n" not in error
    assert not (project / "bad").exists()


@pytest.mark.slow
def test_plans_are_drawn_only_where_chorales_are(project, tmp_path):
    for name in ("params.yaml", "models"):
        (tmp_path / name).symlink_to(project / name)
    sentence = "error: data/chorales/corpus.csv: no such file; run `dvc repro download`"
    assert running.kantor(tmp_path, "compose", "mine") == sentence
    assert running.kantor(tmp_path, "compose", "mine", "--plan", "none", "--rows", 2) == ""


def test_a_model_that_predicts_no_numbers_leaves_no_folder(project, settings):
    network = small(settings, "wavenet_lstm", filters=[8], lstm=[])
    network.set_weights([weights * float("nan") for weights in network.get_weights()])
    model_file.save(network, project / "broken.keras")
    error = running.kantor(project, "compose", "broken", "--model", "broken.keras", "--rows", 2)
    assert (
        "are no numbers, and neither are its probabilities" in error
        and not (project / "broken").exists()
    )
