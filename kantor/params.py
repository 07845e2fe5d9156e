"""params.yaml as typed, checked settings.

The file itself says what each key means, in which unit and why; this module says which
values are possible. A key that is missing, unknown, repeated or impossible is an error. What
stands under the name of an architecture is checked by kantor.network, where it is described.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from kantor.bounds import (
    LONGEST,
    Chorales,
    Count,
    Name,
    NotNegative,
    Points,
    Positive,
    Rows,
    Seed,
    Sha256,
    Share,
    ShareOrAll,
    Temperature,
    Tempo,
    TopK,
    TopP,
    Units,
)
from kantor.system.settings import Block as Block
from kantor.system.settings import change as change
from kantor.system.settings import checked as checked
from kantor.system.settings import content as content
from kantor.system.settings import read as read
from kantor.wish import Wish as Wish

Timbre = Literal["sine", "organ"]
# How the pieces of compose.showcase are named, with a number behind.
SHOWCASE = "showcase_"
# How those are named that were composed to the melody of the original, and to a tune.
HARMONISED = ("melody", "tune")


class Archive(Block):
    urls: Annotated[list[Name], Field(min_length=1, max_length=16)]
    sha256: Sha256
    attempts: Annotated[int, Field(ge=1, le=10)]  # each waits twice as long as the one before
    backoff_seconds: Annotated[float, Field(ge=0, le=60)]
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)]
    max_mebibytes: Annotated[int, Field(ge=1, le=1024)]  # it is unpacked in memory


class Download(Block):
    source: Literal["music21", "archive"]
    limit: Chorales
    archive: Archive


class Preprocess(Block):
    window: Rows
    shift: Rows
    train_on_test: bool


class Model(Block):
    """Beside these keys it has a block for each architecture, under its name."""

    model_config = ConfigDict(extra="allow")

    architecture: Annotated[str, Field(max_length=100)]
    members: Annotated[int, Field(ge=1, le=100)]  # all of them are in memory
    __pydantic_extra__: dict[str, dict[str, object]]


class Schedule(Block):
    kind: Literal["constant", "exponential", "cosine", "plateau"]
    warmup_epochs: Annotated[int, Field(ge=0, le=10_000)]
    factor: Annotated[float, Field(gt=0, lt=1)]
    epochs: Count


class Crops(Block):
    rows: Rows
    transpose: bool
    standalone: ShareOrAll
    without_plan: ShareOrAll
    without_part: ShareOrAll
    beyond_end: ShareOrAll
    passes: Count


class Train(Block):
    examples: Literal["crops", "windows"]
    crops: Crops
    epochs: Count
    batch_size: Count
    replicas: Annotated[int, Field(ge=1, le=64)]  # no machine has more cards
    optimizer: Literal["nadam", "adam", "adamw", "rmsprop", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=100)]
    beta_2: Share
    schedule: Schedule
    clip_norm: NotNegative
    weight_decay: NotNegative
    class_weights: Literal["none", "balanced"]
    keep: Literal["best", "last"]
    patience: Annotated[int, Field(ge=0, le=10_000)]
    patience_from: Annotated[int, Field(ge=0, le=10_000)]

    @model_validator(mode="after")
    def _warm_up_ends(self) -> "Train":
        if self.schedule.warmup_epochs >= self.epochs:
            raise ValueError(
                f"schedule.warmup_epochs is {self.schedule.warmup_epochs}: expected fewer than "
                f"train.epochs, which is {self.epochs}"
            )
        return self

    @model_validator(mode="after")
    def _replicas_share_a_batch(self) -> "Train":
        if self.batch_size % self.replicas:
            raise ValueError(
                f"batch_size is {self.batch_size}: expected a multiple of train.replicas, which is "
                f"{self.replicas}"
            )
        return self


class Strikes(Block):
    units: Units
    epochs: Count
    batch_size: Points
    learning_rate: Annotated[float, Field(gt=0, le=100)]


class Evaluate(Block):
    bigram_smoothing: Positive
    place_rows: Rows
    duplicate_rows: Rows
    duplicate_share: Annotated[float, Field(gt=0, le=1)]


class Judge(Block):
    pieces: Count
    rows: Annotated[int, Field(ge=32, le=LONGEST)]
    seed: Seed
    plain: "SamplerOptions"
    temperatures: Annotated[list[Temperature], Field(min_length=1, max_length=100)]
    temperature_pieces: Count
    places: Points
    shuffled: Share
    bigram_smoothing: Positive
    draws: Points


class Prompt(Block):
    split: Literal["train", "valid", "test"]
    chorale: Chorales
    rows: Rows


class SamplerOptions(Block):
    """How a note is drawn from the probabilities of all notes.

    `temperature` sharpens (below 1) or flattens them; at 0 the likeliest note is taken. Only the
    `top_k` likeliest notes are left (0 = all), and of them as few of the likeliest as together
    have the share `top_p` (Holtzman et al., "The Curious Case of Neural Text Degeneration",
    arXiv 1904.09751).

    With a `rhythm` rhythm and pitch are drawn apart: first whether the voice stays on its note, at
    that temperature, and then, if it moves, where to. All the rest is of the second draw alone, so
    that what cuts unlikely notes off never stops the music. With `no_parallels` no two voices that
    are composed move in parallel fifths or octaves.

    With `guidance`, a plan counts for more than the network has learnt: see
    kantor.sampling.predictor.

    So many `particles` are composed side by side for each piece, and one is drawn in the end; each
    fault of kantor.sampling.faults makes one `penalty` nats less likely.
    """

    temperature: Temperature = 1.0
    top_k: TopK = 0
    top_p: TopP = 1.0
    rhythm: Temperature | None = None
    no_parallels: bool = False
    guidance: Annotated[float, Field(ge=0, le=100)] = 0.0
    particles: Annotated[int, Field(ge=1, le=4096)] = 1
    penalty: Annotated[float, Field(ge=0, le=100)] = 0.0


class Sample(SamplerOptions):
    temperature: Temperature
    top_k: TopK
    top_p: TopP
    rhythm: Temperature | None
    rows: Rows


class Showcase(Block):
    candidates: Count
    pieces: Count
    wish: Wish

    @model_validator(mode="after")
    def _enough_candidates(self) -> "Showcase":
        if self.pieces > self.candidates:
            raise ValueError(
                f"pieces is {self.pieces}: expected no more than "
                f"compose.showcase.candidates, which is {self.candidates}"
            )
        return self


class Compose(Block):
    seed: Seed
    showcase: Showcase
    prompt: Prompt
    samples: Annotated[dict[str, Sample], Field(min_length=1, max_length=100)]
    original_rows: Rows
    tune: Name
    training_chorales: Chorales

    @model_validator(mode="after")
    def _names_are_file_names(self) -> "Compose":
        for name in self.samples:
            taken = name in ("prompt", "original", *HARMONISED) or name.startswith(
                ("train_", SHOWCASE)
            )
            if taken or not (name.isidentifier() and name.isascii() and len(name) <= 60):
                raise ValueError(
                    f"samples: {name!r:.60} can't name a sample: expected letters, digits and "
                    "underscores, and no name that another piece has"
                )
        return self


class Render(Block):
    timbre: Timbre
    tempo: Tempo
    rate: Literal[16_000, 22_050, 24_000, 32_000, 44_100, 48_000]  # what MP3 knows
    amplitude: Annotated[float, Field(gt=0, le=0.25)]


class Reproduce(Block):
    loss_tolerance: Annotated[float, Field(gt=0, le=10)]
    accuracy_tolerance: Annotated[float, Field(gt=0, le=1)]
    quick: Annotated[dict[str, bool | int | float | str | list[int]], Field(max_length=1000)]


class Params(Block):
    seed: Seed
    threads: Annotated[int, Field(ge=1, le=256)]  # more only wait for each other
    download: Download
    preprocess: Preprocess
    model: Model
    train: Train
    strikes: Strikes
    evaluate: Evaluate
    preferred: SamplerOptions
    completion: SamplerOptions
    judge: Judge
    compose: Compose
    render: Render
    reproduce: Reproduce


def load(path: Path = Path("params.yaml"), changes: Mapping[str, object] | None = None) -> Params:
    """Read and check the settings, some keys, such as `train.epochs`, changed.

    KantorError names the key that is wrong.
    """
    return read(path, Params, changes)
