import pytest
import yaml

from helpers import committed
from kantor import params
from kantor.network import registry
from kantor.system.errors import KantorError


def configured(**changes):
    content = params.change(yaml.safe_load(committed.settings()), changes)
    settings = params.checked(params.Params, content, "mine.yaml")
    return registry.configured(settings.model, "mine.yaml")


@pytest.mark.parametrize("name", registry.ARCHITECTURES)
def test_an_architecture_stands_under_its_name_with_its_settings(name, settings):
    assert registry.ARCHITECTURES[name].name == name
    architecture, block = configured(**{"model.architecture": name})
    assert architecture is registry.ARCHITECTURES[name]
    assert block.model_dump() == settings.model.model_extra[name]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model.architecture", "transformer", "model.architecture is 'transformer': expected one"),
        (
            "model.transformer",
            {"heads": 8},
            "model.transformer: no such key; expected archi",
        ),
        ("model.row_gru.head", 0, "model.row_gru.head is 0: "),
        ("model.row_gruu", {}, "model.row_gruu: no such key; did you mean row_gru?"),
        ("model.row_gru.heads", 8, "model.row_gru.heads: no such key; did you mean head?"),
        ("model.row_gru", {"embedding": 4}, "model.row_gru.units is missing: expected a list of 1"),
        ("model.wavenet_lstm.filters", [32, 0], "model.wavenet_lstm.filters.1 is 0: "),
    ],
)
def test_what_is_wrong_in_a_block_is_named_whichever_is_used(key, value, words):
    with pytest.raises(KantorError) as caught:
        configured(**{key: value})
    assert str(caught.value).startswith(f"mine.yaml: {words}")


SIZES = {
    "row_gru": (
        {"embedding": 5, "units": [7, 7, 3], "head": 11},
        {"units": [7], "voice_leading": "none"},
    ),
    "wavenet_lstm": (
        {"filters": [], "lstm": [3]},
        {"filters": [3, 5], "kernel": 3, "batch_norm": False, "lstm": []},
        {"embedding": 2, "filters": [4], "lstm": [3, 5], "l1": 0.1},
    ),
}


@pytest.mark.parametrize(
    ("name", "options"), [(name, one) for name, several in SIZES.items() for one in several]
)
def test_the_size_of_a_network_is_told_before_it_is_there(name, options, settings):
    architecture = registry.ARCHITECTURES[name]
    block = architecture.settings.model_validate(settings.model.model_extra[name] | options)
    size = architecture.size(block)
    assert size.parameters == architecture.member(block, 1).count_params()
    assert size.outputs > sum(options.get("units", [])) + sum(options.get("filters", []))
