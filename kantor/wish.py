"""What can be asked of a piece that doesn't exist yet, typed and checked."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from kantor import plan
from kantor.bounds import LONGEST, Rows
from kantor.chorale import ROWS_PER_QUARTER
from kantor.system.settings import Block


class Wish(Block):
    """What is asked of the plan of a piece; None = as in a chorale of the training split.

    A `key` is such as D minor, a `metre` such as 3/4. `pickup` is in quarters, of whole
    sixteenths and less than a bar. `phrases` has the bars of each phrase, `bars` those of the
    piece. Both count from the first row on, so that a pickup and a last bar that lacks it are one
    bar.
    """

    key: Annotated[str, Field(max_length=100)] | None = None
    metre: Annotated[str, Field(max_length=100)] | None = None
    pickup: Annotated[float, Field(ge=0, le=396)] | None = None  # the longest bar is 99/1
    # A bar has a row or more.
    bars: Rows | None = None
    phrases: Annotated[list[Rows], Field(min_length=1, max_length=LONGEST)] | None = None

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
