import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kantor import params, plan, planning
from kantor.params import Wish
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError

# Two metres, with and without a pickup, in major and minor; each of its own length.
CHORALES = [
    plan.regular(tonic, mode, bar, pickup, [2 * bar, 4 * bar, 5 * bar + tonic])
    for tonic, (mode, bar, pickup) in enumerate(
        (mode, bar, pickup) for mode in (0, 1) for bar in (12, 16) for pickup in (0, 4)
    )
]
OUTLINES = planning.outlines(CHORALES)
seeds = st.integers(0, 2**32)
metres = st.sampled_from(["3/4", "4/4", "3/2", "2/2", "6/4", "2/4", "12/8", "3/8", "5/4"])
bars = st.integers(1, 12)
wishes = st.builds(
    Wish,
    key=st.none() | st.sampled_from(["D minor", "Bb major", "f# minor"]),
    metre=st.none() | metres,
    pickup=st.none() | st.sampled_from([0.0, 0.25, 1.0]),
    bars=st.none() | bars,
) | st.builds(Wish, metre=st.none() | metres, phrases=st.lists(bars, min_size=1, max_size=6))


def wished(**keys):
    return params.checked(Wish, keys, "here")


def ends(table):
    return (np.flatnonzero(table[:, PHRASE] == 1) + 1).tolist()


@given(wishes, seeds)
def test_a_plan_is_whole_and_as_it_was_wished(wish, seed):
    table = planning.build(wish, OUTLINES, seed)
    bar, place = table[0, [BAR, PLACE]]
    assert table.tolist() == plan.regular(*table[0, :3], -place % bar, ends(table)).tolist()
    assert table[-1, PHRASE] == table[-1, LEFT] == 1
    if wish.key:
        assert tuple(table[0, [TONIC, MODE]]) == plan.tonality(wish.key)
    if wish.metre:
        assert bar == plan.bar_rows(wish.metre)
    if wish.pickup is not None:
        assert -place % bar == 4 * wish.pickup
    if wish.bars:
        assert len(table) == wish.bars * bar
    if wish.phrases:
        assert ends(table) == (np.cumsum(wish.phrases) * bar).tolist()
    description = planning.described(table, wish)
    assert plan.tonality(f"{description.key} {description.mode}") == tuple(table[0, [TONIC, MODE]])
    assert plan.bar_rows(description.metre) == bar and description.pickup * 4 == -place % bar


@given(seeds)
def test_without_a_wish_the_plan_is_a_chorale_s(seed):
    table = planning.build(Wish(), OUTLINES, seed)
    assert any(table.tolist() == chorale.tolist() for chorale in CHORALES)
    assert planning.build(Wish(), OUTLINES, seed).tolist() == table.tolist()


def test_seeds_draw_all_chorales():
    drawn = {len(planning.build(Wish(), OUTLINES, (seed, 1))) for seed in range(100)}
    assert drawn == {len(chorale) for chorale in CHORALES}


@given(seeds)
def test_what_is_open_is_that_of_a_chorale_that_agrees(seed):
    table = planning.build(wished(key="C minor", metre="3/4", pickup=1), OUTLINES, seed)
    (alike,) = [c for c in CHORALES if tuple(c[0, [MODE, BAR, PLACE]]) == (1, 12, 8)]
    assert ends(table) == ends(alike)
    # No chorale has that pickup: the metre counts for more.
    assert len(planning.build(wished(metre="3/4", pickup=0.5), OUTLINES, seed)) < 5 * 16
    # A pickup alone needs a bar that is longer.
    assert planning.build(wished(pickup=3.5), OUTLINES, seed)[0, BAR] == 16


@given(seeds, st.integers(1, 300))
def test_phrases_are_cut_or_repeated_to_the_rows_that_are_asked_for(seed, rows):
    whole = planning.build(Wish(), OUTLINES, seed)
    table = planning.build(Wish(), OUTLINES, seed, rows)
    assert table[:, LEFT].tolist() == [*range(rows, 0, -1)]
    assert ends(table)[:-1] == [end for end in ends(table)[:-1] if end <= rows - whole[0, BAR]]
    same = [end for end in ends(whole)[:-1] if end <= rows - whole[0, BAR]]
    assert ends(table)[: len(same)] == same


def test_repeated_phrases_begin_at_the_same_place_in_the_bar():
    chorale = plan.regular(0, 0, 16, 4, [32, 68])
    assert ends(planning.build(wished(bars=10), planning.outlines([chorale]), 0)) == [
        32,
        64,
        96,
        128,
        160,
    ]


@pytest.mark.parametrize(
    ("metre", "phrases"), [("2/4", [32, 40]), ("12/8", [48, 96, 120]), ("5/4", [40, 80, 100])]
)
def test_phrases_in_a_metre_that_no_chorale_has_are_four_or_two_bars(metre, phrases):
    assert ends(planning.build(wished(metre=metre), OUTLINES[:1], 0)) == phrases


def test_chorales_that_do_not_tell_all_or_change_their_metre_are_not_drawn():
    silent, changing, jumping = (CHORALES[0].copy() for _ in range(3))
    silent[:, TONIC], changing[20:, BAR], jumping[20:, PLACE] = UNKNOWN, 16, 0
    table = planning.build(Wish(), planning.outlines([silent, changing, jumping, CHORALES[3]]), 5)
    assert table.tolist() == CHORALES[3].tolist()
    table = planning.build(Wish(), planning.outlines([silent]), 5)
    assert (table[:, TONIC] == UNKNOWN).all() and ends(table) == [*range(32, 257, 32)]
    assert planning.described(table, Wish()).key == ""


def test_a_wish_laid_over_a_plan_replaces_what_it_names():
    table = plan.regular(7, 0, 16, 4, [40])
    keyed = planning.laid_over(table, wished(key="D minor"))
    assert keyed[:, [TONIC, MODE]].tolist() == 40 * [[2, 1]]
    assert keyed[:, BAR:].tolist() == table[:, BAR:].tolist()
    barred = planning.laid_over(table, wished(metre="3/4"))
    assert barred[0].tolist() == [7, 0, 12, UNKNOWN, 40, 40]
    picked_up = planning.laid_over(table, wished(pickup=2))
    assert picked_up[:, PLACE].tolist() == [(row - 8) % 16 for row in range(40)]
    assert (planning.laid_over(plan.unknown(4), wished(pickup=2)) == UNKNOWN).all()


def test_a_score_is_headed_with_the_key_and_metre_as_they_were_asked_for():
    wish = wished(key="gB  major", metre="6/4")
    description = planning.described(planning.build(wish, OUTLINES, 0), wish)
    assert (description.key, description.mode, description.metre) == ("Gb", "major", "6/4")


def test_a_wish_can_stand_in_a_file_of_settings():
    text = "{key: D minor, metre: 3/4, pickup: 1, phrases: [4, 4], bars: 8}"
    assert wished(**yaml.safe_load(text)).phrases == [4, 4]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"key": "H minor"}, "here: key is 'H minor': expected a tonic.*German H is B"),
        ({"metre": "5/0"}, "here: metre is '5/0': expected 1 to 99 beats"),
        ({"metre": "3/4", "pickup": 3}, "here: pickup is 3: expected less than a bar of 3/4$"),
        ({"pickup": -1}, "here: pickup is -1: expected"),
        ({"pickup": 0.3}, "here: pickup is 0.3: expected quarters of whole sixteenths"),
        ({"phrases": []}, "here: phrases is \\[\\]"),
        ({"phrases": [4, 0]}, "here: phrases.1 is 0"),
        (
            {"phrases": [4, 4], "bars": 7},
            "phrases is \\[4, 4\\]: expected 7 bars in all.* it is 8$",
        ),
        (
            {"phrases": [4, 4], "bars": 9},
            "phrases is \\[4, 4\\]: expected 9 bars in all.* it is 8$",
        ),
        ({"bars": 0}, "here: bars is 0"),
    ],
)
def test_what_can_not_be_wished_is_one_sentence(keys, sentence):
    with pytest.raises(KantorError, match=sentence):
        wished(**keys)


@pytest.mark.parametrize(
    ("keys", "rows", "sentence"),
    [
        ({"bars": 27, "metre": "4/4"}, 4, "^27 bars of 16 rows in 4 rows; expected 432 rows"),
        ({"phrases": [4, 4], "metre": "3/4"}, 48, "^8 bars of 12 rows in 48 rows; expected 96"),
        ({"pickup": 20}, None, "^a pickup of 20 quarters; expected less than a bar of "),
        ({"bars": 342, "metre": "3/4"}, None, "^a piece of 4104 rows; expected no more than 4096"),
        ({"phrases": [342], "metre": "3/4"}, None, "^a piece of 4104 rows"),
        ({}, 4097, "^a piece of 4097 rows"),
    ],
)
def test_what_can_not_be_planned_is_one_sentence(keys, rows, sentence):
    with pytest.raises(KantorError, match=sentence):
        planning.build(wished(**keys), OUTLINES, 0, rows)
