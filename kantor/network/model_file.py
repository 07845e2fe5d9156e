"""Model files: ordinary .keras files, but the same model is the same bytes.

Keras writes the date into `metadata.json`, the clock into the zip archive and memory
addresses, as `shared_object_id`, into `config.json`. All three are replaced here.
"""

import json
import zipfile
from pathlib import Path

from kantor.system import atomic
from kantor.system.errors import KantorError
from kantor.system.runtime import keras

EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip archive can name


def save(model: keras.Model, path: Path) -> None:
    """Write `model` to `path`, which ends in .keras."""
    with atomic.output(path) as fresh:
        as_saved = fresh.with_name("as_saved.keras")
        model.save(as_saved)
        with zipfile.ZipFile(as_saved) as source, zipfile.ZipFile(fresh, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "config.json":
                    config = json.loads(content)
                    _renumber(config, {})
                    content = _to_bytes(config)
                elif name == "metadata.json":
                    date = "{}-{:02}-{:02}@{:02}:{:02}:{:02}".format(*EPOCH)
                    content = _to_bytes(json.loads(content) | {"date_saved": date})
                target.writestr(zipfile.ZipInfo(name, EPOCH), content)


def load(path: Path) -> keras.Model:
    """Read a model back; Keras's safe mode lets no code in."""
    if not path.exists():
        raise KantorError(f"{path}: no such model; run `dvc repro train`")
    try:
        return keras.models.load_model(path, compile=False)
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise KantorError(
            f"{path}: not a model file that Keras can load ({' '.join(str(error).split())[:200]}); "
            "run `dvc repro train`"
        ) from error


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
