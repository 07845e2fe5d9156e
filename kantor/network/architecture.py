"""What an architecture is: all that the rest of the project needs to know of a network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from kantor.system.settings import Block

if TYPE_CHECKING:
    from kantor.system.runtime import keras


# Ends the names of layers that weight decay leaves alone: few numbers that have to grow large, as
# for what is nearly forbidden.
RULE = "_rule"
MEMBER = "member_"  # begins the names of members


class Size(NamedTuple):
    """How large a network is: its parameters, and how many numbers its layers give for a step."""

    parameters: int
    outputs: int


@dataclass(frozen=True)
class Architecture:
    """A kind of network, as its file describes it; kantor.network.registry lists them.

    - `name`: what `model.architecture` calls it, and where its settings stand under `model`.
    - `settings`: which settings it has.
    - `member(settings, number)`: a network of this kind with fresh weights, from Keras's random
      state, as the member of that number, from 1; its Keras name is MEMBER and the number.
    - `steps`: what a step of the network is. By `notes`: it takes an arpeggio, int (batch,
      notes), and gives probabilities, float32 (batch, notes, 47), where place i predicts note
      i + 1. By `rows`: it takes tokens, int (batch, rows, 4), and gives probabilities (batch,
      rows, 4, 47) of those same notes, each from the rows before and the voices above it; and a
      layer named after each voice gives that voice's logits (batch, rows, 47).
    - `lookback`: whether it also takes hints, int (batch, rows, hints), about the places of the
      piece that were like this one (kantor.network.lookback); for networks of rows alone.
    - `plan`: whether it takes, last of all, what is asked of each row, int (batch, rows, 6)
      (kantor.plan), and keys that the row may be in, int (batch, rows, keys, 2), which count in
      place of the plan's; for networks of rows alone. What it gives has one more axis then, after
      the rows: the keys.
    - `size(settings)`: how large such a network is, before it is there, so that one that this
      machine has no memory for is refused; None if that can't be told.
    - `finish(member, settings)`: changes a member once it is trained; None if nothing is changed.
    """

    name: str
    settings: type[Block]
    member: "Callable[[Block, int], keras.Model]"
    steps: Literal["notes", "rows"]
    lookback: bool = False
    plan: bool = False
    size: "Callable[[Block], Size] | None" = None
    finish: "Callable[[keras.Model, Block], None] | None" = None
