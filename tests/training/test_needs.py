"""What a training needs is estimated before it begins."""

import pytest

from helpers.project import PROJECT
from kantor import params
from kantor.network import registry
from kantor.system import memory
from kantor.system.errors import KantorError
from kantor.training import needs
from study import variants

MORE = [
    {"model.members": 100},
    {"model.row_gru.units": [8192]},
    {"model.row_gru.units": [1000] * 8},
    {"model.row_gru.head": 8192},
    {"train.batch_size": 4800},
    {"train.crops.rows": 128},
    {"train.crops.passes": 500},
]
TOO_MUCH = [
    {"model.row_gru.units": [8192] * 16},
    {"model.wavenet_lstm.filters": [8192] * 12, "model.architecture": "wavenet_lstm"},
    {"model.wavenet_lstm.lstm": [8192] * 16, "model.architecture": "wavenet_lstm"},
    {"train.batch_size": 9996, "train.crops.rows": 512},
    {"train.crops.passes": 10_000},
]


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of 32 GB."""
    monkeypatch.setattr(memory, "installed", lambda: 32 * memory.GIGABYTE)


@pytest.mark.parametrize("name", variants())
def test_all_that_the_study_trains_needs_less_than_three_gigabytes(name, settings_file):
    assert needs.needed(params.load(settings_file, variants()[name])) < 3 * memory.GIGABYTE


@pytest.mark.parametrize("changes", MORE, ids=str)
def test_more_of_anything_needs_more(changes, settings, settings_file):
    assert needs.needed(params.load(settings_file, changes)) > needs.needed(settings)


@pytest.mark.parametrize("changes", TOO_MUCH, ids=str)
def test_what_no_usual_machine_has_is_refused(changes, settings_file):
    with pytest.raises(KantorError) as caught:
        needs.check(params.load(settings_file, changes))
    sentence = str(caught.value)
    assert sentence.startswith("params.yaml: to train this network takes about ")
    assert "GB of memory, and this machine has 32.0; set a smaller network" in sentence


ETERNAL = [
    {"train.epochs": 10_000, "model.members": 10},
    {"model.members": 100, "train.crops.passes": 400},
    {"train.epochs": 10_000, "model.architecture": "wavenet_lstm", "model.members": 30},
]


@pytest.mark.parametrize("changes", ETERNAL, ids=str)
def test_what_nobody_waits_for_is_refused(changes, settings_file):
    with pytest.raises(KantorError, match=r"^params.yaml: to train this network takes about") as it:
        needs.check(params.load(settings_file, changes))
    assert "days on two cores; expected 30 at most; set a smaller network" in str(it.value)


def test_the_default_takes_minutes(settings):
    assert 300 < needs.seconds(settings) < 1200


def test_cards_have_the_batches_in_their_own_memory(settings_file):
    changes = {"train.batch_size": 9984, "train.crops.rows": 512}
    shared = params.load(settings_file, changes | {"train.replicas": 4})
    assert needs.needed(shared) < needs.needed(params.load(settings_file, changes)) / 10


def test_a_network_that_does_not_tell_its_size_is_not_refused_for_it(settings, monkeypatch):
    before = needs.needed(settings)
    silent = registry.Architecture("row_gru", registry.row_gru.Settings, None, steps="rows")
    monkeypatch.setitem(registry.ARCHITECTURES, "row_gru", silent)
    assert memory.GIGABYTE < needs.needed(settings) < before


def test_the_stage_refuses_before_it_loads_anything():
    text = (PROJECT / "stages/train.py").read_text()
    assert text.index("needs.check(settings)") < text.index("runtime.pin(")
