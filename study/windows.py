"""How a trained technique does: on the windows alone, as the notebook scores itself."""

from pathlib import Path

from kantor import params
from kantor.data import records
from kantor.evaluation import likelihood
from kantor.network import model_file
from kantor.system import runtime


def scored(folder: Path) -> dict[str, dict[str, float]]:
    """The figures of the model in a run's folder, on the windows of the splits it wasn't given."""
    runtime.pin(params.load(folder / "params.yaml").threads)
    predict = likelihood.model_predictor(model_file.load(folder / "models/chorale.keras"))
    return {
        split: likelihood.figures(
            likelihood.predictions(
                records.read_split(folder / "data/records", split, "windows"), predict
            )
        )
        for split in ("valid", "test")
    }
