"""Results of several processors beside each other: a table, and what to say of it."""

from collections.abc import Mapping

from kantor.system.errors import KantorError

HERE = "here"
CONTROL = "control"
MOST_NAMES = 20

Results = Mapping[tuple[str, str], str]  # hash by group and name
Columns = Mapping[str, Results]  # results by processor, those of this one first


def differing(columns: Columns) -> list[tuple[str, str]]:
    """The results, by group and name, that are not everywhere the same, or missing somewhere."""
    keys = dict.fromkeys(key for results in columns.values() for key in results)
    return [key for key in keys if len({one.get(key) for one in columns.values()}) > 1]


def table(columns: Columns) -> str:
    """Groups by processors: whether the results are those of the first column, and how many are
    not.
    """
    (first, expected), *others = columns.items()
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in dict.fromkeys(key for results in columns.values() for key in results):
        groups.setdefault(key[0], []).append(key)
    lines = [["", first, *(name for name, _ in others)]]
    for group, keys in groups.items():
        cells = [f"{len(keys)}"]
        for _, results in others:
            count = sum(results.get(key) != expected.get(key) for key in keys)
            cells.append(f"{count} differ" if count else "same")
        lines.append([f"{group} (expected)" if group == CONTROL else group, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def names(columns: Columns) -> str:
    """What differs, a line each, with the processors that agree in brackets."""
    lines = []
    for group, name in differing(columns):
        if group != CONTROL:
            alike: dict[str | None, list[str]] = {}
            for processor, results in columns.items():
                alike.setdefault(results.get((group, name)), []).append(processor)
            parties = " ".join(f"({', '.join(party)})" for party in alike.values())
            lines.append(f"{group}: {name}  {parties}")
    more = len(lines) - MOST_NAMES
    return "\n".join(lines[:MOST_NAMES] + ([f"and {more} more"] if more > 0 else []))


def judge(columns: Columns, counts: Mapping[str, tuple[int, int]], *, wide: bool) -> None:
    """KantorError if something differs, or if nothing could have been seen to differ.

    `counts` tell for each processor that this one posed as how many questions were replaced and
    how many answered; `wide` says whether some but not all of the processors have AVX-512.
    """
    for processor, (replaced, answered) in counts.items():
        if not (replaced and answered):
            raise KantorError(
                f"{processor}: no library asked what processor it runs on, so nothing was shown; "
                "LD_AUDIT may be forbidden here"
            )
    results = [key for key in differing(columns) if key[0] != CONTROL]
    if results:
        groups = dict.fromkeys(group for group, _ in results)
        raise KantorError(
            f"not the same bits on other processors: {len(results)} results differ, of "
            f"{', '.join(groups)}"
        )
    controls = {key for key in next(iter(columns.values())) if key[0] == CONTROL}
    if controls and not controls & set(differing(columns)):
        raise KantorError(
            "Keras's own initialiser gave the same bits everywhere, which it should not: the "
            "processors were not told apart, so nothing was shown"
        )
    if not wide:
        raise KantorError(
            "AVX-512 was not shown, the likeliest to differ: this processor has none; take one "
            "that has, or --without-avx512 to be content with the others"
        )
