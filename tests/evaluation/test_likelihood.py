import numpy as np
import pytest

from conftest import random_grid
from kantor import chorale
from kantor.data.records import Record
from kantor.evaluation import likelihood
from kantor.network import model
from kantor.system.runtime import keras

UNIFORM = np.log(chorale.VOCABULARY_SIZE)


def part(rows, index=0, seed=0):
    return Record(chorale.encode(random_grid(rows, seed)), index, 0)


def uniform(arpeggios):
    return [np.full((len(a) - 1, 47), 1 / 47, np.float32) for a in arpeggios]


def oracle(arpeggios):
    return [np.eye(47, dtype=np.float32)[a[1:]] for a in arpeggios]


def test_every_note_but_the_first_is_scored_in_its_place():
    notes = likelihood.predictions([part(3, index=5)], uniform)
    assert len(notes) == 11
    assert notes["voice"].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert notes["row"].tolist() == [0] * 3 + [1] * 4 + [2] * 4
    assert notes["token"].tolist() == part(3).tokens[1:].tolist()
    assert notes["before"].tolist() == [-1, -1, -1, *part(3).tokens[:8]]
    assert set(notes["chorale"]) == {5}


def test_a_known_foreteller_gets_the_loss_that_a_pencil_gives():
    figures = likelihood.figures(likelihood.predictions([part(8)], uniform))
    for name in ("loss", "onset_loss", "hold_loss"):
        assert figures[name] == pytest.approx(UNIFORM, rel=1e-5)
    figures = likelihood.figures(likelihood.predictions([part(8)], oracle))
    assert figures["loss"] == 0 and figures["accuracy"] == figures["onset_accuracy"] == 1


def test_means_are_over_notes_not_over_pieces():
    def first_piece_right(arpeggios):
        return [oracle(arpeggios)[0], *uniform(arpeggios)[1:]]

    parts = [part(2), part(40)]
    figures = likelihood.figures(likelihood.predictions(parts, first_piece_right))
    assert figures["loss"] == pytest.approx(UNIFORM * 159 / (7 + 159), rel=1e-5)


def test_onsets_and_holds_share_out_all_notes_after_the_first_row():
    grid = np.array([[60, 55, 50, 45], [60, 55, 50, 43], [62, 55, 50, 43]])
    notes = likelihood.predictions([Record(chorale.encode(grid), 0, 0)], oracle)
    figures = likelihood.figures(notes)
    assert (figures["notes"], figures["onset_notes"], figures["hold_notes"]) == (11, 2, 6)
    assert likelihood.copy_accuracy(notes) == pytest.approx(6 / 11)


def test_the_copy_baseline_gets_the_references_77_percent(published):
    from kantor.data import archive

    with published.open("rb") as file:
        loaded = archive.unpack(file, 2**24)
    test = [Record(chorale.encode(g), i, 0) for (s, i), g in loaded.items() if s == "test"]
    notes = likelihood.predictions(test, uniform)
    known = notes[notes["before"] != likelihood.UNKNOWN]
    assert likelihood.copy_accuracy(known) == pytest.approx(0.770, abs=0.0005)
    assert likelihood.copy_accuracy(notes) == pytest.approx(0.768, abs=0.0005)


def test_the_bigram_counts_pairs_within_each_voice():
    grid = np.array([[60, 55, 50, 45], [62, 55, 50, 45], [60, 55, 50, 45]])
    piece = Record(chorale.encode(grid), 0, 0)
    (given,) = likelihood.bigram([piece], smoothing=1.0)([piece.tokens])
    assert given.shape == (11, 47)
    np.testing.assert_allclose(given.sum(axis=1), 1)
    c4, d4 = chorale.encode(np.array([[60, 62, 0, 0]]))[:2]
    assert given[3, d4] == pytest.approx(2 / 48), "soprano: once, and once smoothed, from C to D"
    assert given[7, c4] == pytest.approx(2 / 48)
    assert given[3, c4] == pytest.approx(1 / 48)
    assert given[0, piece.tokens[1]] == pytest.approx(2 / 48), "alto, from its start"
    assert given[4, piece.tokens[5]] == pytest.approx(3 / 49), "alto, twice held"


@pytest.fixture
def network(chosen):
    keras.utils.set_random_seed(2)
    return model.build(chosen.model)


def test_padding_changes_no_figure(network):
    parts = [part(rows, rows, rows) for rows in (30, 3, 17, 9)]
    together = likelihood.predictions(parts, likelihood.model_predictor(network, "together"))
    for one in parts:
        alone = likelihood.predictions([one], likelihood.model_predictor(network, "alone"))
        same = together[together["chorale"] == one.chorale]
        np.testing.assert_allclose(same["loss"], alone["loss"], rtol=1e-4)
        assert same["token"].tolist() == alone["token"].tolist()
        direct = network.predict(one.tokens[None, :-1], verbose=0)[0]
        likelihoods = direct[np.arange(len(direct)), one.tokens[1:]]
        np.testing.assert_allclose(alone["loss"], -np.log(likelihoods), rtol=1e-4)


def test_figures_by_voice_and_place_average_to_the_whole():
    notes = likelihood.predictions([part(40)], likelihood.bigram([part(40, seed=3)], 0.1))
    whole = likelihood.figures(notes)["loss"]
    voices = likelihood.by_voice(notes)
    assert list(voices) == list(chorale.VOICES)
    assert sum(v["loss"] * v["notes"] for v in voices.values()) / len(notes) == pytest.approx(whole)
    place = likelihood.by_place(notes, 16)
    assert place.index.tolist() == [0, 16, 32]
    counts = notes.groupby(notes["row"] // 16)["loss"].size().to_numpy()
    assert (place.to_numpy() * counts).sum() / len(notes) == pytest.approx(whole)


def test_intervals_are_those_of_sounding_onsets():
    grid = np.array([[60, 55, 50, 0], [62, 55, 50, 45], [78, 54, 0, 45]])
    notes = likelihood.predictions([Record(chorale.encode(grid), 0, 0)], oracle)
    table = likelihood.intervals(notes)
    found = {tuple(row) for row in table.to_numpy().tolist()}
    assert found == {(2, 2, 1), (12, 12, 1), (-1, -1, 1)}, "62 to 78 counts as an octave"
