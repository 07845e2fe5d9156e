import numpy as np
import pytest

from helpers.music import random_grid
from helpers.networks import probabilities, shared, small
from kantor import chorale, plan
from kantor.data.records import Record
from kantor.evaluation import baselines, likelihood
from kantor.network import model

UNIFORM = np.log(chorale.VOCABULARY_SIZE)


def record(rows, index=0, seed=0):
    return Record(chorale.encode(random_grid(rows, seed)), index, 0)


def uniform(pieces):
    return [np.full((*piece.shape, 47), 1 / 47, np.float32) for piece in pieces]


def oracle(pieces):
    return [np.eye(47, dtype=np.float32)[piece] for piece in pieces]


def test_every_note_but_the_first_is_scored_in_its_place():
    notes = likelihood.predictions([record(3, index=5)], uniform)
    assert len(notes) == 11
    assert notes["voice"].tolist() == [1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert notes["row"].tolist() == [0] * 3 + [1] * 4 + [2] * 4
    assert notes["token"].tolist() == record(3).tokens.ravel()[1:].tolist()
    assert notes["before"].tolist() == [-1, -1, -1, *record(3).tokens[:2].ravel()]
    assert set(notes["chorale"]) == {5}


def test_rows_of_a_window_are_numbered_as_in_its_piece():
    window = record(3)._replace(row=16)
    assert likelihood.predictions([window], uniform)["row"].unique().tolist() == [16, 17, 18]


def test_a_predictor_of_known_worth_gets_the_loss_that_a_pencil_gives():
    figures = likelihood.figures(likelihood.predictions([record(8)], uniform))
    for name in ("loss", "onset_loss", "hold_loss"):
        assert figures[name] == pytest.approx(UNIFORM, rel=1e-5)
    figures = likelihood.figures(likelihood.predictions([record(8)], oracle))
    assert figures["loss"] == 0 and figures["accuracy"] == figures["onset_accuracy"] == 1


def test_means_are_over_notes_not_over_pieces():
    def first_piece_right(pieces):
        return [oracle(pieces)[0], *uniform(pieces)[1:]]

    records = [record(2), record(40)]
    figures = likelihood.figures(likelihood.predictions(records, first_piece_right))
    assert figures["loss"] == pytest.approx(UNIFORM * 159 / (7 + 159), rel=1e-5)


def test_onsets_and_holds_share_out_all_notes_after_the_first_row():
    grid = np.array([[60, 55, 50, 45], [60, 55, 50, 43], [62, 55, 50, 43]])
    notes = likelihood.predictions([Record(chorale.encode(grid), 0, 0)], oracle)
    figures = likelihood.figures(notes)
    assert (figures["notes"], figures["onset_notes"], figures["hold_notes"]) == (11, 2, 6)


def test_figures_of_nothing_are_none():
    notes = likelihood.predictions([record(1)], oracle)
    assert likelihood.figures(notes)["onset_loss"] is None


def test_padding_changes_no_figure(settings):
    network = small(settings, "row_gru")
    records = [record(rows, rows, rows) for rows in (70, 30, 3, 17, 9)]  # in two shapes
    together = likelihood.predictions(records, likelihood.model_predictor(network))
    for one in records:
        same = together[together["chorale"] == one.chorale]
        notes = one.tokens.ravel()
        assert same["token"].tolist() == notes[1:].tolist()
        alone = probabilities(network, notes[None, :-1])[0]
        likelihoods = alone[np.arange(len(alone)), notes[1:]]
        np.testing.assert_allclose(same["loss"], -np.log(likelihoods), rtol=1e-4)
        assert same["predicted"].tolist() == alone.argmax(axis=1).tolist()


@pytest.mark.slow
def test_a_planned_piece_is_scored_with_its_own_plan_in_any_company():
    network = model.planned(model.parts(shared("two of rows")))
    grids = [random_grid(rows, seed=rows) for rows in (9, 5, 12)]
    pieces = [chorale.encode(grid) for grid in grids]
    asked = [plan.regular(rows % 7, 0, 16, 0, [rows]) for rows in (9, 5, 12)]
    predicted = likelihood.planned_predictor(network)(pieces, asked)
    for piece, own, output in zip(pieces, asked, predicted, strict=True):
        alone = probabilities(network, [piece[None], own[None]])[0]
        np.testing.assert_allclose(output, alone, atol=1e-5)


def test_figures_by_voice_and_place_average_to_the_whole():
    notes = likelihood.predictions([record(40)], baselines.bigram([record(40, seed=3)], 0.1))
    whole = likelihood.figures(notes)["loss"]
    voices = likelihood.by_voice(notes)
    assert list(voices) == list(chorale.VOICES)
    assert sum(v["loss"] * v["notes"] for v in voices.values()) / len(notes) == pytest.approx(whole)
    place = likelihood.by_place(notes, 16)
    assert place.index.tolist() == [0, 16, 32]
    counts = notes.groupby(notes["row"] // 16)["loss"].size().to_numpy()
    assert (place.to_numpy() * counts).sum() / len(notes) == pytest.approx(whole)


def test_figures_by_kind_are_those_of_onsets_and_holds():
    model = likelihood.predictions([record(20)], uniform)
    bigram = likelihood.predictions([record(20)], oracle)
    table = likelihood.by_kind(model, bigram).set_index("notes")
    assert table.index.tolist() == ["onsets", "held"]
    figures = likelihood.figures(model)
    for row, kind in (("onsets", "onset"), ("held", "hold")):
        assert table.loc[row, "model_loss"] == figures[f"{kind}_loss"]
        assert table.loc[row, "model_accuracy"] == figures[f"{kind}_accuracy"]
        assert table.loc[row, "bigram_accuracy"] == 1


def test_intervals_are_those_of_sounding_onsets():
    grid = np.array([[60, 55, 50, 0], [62, 55, 50, 45], [78, 54, 0, 45]])
    notes = likelihood.predictions([Record(chorale.encode(grid), 0, 0)], oracle)
    table = likelihood.intervals(notes)
    counted = {tuple(row) for row in table.to_numpy().tolist()}
    assert counted == {(2, 2, 1), (12, 12, 1), (-1, -1, 1)}, "62 to 78 counts as an octave"
