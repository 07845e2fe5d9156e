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
        ("model.architecture", "transformer", "model.architecture is 'transformer'; expected one"),
        ("model.transformer", {"heads": 8}, "model.transformer: no such key; expected architect"),
        ("model.row_gru.head", 0, "model.row_gru.head is 0: "),
        ("model.row_gru.heads", 8, "model.row_gru.heads is 8: Extra inputs"),
        ("model.row_gru", {"embedding": 4}, "model.row_gru.units: Field required (and 2 more)"),
        ("model.wavenet_lstm.filters", [32, 0], "model.wavenet_lstm.filters.1 is 0: "),
    ],
)
def test_what_is_wrong_in_a_block_is_named_whichever_is_used(key, value, words):
    with pytest.raises(KantorError) as caught:
        configured(**{key: value})
    assert str(caught.value).startswith(f"mine.yaml: {words}")
