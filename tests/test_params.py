import pytest
import yaml

from conftest import PROJECT
from kantor import params
from kantor.system.errors import KantorError

SAMPLE = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "rows": 4}


def test_the_projects_own_settings_are_valid(chosen):
    assert chosen.model.architecture == "row_gru"


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("train.epochs", 0, "train.epochs is 0"),
        ("train.epochs", "20", "train.epochs is '20'"),
        ("train.learning_rate", float("nan"), "train.learning_rate is nan"),
        ("train.learnig_rate", 0.1, "train.learnig_rate"),
        ("model.architecture", "transformer", "model.architecture is 'transformer'"),
        ("download.archive.sha256", "abc", "download.archive.sha256 is 'abc'"),
        ("render.samples", {"../up": SAMPLE}, "'../up'"),
        ("render.samples", {"warm": SAMPLE | {"top_p": 0.0}}, "render.samples.warm.top_p is 0.0"),
        ("render.amplitude", 0.3, "render.amplitude is 0.3"),
        ("seed", -1, "seed is -1"),
    ],
)
def test_a_wrong_key_is_named_with_what_was_found(tmp_path, key, value, words):
    settings = yaml.safe_load((PROJECT / "params.yaml").read_text())
    *path, last = key.split(".")
    place = settings
    for name in path:
        place = place[name]
    place[last] = value
    changed = tmp_path / "params.yaml"
    changed.write_text(yaml.safe_dump(settings))
    with pytest.raises(KantorError) as caught:
        params.load(changed)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_key_no_yaml_and_no_file_are_told_apart(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(KantorError, match="no such file"):
        params.load(path)
    path.write_text("seed: [")
    with pytest.raises(KantorError, match="not YAML"):
        params.load(path)
    settings = yaml.safe_load((PROJECT / "params.yaml").read_text())
    del settings["preprocess"]["window"]
    path.write_text(yaml.safe_dump(settings))
    with pytest.raises(KantorError, match=r"preprocess\.window: Field required"):
        params.load(path)
