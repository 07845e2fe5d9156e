import os
import shutil
import subprocess
import sys

import pytest
from networks import small
from scipy.io import wavfile

from conftest import PROJECT, random_grid
from kantor import chorale, metadata
from kantor.commands.compose import prompt
from kantor.network import model_file
from kantor.notation import score


@pytest.fixture
def compose(chosen, tmp_path):
    model_file.save(small(chosen, "row_gru"), tmp_path / "models/chorale.keras")
    shutil.copy(PROJECT / "params.yaml", tmp_path)

    def compose(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "kantor.compose", *arguments],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
        )

    return compose


def test_pieces_are_composed_to_a_folder_and_nothing_there_is_lost(compose, tmp_path):
    done = compose("mine", "--count", "11", "--rows", "5", "--top-p", "0.9")
    assert done.returncode == 0, done.stderr
    kinds = ("csv", "mid", "musicxml", "wav")
    names = [f"{number:02d}.{kind}" for number in range(11) for kind in kinds]
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == names
    assert len(chorale.read(tmp_path / "mine/03.csv")) == 5
    rate, sound = wavfile.read(tmp_path / "mine/03.wav")
    assert len(sound) / rate == pytest.approx(6 * 60 / 160, abs=0.1)

    again = compose("mine")
    assert again.returncode == 1 and "is there already" in again.stderr
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == names

    on = ("--prompt", "mine/03.musicxml", "--prompt-rows", "3", "--rows", "2", "--temperature", "0")
    assert compose("on", *on).returncode == 0
    grid = chorale.read(tmp_path / "on/0.csv")
    assert len(grid) == 5
    assert grid[:3].tolist() == chorale.read(tmp_path / "mine/03.csv")[:3].tolist()


def test_a_prompt_tells_its_key_and_metre(tmp_path):
    entry = metadata.Entry("test", 305, 8, key="A", mode="minor", metre="3/4", pickup=1.0)
    metadata.write([entry], tmp_path / "corpus.csv")
    path = tmp_path / "test/chorale_305.csv"
    path.parent.mkdir()
    path.write_text(chorale.to_csv(random_grid(8)))
    arpeggio, known = prompt(path, 3)
    assert len(arpeggio) == 12 and (known["key"], known["metre"]) == ("A", "3/4")
    shutil.copy(path, tmp_path / "alone.csv")
    assert prompt(tmp_path / "alone.csv", 0)[1] == {}
    score.write(
        score.score(random_grid(8), score.Setting(2, "major", "3/4"), "", "", 160.0),
        tmp_path / "score",
    )
    assert prompt(tmp_path / "score.musicxml", 0)[1]["metre"] == "3/4"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--count", "0"), "--count is 0"),
        (("--seed", "-1"), "--seed is -1"),
        (("--rows", "0"), "0 rows"),
        (("--temperature", "nan"), "temperature nan"),
        (("--prompt", "none.csv"), "none.csv: no such chorale"),
        (("--model", "none.keras"), "none.keras: no such model"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_bad_input_is_one_sentence(compose, tmp_path, arguments, told):
    done = compose("mine", *arguments)
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "mine").exists()
