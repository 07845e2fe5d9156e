"""params.yaml as typed, checked settings.

The file itself says what each key means, in which unit and why; this module says which
values are possible. A key that is missing, unknown or impossible is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kantor.errors import KantorError

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Block(BaseModel):
    """A block of params.yaml: every key is there and no other, numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Settings = TypeVar("Settings", bound=Block)


class Archive(Block):
    urls: Annotated[list[str], Field(min_length=1)]
    sha256: Sha256
    attempts: Count
    backoff_seconds: NotNegative
    timeout_seconds: Positive
    max_mebibytes: Count


class Download(Block):
    source: Literal["music21", "archive"]
    limit: Annotated[int, Field(ge=0)]
    archive: Archive


class Preprocess(Block):
    window: Count
    shift: Count
    train_on_test: bool


class WavenetLstm(Block):
    embedding: Count
    filters: list[Count]
    kernel: Count
    batch_norm: bool
    pooling: Count
    lstm: list[Count]
    dropout: Share
    l1: NotNegative
    l2: NotNegative


class RowGru(Block):
    embedding: Count
    units: Annotated[list[Count], Field(min_length=1)]
    head: Count
    dropout: Share


class Model(Block):
    architecture: Literal["row_gru", "wavenet_lstm"]
    members: Count
    row_gru: RowGru
    wavenet_lstm: WavenetLstm


class Schedule(Block):
    kind: Literal["constant", "exponential", "cosine", "plateau"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    factor: Annotated[float, Field(gt=0, lt=1)]
    epochs: Count


class Crops(Block):
    rows: Count
    transpose: bool
    cold: Annotated[float, Field(ge=0, le=1)]
    passes: Count


class Train(Block):
    examples: Literal["crops", "windows"]
    crops: Crops
    epochs: Count
    batch_size: Count
    replicas: Count
    optimizer: Literal["nadam", "adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Positive
    beta_2: Share
    schedule: Schedule
    clip_norm: NotNegative
    weight_decay: NotNegative
    class_weights: Literal["none", "balanced"]
    keep: Literal["best", "last"]
    patience: Annotated[int, Field(ge=0)]
    patience_from: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "Train":
        if self.schedule.warmup_epochs >= self.epochs:
            raise ValueError("schedule.warmup_epochs must be fewer than epochs")
        return self

    @model_validator(mode="after")
    def _replicas_share_a_batch(self) -> "Train":
        if self.batch_size % self.replicas:
            raise ValueError("batch_size must be a multiple of replicas")
        return self


class Evaluate(Block):
    bigram_smoothing: Positive
    place_rows: Count
    duplicate_rows: Count
    duplicate_share: Annotated[float, Field(gt=0, le=1)]


class Prompt(Block):
    split: Literal["train", "valid", "test"]
    chorale: Annotated[int, Field(ge=0)]
    rows: Count


class Sample(Block):
    temperature: NotNegative
    top_k: Annotated[int, Field(ge=0)]
    top_p: Annotated[float, Field(gt=0, le=1)]
    rows: Count


class Render(Block):
    seed: Seed
    prompt: Prompt
    samples: Annotated[dict[str, Sample], Field(min_length=1)]
    original_rows: Count
    training_chorales: Annotated[int, Field(ge=0)]
    timbre: Literal["sine", "organ"]
    tempo: Annotated[float, Field(ge=10, le=1200)]
    rate: Literal[16_000, 22_050, 24_000, 32_000, 44_100, 48_000]  # what MP3 knows
    amplitude: Annotated[float, Field(gt=0, le=0.25)]

    @model_validator(mode="after")
    def _names_are_file_names(self) -> "Render":
        for name in self.samples:
            taken = name in ("prompt", "original") or name.startswith("train_")
            if taken or not (name.isidentifier() and name.isascii()):
                raise ValueError(f"{name!r} can't name a sample")
        return self


class Reproduce(Block):
    loss_tolerance: Positive
    accuracy_tolerance: Positive
    quick: dict[str, int | float | str | list[int]]


class Params(Block):
    seed: Seed
    threads: Count
    download: Download
    preprocess: Preprocess
    model: Model
    train: Train
    evaluate: Evaluate
    render: Render
    reproduce: Reproduce


def load(path: Path = Path("params.yaml"), changes: Mapping[str, object] | None = None) -> Params:
    """Read and check the settings, some keys, such as `train.epochs`, changed.

    KantorError names the key that is wrong.
    """
    return read(path, Params, changes)


def read(path: Path, kind: type[Settings], changes: Mapping[str, object] | None = None) -> Settings:
    """Read and check a YAML file of any kind of settings, some keys changed; see `load`."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        if changes:
            change(content, changes)
        return kind.model_validate(content)
    except FileNotFoundError:
        raise KantorError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KantorError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first, *others = error.errors()
        key = ".".join(map(str, first["loc"])) or "the whole file"
        found = "" if first["type"] == "missing" else f" is {first['input']!r:.60}"
        expected = first["msg"].replace("Input should be", "expected")
        more = f" (and {len(others)} more)" if others else ""
        raise KantorError(f"{path}: {key}{found}: {expected}{more}") from None


def change(content: dict, changes: Mapping[str, object]) -> None:
    """Set keys, such as `train.epochs`, in the content of a params.yaml."""
    for key, value in changes.items():
        *blocks, last = key.split(".")
        place = content
        for block in blocks:
            if not isinstance(place.get(block), dict):
                raise KantorError(f"{key}: no such key: params.yaml has no block {block} there")
            place = place[block]
        place[last] = value
