"""Model files: ordinary .keras files, but the same model is the same bytes.

Keras writes the date into `metadata.json`, the clock into the zip archive and memory
addresses, as `shared_object_id`, into `config.json`. All three are replaced here.
"""

import json
import warnings
import zipfile
from pathlib import Path

from kantor.network import contract
from kantor.system import atomic, inputs
from kantor.system.errors import KantorError
from kantor.system.runtime import keras

SUFFIX = ".keras"
CONFIG = "config.json"
EXPECTED = "a model that Keras saved as NAME.keras"
# The default model has 8 MiB, and a tenth of that describes it. Packed or unpacked.
MOST_MEBIBYTES = 512
MOST_MEBIBYTES_OF_CONFIG = 16
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can name


def save(model: keras.Model, path: Path) -> None:
    """Write `model` to `path`, which ends in .keras."""
    with atomic.output(path) as fresh:
        as_saved = fresh.with_name("as_saved.keras")
        model.save(as_saved)
        with zipfile.ZipFile(as_saved) as source, zipfile.ZipFile(fresh, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == CONFIG:
                    config = json.loads(content)
                    _renumber(config, {})
                    content = _to_bytes(config)
                elif name == "metadata.json":
                    date = "{}-{:02}-{:02}@{:02}:{:02}:{:02}".format(*EPOCH)
                    content = _to_bytes(json.loads(content) | {"date_saved": date})
                target.writestr(zipfile.ZipInfo(name, EPOCH), content)


def load(path: Path) -> keras.Model:
    """Read a model back; Keras's safe mode lets no code in."""
    inputs.check(
        path,
        f"{EXPECTED}; `dvc repro train` makes one",
        MOST_MEBIBYTES,
        "no such model; run `dvc repro train`",
    )
    # By another name, Keras would take it for a file of an older format, which can bring code.
    if path.suffix != SUFFIX or not zipfile.is_zipfile(path):
        raise _not_a_model(path, "not a zip archive" if path.suffix == SUFFIX else "another suffix")
    inputs.check_archive(path, EXPECTED, MOST_MEBIBYTES)
    with zipfile.ZipFile(path) as archive:
        sizes = {member.filename: member.file_size for member in archive.infolist()}
    if sizes.get(CONFIG, 0) > MOST_MEBIBYTES_OF_CONFIG * inputs.MEBIBYTE:
        raise _not_a_model(path, f"over {MOST_MEBIBYTES_OF_CONFIG} MiB of {CONFIG}")
    try:
        # What Keras warns of is in the file, and said by whoever checks the model.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return keras.models.load_model(path, compile=False)
    # Keras builds the layers as the file describes them, and that can fail anyhow.
    except Exception as error:
        raise _not_a_model(path, inputs.reason(error)) from error


def load_predicting(path: Path) -> keras.Model:
    """Read a model that predicts notes, whoever made it; KantorError if it is another one."""
    network = load(path)
    contract.check_predicting(network, str(path))
    return network


def load_striking(path: Path) -> keras.Model:
    """Read a network that says which notes are struck again; KantorError if it is another one."""
    network = load(path)
    contract.check_striking(network, str(path))
    return network


def _not_a_model(path: Path, reason: str) -> KantorError:
    return KantorError(
        f"{path}: not a model file that Keras can load ({reason}); expected {EXPECTED}; run `dvc "
        "repro train`"
    )


def _renumber(config: object, numbers: dict[int, int]) -> None:
    """Number shared objects in the order in which they come."""
    if isinstance(config, dict):
        if isinstance(address := config.get("shared_object_id"), int):
            config["shared_object_id"] = numbers.setdefault(address, len(numbers) + 1)
        config = list(config.values())
    if isinstance(config, list):
        for value in config:
            _renumber(value, numbers)


def _to_bytes(config: object) -> bytes:
    return json.dumps(config, indent=1, sort_keys=True).encode()
