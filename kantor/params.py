"""params.yaml as typed, checked settings.

The file itself says what each key means, in which unit and why; this module says which
values are possible. A key that is missing, unknown, repeated or impossible is an error. What
stands under the name of an architecture is checked by kantor.network, where it is described.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from kantor import plan
from kantor.chorale import ROWS_PER_QUARTER
from kantor.system.errors import KantorError

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Timbre = Literal["sine", "organ"]
Tempo = Annotated[float, Field(ge=3, le=300)]
# How the pieces of compose.showcase are named, with a number behind.
SHOWCASE = "showcase_"
# How those are named that were composed to the melody of the original, and to a tune.
HARMONISED = ("melody", "tune")
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


class Model(Block):
    """Beside these keys it has a block for each architecture, under its name."""

    model_config = ConfigDict(extra="allow")

    architecture: str
    members: Count
    __pydantic_extra__: dict[str, dict[str, object]]


class Schedule(Block):
    kind: Literal["constant", "exponential", "cosine", "plateau"]
    warmup_epochs: Annotated[int, Field(ge=0)]
    factor: Annotated[float, Field(gt=0, lt=1)]
    epochs: Count


class Crops(Block):
    rows: Count
    transpose: bool
    standalone: Annotated[float, Field(ge=0, le=1)]
    without_plan: Annotated[float, Field(ge=0, le=1)]
    without_part: Annotated[float, Field(ge=0, le=1)]
    beyond_end: Annotated[float, Field(ge=0, le=1)]
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


class Strikes(Block):
    units: Count
    epochs: Count
    batch_size: Count
    learning_rate: Positive


class Evaluate(Block):
    bigram_smoothing: Positive
    place_rows: Count
    duplicate_rows: Count
    duplicate_share: Annotated[float, Field(gt=0, le=1)]


class Judge(Block):
    pieces: Count
    rows: Annotated[int, Field(ge=32)]
    seed: Seed
    plain: "SamplerOptions"
    temperatures: Annotated[list[NotNegative], Field(min_length=1)]
    temperature_pieces: Count
    places: Count
    shuffled: Share
    bigram_smoothing: Positive
    draws: Count


class Prompt(Block):
    split: Literal["train", "valid", "test"]
    chorale: Annotated[int, Field(ge=0)]
    rows: Count


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

    So many `particles` are composed side by side for each piece, and one is drawn in the end; each
    fault of kantor.sampling.faults makes one `penalty` nats less likely.
    """

    temperature: NotNegative = 1.0
    top_k: Annotated[int, Field(ge=0, lt=2**31)] = 0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    rhythm: NotNegative | None = None
    no_parallels: bool = False
    particles: Annotated[int, Field(ge=1, le=4096)] = 1
    penalty: Annotated[float, Field(ge=0, le=100)] = 0.0


class Wish(Block):
    """What is asked of the plan of a piece; None = as in a chorale of the training split.

    A `key` is such as D minor, a `metre` such as 3/4. `pickup` is in quarters, of whole
    sixteenths and less than a bar. `phrases` has the bars of each phrase, `bars` those of the
    piece. Both count from the first row on, so that a pickup and a last bar that lacks it are one
    bar.
    """

    key: str | None = None
    metre: str | None = None
    pickup: NotNegative | None = None
    bars: Count | None = None
    phrases: Annotated[list[Count], Field(min_length=1)] | None = None

    @field_validator("key", "metre")
    @classmethod
    def _can_be_read(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None:
            {"key": plan.tonality, "metre": plan.bar_rows}[info.field_name](text)
        return text

    @field_validator("pickup")
    @classmethod
    def _pickup_is_part_of_a_bar(cls, pickup: float | None, info: ValidationInfo) -> float | None:
        if pickup is None:
            return None
        if pickup * ROWS_PER_QUARTER % 1:
            raise ValueError("expected quarters of whole sixteenths, such as 1 or 0.25")
        metre = info.data.get("metre")
        if metre and pickup * ROWS_PER_QUARTER >= plan.bar_rows(metre):
            raise ValueError(f"expected less than a bar of {metre}")
        return pickup

    @field_validator("phrases")
    @classmethod
    def _phrases_fill_the_bars(
        cls, phrases: list[int] | None, info: ValidationInfo
    ) -> list[int] | None:
        bars = info.data.get("bars")
        if phrases and bars and sum(phrases) != bars:
            raise ValueError(
                f"expected {bars} bars in all, or no number of bars; it is {sum(phrases)}"
            )
        return phrases


class Sample(SamplerOptions):
    temperature: NotNegative
    top_k: Annotated[int, Field(ge=0, lt=2**31)]
    top_p: Annotated[float, Field(gt=0, le=1)]
    rhythm: NotNegative | None
    rows: Count


class Showcase(Block):
    candidates: Count
    pieces: Count
    wish: Wish

    @model_validator(mode="after")
    def _enough_candidates(self) -> "Showcase":
        if self.pieces > self.candidates:
            raise ValueError("pieces must be no more than candidates")
        return self


class Compose(Block):
    seed: Seed
    showcase: Showcase
    prompt: Prompt
    samples: Annotated[dict[str, Sample], Field(min_length=1)]
    original_rows: Count
    tune: Annotated[str, Field(min_length=1)]
    training_chorales: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_file_names(self) -> "Compose":
        for name in self.samples:
            taken = name in ("prompt", "original", *HARMONISED) or name.startswith(
                ("train_", SHOWCASE)
            )
            if taken or not (name.isidentifier() and name.isascii()):
                raise ValueError(f"{name!r} can't name a sample")
        return self


class Render(Block):
    timbre: Timbre
    tempo: Tempo
    rate: Literal[16_000, 22_050, 24_000, 32_000, 44_100, 48_000]  # what MP3 knows
    amplitude: Annotated[float, Field(gt=0, le=0.25)]


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
    strikes: Strikes
    evaluate: Evaluate
    preferred: SamplerOptions
    completion: SamplerOptions
    judge: Judge
    compose: Compose
    render: Render
    reproduce: Reproduce


class _Loader(yaml.SafeLoader):
    """YAML in which a repeated key is an error, as it is for DVC."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                line = node.value[place][0].start_mark.line + 1
                raise yaml.YAMLError(f"the key {key} in line {line} is there twice; remove one")
        return super().construct_mapping(node, deep)


def load(path: Path = Path("params.yaml"), changes: Mapping[str, object] | None = None) -> Params:
    """Read and check the settings, some keys, such as `train.epochs`, changed.

    KantorError names the key that is wrong.
    """
    return read(path, Params, changes)


def read(path: Path, kind: type[Settings], changes: Mapping[str, object] | None = None) -> Settings:
    """Read and check a YAML file of any kind of settings, some keys changed; see `load`."""
    return checked(kind, change(content(path), changes or {}), str(path))


def content(path: Path) -> dict:
    """The content of a YAML file of settings, before any check but that it has keys."""
    try:
        read = yaml.load(path.read_text("utf-8"), _Loader)
    except FileNotFoundError:
        raise KantorError(f"{path}: no such file; run from the project's folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KantorError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(read, dict):
        raise KantorError(f"{path}: no keys in it; `git checkout {path}` brings them back")
    return read


def checked(kind: type[Settings], content: object, where: str, block: str = "") -> Settings:
    """Content as settings of a kind; KantorError says `where` the wrong key is, below `block`."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first, *others = error.errors()
        key = ".".join(map(str, filter(None, [block, *first["loc"]]))) or "the whole file"
        value = "" if first["type"] == "missing" else f" is {first['input']!r:.60}"
        expected = first["msg"].replace("Input should be", "expected").removeprefix("Value error, ")
        more = f" (and {len(others)} more)" if others else ""
        raise KantorError(f"{where}: {key}{value}: {expected}{more}") from None


def change(content: dict, changes: Mapping[str, object]) -> dict:
    """Set keys, such as `train.epochs`, in the content of a params.yaml, which is returned."""
    for key, value in changes.items():
        *blocks, last = key.split(".")
        place = content
        for block in blocks:
            if not isinstance(place.get(block), dict):
                raise KantorError(f"{key}: no such key: params.yaml has no block {block} there")
            place = place[block]
        place[last] = value
    return content
