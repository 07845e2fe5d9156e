"""A report of made-up music."""

import contextlib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers import committed
from helpers.music import random_grid
from helpers.page import CHORALES, SAMPLES
from kantor import chorale, params
from kantor.metadata import Metadata
from kantor.notation import piece
from kantor.notation.piece import BACH, Piece
from kantor.system import core_yaml
from stages import report


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stages before have left, with made-up music, and what `report` makes of it."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "reports/evaluation").mkdir(parents=True)
    (folder / report.JUDGED).mkdir()
    judged = [report.JUDGED / f"{name}.csv" for name in ("figures", "given_away", "temperature")]
    for path in ("reports/metrics.json", report.TRAINING, report.MUSIC, *judged):
        (folder / path).write_bytes(committed.content(path))
    for name in ("compositions", "samples", "probabilities"):
        (folder / "reports" / name).mkdir()
    content = yaml.safe_load(committed.settings())
    content["compose"]["samples"]["run"] = content["compose"]["samples"]["cold"]
    (folder / "params.yaml").write_text(core_yaml.dump(content))
    render = params.load(folder / "params.yaml").render

    title = "Nun </script> & so fort, BWV 385"
    in_a = Metadata(key="A", mode="major")
    pieces = {
        name: Piece(random_grid(20 + 4 * number, seed=number), title, BACH, in_a)
        for number, name in enumerate([*SAMPLES, *CHORALES])
    }
    piece.save(pieces, folder / "reports/compositions")
    for name, made in pieces.items():
        piece.write(made, folder / "reports/samples" / name, render)
        likely = pd.DataFrame(0.5, index=range(len(made.grid)), columns=list(chorale.VOICES))
        likely.to_csv(folder / f"reports/probabilities/{name}.csv", index_label="row")
    with contextlib.chdir(folder):
        report.main()
    return folder
