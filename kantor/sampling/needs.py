"""The memory and the time that composing needs, estimated before it begins."""

from kantor.system import duration, memory

PIECES_AT_ONCE = 256  # composed side by side
# As benchmarks.memory measured with the default network and guidance, and rounded up: of TensorFlow
# and what it compiles; of each piece that is composed at the same time, and each row of it; of each
# row of a finished piece.
LOADED = 1.5 * memory.GIGABYTE
BYTES_A_PIECE = 65_536
BYTES_A_ROW = 1_100
BYTES_A_FINISHED_ROW = 256
# Composed with the default network and guidance on two cores of an older machine.
ROWS_A_SECOND = 13_000


def check(pieces: int, rows: int, particles: int) -> None:
    """Raise KantorError if this machine lacks the memory for so many pieces of so many rows, each
    with so many particles, or if they take too long.
    """
    what = f"{pieces} of {rows} rows" + (f" with {particles} particles" if particles > 1 else "")
    advice = "ask for fewer or shorter pieces" + (", or fewer particles" if particles > 1 else "")
    memory.check(needed(pieces, rows, particles), f"to compose {what}", advice)
    seconds = pieces * rows * particles / ROWS_A_SECOND
    duration.check(seconds, f"to compose {what}", advice)


def needed(pieces: int, rows: int, particles: int) -> float:
    """Bytes."""
    together = max(particles, min(pieces * particles, PIECES_AT_ONCE))
    of_groups = together * (BYTES_A_PIECE + rows * BYTES_A_ROW)
    return LOADED + of_groups + pieces * rows * BYTES_A_FINISHED_ROW
