"""How large the numbers of settings may be, and why.

What is about memory is generous: kantor.training.needs estimates what all settings together need,
and refuses what the machine lacks.
"""

from typing import Annotated

from pydantic import Field

from kantor.chorale import VOCABULARY_SIZE

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Count = Annotated[int, Field(ge=1, le=10_000)]  # of pieces, epochs, trials: each takes seconds
LONGEST = 4096
Rows = Annotated[int, Field(ge=1, le=LONGEST)]  # the longest chorale has 640
Chorales = Annotated[int, Field(ge=0, le=999)]  # their files are numbered with three digits
Points = Annotated[int, Field(ge=1, le=1_000_000)]  # that a figure is measured at, all at once
Units = Annotated[int, Field(ge=1, le=8192)]  # of a layer, in which all units see each other
Share = Annotated[float, Field(ge=0, lt=1)]
ShareOrAll = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
NotNegative = Annotated[float, Field(ge=0, le=1e6)]
Temperature = Annotated[float, Field(ge=0, le=1000)]  # long before, all notes are as likely
TopK = Annotated[int, Field(ge=0, le=VOCABULARY_SIZE)]
TopP = Annotated[float, Field(gt=0, le=1)]
Tempo = Annotated[float, Field(ge=3, le=300)]
Name = Annotated[str, Field(min_length=1, max_length=1000)]
Sha256 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="64 digits, 0 to 9 and a to f")
]
