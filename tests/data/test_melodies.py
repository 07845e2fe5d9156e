import numpy as np
import pytest

from helpers.details import in_bars
from helpers.melodies import melody
from kantor.data.melodies import planned
from kantor.metadata import Metadata
from kantor.params import Wish
from kantor.plan import BAR, LEFT, MODE, PHRASE, PLACE, TONIC, UNKNOWN
from kantor.system.errors import KantorError

# Three bars of 2/4 after a pickup of a quarter, the last bar short of it.
LINE = np.repeat([67, 71, 72, 74, 71, 69, 67], [4, 4, 4, 4, 4, 2, 2]).tolist()
ROWS = len(LINE)
BARS = in_bars(ROWS, bar=8, first=4)
TOLD = Metadata(key="G", mode="major", signature=1, metre="2/4", pickup=1.0)


def tune(metadata=TOLD, **columns):
    return melody(LINE, metadata, **{"bar": BARS.bar, "place": BARS.place, **columns})


def fermata(*rows):
    return np.isin(np.arange(ROWS), rows).astype(int)


def test_what_the_file_tells_is_planned():
    plan, metadata, remarks = planned(tune(), Wish())
    assert plan.shape == (ROWS, 6) and not remarks
    assert set(plan[:, TONIC]) == {7} and set(plan[:, MODE]) == {0}
    assert np.array_equal(plan[:, [BAR, PLACE]], np.stack([BARS.bar, BARS.place], axis=1))
    assert plan[:, LEFT].tolist() == [*range(ROWS, 0, -1)]
    assert metadata == Metadata(
        rows=ROWS, key="G", mode="major", signature=1, metre="2/4", pickup=1.0
    )


def test_phrases_are_open_but_for_the_last_bar():
    for fermatas in (np.full(ROWS, UNKNOWN), fermata(), fermata(ROWS - 2, ROWS - 1)):
        plan, *_ = planned(tune(fermata=fermatas), Wish())
        assert plan[:, PHRASE].tolist() == [UNKNOWN] * (ROWS - 8) + [*range(8, 0, -1)]


def test_phrases_end_with_fermatas_or_where_that_is_wished():
    held = tune(fermata=fermata(8, 9, 10, 11))
    plan, *_ = planned(held, Wish())
    assert plan[:, PHRASE].tolist() == [*range(12, 0, -1), *range(12, 0, -1)]
    plan, *_ = planned(held, Wish(phrases=[2, 1]))
    assert plan[:, PHRASE].tolist() == [*range(16, 0, -1), *range(8, 0, -1)]
    plan, *_ = planned(held, Wish(phrases=[3]))
    assert np.array_equal(plan[:, PHRASE], plan[:, LEFT])


def test_the_last_phrase_that_is_wished_ends_with_the_melody():
    short = melody(LINE[:-2], TOLD, bar=BARS.bar[:-2], place=BARS.place[:-2])
    plan, *_ = planned(short, Wish(phrases=[2, 1]))
    assert plan[:, PHRASE].tolist() == [*range(16, 0, -1), *range(6, 0, -1)]


def test_what_is_wished_counts_first():
    plan, metadata, remarks = planned(tune(), Wish(key="E minor", metre="4/4", pickup=2))
    assert plan[0, :PHRASE].tolist() == [4, 1, 16, 8] and not remarks
    assert (metadata.key, metadata.mode, metadata.signature) == ("E", "minor", 1)
    assert (metadata.metre, metadata.pickup) == ("4/4", 2)
    plan, *_ = planned(tune(), Wish(metre="3/4"))
    assert plan[:6, PLACE].tolist() == [8, 9, 10, 11, 0, 1]


@pytest.mark.parametrize(("signature", "expected"), [(None, 1), (1, 1), (0, 0)])
def test_a_key_that_is_not_told_is_found_and_said(signature, expected):
    told = Metadata(signature=signature, metre="2/4", pickup=1.0)
    plan, metadata, remarks = planned(tune(told), Wish())
    assert plan[0, [TONIC, MODE]].tolist() == [7, 0]
    assert (metadata.key, metadata.mode, metadata.signature) == ("G", "major", expected)
    assert remarks == ["key: found G major; --key says another"]


def test_bars_that_are_not_told_are_open_and_said():
    nothing = np.full(ROWS, UNKNOWN)
    key = Metadata(key="G", mode="major")
    plan, _, remarks = planned(tune(key, bar=nothing, place=nothing), Wish())
    assert (plan[:, [BAR, PLACE]] == UNKNOWN).all()
    assert remarks == ["bars: not told; --metre and --pickup say them"]
    plan, _, remarks = planned(tune(key, place=nothing), Wish())
    assert remarks == ["bars: where the first one begins is not told; --pickup says it"]
    assert set(plan[:, BAR]) == {8} and set(plan[:, PLACE]) == {UNKNOWN}
    # Metadata tell them, and a wish does.
    for metadata, wish in [(TOLD, Wish()), (key, Wish(metre="2/4", pickup=1))]:
        plan, _, remarks = planned(tune(metadata, bar=nothing, place=nothing), wish)
        assert np.array_equal(plan[:, PLACE], BARS.place) and not remarks


def test_a_wish_that_the_melody_contradicts_is_told():
    with pytest.raises(KantorError, match="4 bars are asked for; expected 3, as many as"):
        planned(tune(), Wish(phrases=[2, 2]))
    with pytest.raises(KantorError, match=r"pickup is 1\.0: expected less than a bar of 1/8"):
        planned(tune(), Wish(metre="1/8"))
    changing = np.repeat([8, 12], 12)
    with pytest.raises(KantorError, match="no single metre; name it with --metre"):
        planned(tune(bar=changing), Wish(phrases=[3]))
