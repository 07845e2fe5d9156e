import pytest
import yaml

from helpers import committed
from kantor import params
from kantor.system.errors import KantorError

SAMPLE = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "rhythm": None, "rows": 4}
TEXT = committed.settings()


def refusal(tmp_path, text, changes=None):
    """The sentence about a params.yaml."""
    path = tmp_path / "params.yaml"
    path.write_text(text)
    with pytest.raises(KantorError) as caught:
        params.load(path, changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_projects_own_settings_are_valid(settings):
    assert settings.model.architecture == "row_gru"


WRONG = [
    ("train.epochs", 0, "train.epochs is 0"),
    ("train.epochs", "20", "train.epochs is '20'"),
    ("train.learning_rate", float("nan"), "train.learning_rate is nan"),
    ("train.learnig_rate", 0.1, "train.learnig_rate"),
    ("download.archive.sha256", "abc", "download.archive.sha256 is 'abc'"),
    ("compose.samples", {"../up": SAMPLE}, "'../up'"),
    ("compose.samples", {"prompt": SAMPLE}, "'prompt' can't name a sample"),
    ("compose.samples", {"warm": SAMPLE | {"top_p": 0.0}}, "compose.samples.warm.top_p is 0.0"),
    ("render.amplitude", 0.3, "render.amplitude is 0.3"),
    ("seed", -1, "seed is -1"),
]


@pytest.mark.parametrize(("key", "value", "words"), WRONG)
def test_a_wrong_key_is_named_with_what_is_there(tmp_path, key, value, words):
    content = params.change(yaml.safe_load(TEXT), {key: value})
    assert words in refusal(tmp_path, yaml.safe_dump(content))
    assert words in refusal(tmp_path, TEXT, {key: value}), "as a change too"


def test_a_missing_key_no_yaml_and_no_file_are_told_apart(tmp_path):
    with pytest.raises(KantorError, match="no such file"):
        params.load(tmp_path / "params.yaml")
    assert "not YAML" in refusal(tmp_path, "seed: [")
    content = yaml.safe_load(TEXT)
    del content["preprocess"]["window"]
    assert "preprocess.window is missing: expected a whole number from 1 to 4096" in refusal(
        tmp_path, yaml.safe_dump(content)
    )


@pytest.mark.parametrize("text", ["", "# Every setting of the pipeline.\n", "- seed\n", "seed\n"])
@pytest.mark.parametrize("changes", [None, {"train.epochs": 3}], ids=["", "changed"])
def test_a_file_without_keys_is_told(tmp_path, text, changes):
    assert "params.yaml: no keys in it; `git checkout" in refusal(tmp_path, text, changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\nthreads: 2\nseed: 3\n", "line 3: the key seed is there twice"),
        ("train:\n  epochs: 2\n\n  epochs: 2\n", "line 4: the key epochs is there twice"),
    ],
)
def test_a_repeated_key_is_named_with_its_line(tmp_path, text, words):
    assert words in refusal(tmp_path, text)


def test_a_change_is_made_before_the_check_and_its_block_is_there(settings_file):
    changes = {"train.epochs": 3, "model.row_gru.units": [8]}
    settings = params.load(settings_file, changes)
    assert settings.train.epochs == 3 and settings.model.model_extra["row_gru"]["units"] == [8]
    with pytest.raises(KantorError, match=r"training\.epochs: no such key: .* no block training"):
        params.load(settings_file, {"training.epochs": 3})


def test_settings_that_contradict_each_other_are_told(tmp_path):
    words = refusal(tmp_path, TEXT, {"train.epochs": 2, "train.schedule.warmup_epochs": 2})
    assert "train.schedule.warmup_epochs is 2: expected fewer than train.epochs" in words
    words = refusal(tmp_path, TEXT, {"train.batch_size": 9, "train.replicas": 2})
    assert "train.batch_size is 9: expected a multiple of train.replicas" in words
