import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import plan
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN

lengths = st.lists(st.integers(1, 50), min_size=1, max_size=8)


@st.composite
def regular(draw):
    bar = draw(st.sampled_from([6, 8, 12, 16, 24]))
    return plan.regular(
        tonic=draw(st.integers(0, 11)),
        mode=draw(st.integers(0, 1)),
        bar=bar,
        pickup=draw(st.integers(0, bar - 1)),
        ends=np.cumsum(draw(lengths)).tolist(),
    )


def counts_down_to_one(column):
    return column[-1] == 1 and all((np.diff(column) == -1) | (column[:-1] == 1))


@given(regular())
def test_a_plan_counts_bars_phrases_and_the_end(table):
    assert table.dtype == np.int32 and table.shape[1] == plan.COLUMNS
    assert counts_down_to_one(table[:, PHRASE]) and counts_down_to_one(table[:, LEFT])
    assert (table[:, PHRASE] <= table[:, LEFT]).all()
    assert (np.diff(table[:, PLACE]) % table[0, BAR] == 1 % table[0, BAR]).all()


def test_a_pickup_has_the_last_places_of_a_bar():
    table = plan.regular(tonic=2, mode=1, bar=12, pickup=4, ends=[3, 8])
    assert table.tolist() == [
        [2, 1, 12, 8, 3, 8],
        [2, 1, 12, 9, 2, 7],
        [2, 1, 12, 10, 1, 6],
        [2, 1, 12, 11, 5, 5],
        [2, 1, 12, 0, 4, 4],
        [2, 1, 12, 1, 3, 3],
        [2, 1, 12, 2, 2, 2],
        [2, 1, 12, 3, 1, 1],
    ]


@given(regular(), st.integers(-30, 30))
def test_transposing_moves_the_tonic_alone_and_back(table, semitones):
    table[::3, TONIC] = UNKNOWN
    moved = plan.transposed(table, semitones)
    assert plan.transposed(moved, -semitones).tolist() == table.tolist()
    assert moved[:, MODE:].tolist() == table[:, MODE:].tolist()
    known = table[:, TONIC] != UNKNOWN
    assert ((moved - table)[known, TONIC] % 12 == semitones % 12).all()
    assert (moved[~known, TONIC] == UNKNOWN).all()


@given(regular(), st.integers(1, 60))
def test_a_piece_goes_on_in_its_key_and_bars_to_a_new_end(table, rows):
    longer = plan.continued(table, rows)
    assert len(longer) == len(table) + rows
    assert longer[: len(table), :PHRASE].tolist() == table[:, :PHRASE].tolist()
    assert (longer[:, [TONIC, MODE, BAR]] == table[0, [TONIC, MODE, BAR]]).all()
    assert (np.diff(longer[:, PLACE]) % table[0, BAR] == 1).all()
    assert counts_down_to_one(longer[:, LEFT])
    last = min(rows, table[0, BAR])
    assert longer[-last:, PHRASE].tolist() == [*range(last, 0, -1)]
    assert (longer[len(table) : -last, PHRASE] == UNKNOWN).all()


def test_a_phrase_that_a_prompt_does_not_end_is_open():
    table = plan.regular(0, 0, 16, 0, [20, 60])
    assert plan.continued(table[:30], 40)[:30, PHRASE].tolist() == [*range(20, 0, -1)] + 10 * [-1]


def test_what_is_unknown_stays_so_when_a_piece_goes_on():
    longer = plan.continued(plan.unknown(5), 20)
    assert (longer[:, :PHRASE] == UNKNOWN).all()
    assert longer[:, LEFT].tolist() == [*range(25, 0, -1)]
    half = plan.regular(0, 0, 16, 0, [5])
    half[:, BAR] = UNKNOWN
    assert (plan.continued(half, 3)[5:, PLACE] == UNKNOWN).all()


@given(st.integers(0, 11), st.integers(0, 1))
def test_a_key_that_is_written_is_read_back(tonic, mode):
    assert plan.tonality(" ".join(plan.key_name(tonic, mode))) == (tonic, mode)


@pytest.mark.parametrize(
    ("text", "key"),
    [("Bb major", (10, 0)), ("f# minor", (6, 1)), ("b minor", (11, 1)), ("Cb Major", (11, 0))],
)
def test_keys_as_people_write_them(text, key):
    assert plan.tonality(text) == key


@given(st.integers(1, 64))
def test_a_metre_that_is_written_is_read_back(bar):
    assert plan.bar_rows(plan.metre_name(bar)) == bar


def test_usual_metres():
    bars = {"2/4": 8, "3/4": 12, "4/4": 16, "3/2": 24, "4/2": 32}
    assert {plan.metre_name(bar): bar for bar in bars.values()} == bars
    assert (plan.bar_rows("2/2"), plan.bar_rows("6/4"), plan.bar_rows("12/8")) == (16, 24, 24)


@pytest.mark.parametrize("text", ["H minor", "h-Moll", "D", "minor", "Dm", "D# # minor", ""])
def test_what_is_no_key_is_told(text):
    with pytest.raises(ValueError, match=r"^expected a tonic, C to B") as error:
        plan.tonality(text)
    assert ("German H is B" in str(error.value)) == text.lower().startswith("h")


@pytest.mark.parametrize("text", ["5/0", "0/4", "3/5", "3", "3/4/4", "", "-3/4", "100/4"])
def test_what_is_no_metre_is_told(text):
    with pytest.raises(ValueError, match=r"^expected 1 to 99 beats"):
        plan.bar_rows(text)
