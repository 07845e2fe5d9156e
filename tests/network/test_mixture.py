import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.networks import probabilities, shared
from kantor import plan
from kantor.network import mixture, model

ROWS = 12


@pytest.mark.parametrize("kind", ["rows", pytest.param("two of rows", marks=pytest.mark.slow)])
def test_keys_and_copies_count_by_how_likely_they_make_the_notes_so_far(kind):
    network = shared(kind)
    told = model.planned(model.parts(network))
    notes = np.random.default_rng(0).integers(0, 47, (1, ROWS, 4)).astype(np.int32)

    asked = np.repeat(plan.unknown(ROWS)[None], len(plan.KEYS), axis=0)
    asked[:, :, : plan.KEY_COLUMNS] = plan.KEYS[:, None]
    in_keys = by_note(told, notes.repeat(len(asked), axis=0), asked)
    in_no_key = in_keys[plan.KEYS[:, 0].tolist().index(plan.UNKNOWN)]

    copies = [in_no_key]
    for semitones in mixture.SEMITONES:
        higher = np.where(notes > 0, np.clip(notes + semitones, 1, 46), 0)
        (predicted,) = by_note(told, higher, plan.unknown(ROWS)[None])
        places = np.where(np.arange(47) > 0, np.arange(47) + semitones, 0)
        there = (places > 0) & (places < 47) | (np.arange(47) == 0)
        copies.append(np.where(there, predicted[:, places * there], 0))

    of_keys, of_copies = weighed(in_keys, notes, 1), weighed(np.stack(copies), notes, 0.1)
    expected = of_copies * of_keys / in_no_key
    expected /= expected.sum(axis=1, keepdims=True)
    whole = probabilities(network, notes.reshape(1, -1))[0]
    np.testing.assert_allclose(whole[:-1], expected[1:], rtol=1e-3, atol=1e-6)


def by_note(told, notes, asked):
    """What is predicted of notes (n, rows, 4) that are told plans (n, rows, 6): (n, notes, 47)."""
    return probabilities(told, [notes, asked]).reshape(len(notes), -1, 47).astype(np.float64)


def weighed(predicted, notes, evidence):
    """The mean (notes, 47) of n predictions (n, notes, 47), each weighed by the notes before."""
    logs, means = np.zeros(len(predicted)), []
    for note, of_note in zip(notes.ravel(), predicted.swapaxes(0, 1), strict=True):
        shares = np.exp(evidence * (logs - logs.max()))
        means.append(shares / shares.sum() @ of_note)
        logs += np.log(np.maximum(of_note[:, note], mixture.SMALLEST))
    assert shares.max() > 1.2 * np.median(shares), "if all were alike, it would show nothing"
    return np.stack(means)


def test_what_copies_predict_is_brought_back_to_the_piece():
    """Where a copy is sure of its own note, what is brought back is sure of the piece's."""
    most = max(mixture.SEMITONES)
    for token in [0, *range(1 + most, 47 - most)]:
        copies = mixture.copies(np.full((1, 4), token, np.int32))
        one_hot = [np.eye(47, dtype=np.float32)[np.asarray(copy)] for copy in copies]
        back = np.asarray(mixture.brought_back(one_hot))
        assert (back == np.eye(47)[token]).all()


@given(st.lists(st.integers(0, 47), min_size=4, max_size=4))
def test_copies_are_notes_where_those_are(tokens):
    for copy, semitones in zip(mixture.copies(np.int32([tokens])), mixture.SEMITONES, strict=True):
        for token, other in zip(tokens, np.asarray(copy)[0].tolist(), strict=True):
            if token in (0, 47):
                assert other == token
            else:
                assert other == min(max(token + semitones, 1), 46)


def test_of_hints_only_the_tokens_are_transposed():
    hints = np.full((1, 1, 22), 20, np.int32)
    for copy, semitones in zip(mixture.copies(hints), mixture.SEMITONES, strict=True):
        assert np.asarray(copy)[0, 0].tolist() == [20 + semitones] * 12 + [20] * 10
