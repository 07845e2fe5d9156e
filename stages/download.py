"""download: the chorales of the chosen edition, and what is known of each."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kantor import archive, catalogue, chorale, embedded, errors, files, params
from kantor.progress import Progress

OUTPUT = Path("data/chorales")

Key = tuple[str, int]


def main() -> None:
    settings = params.load().download
    rows = {(row["split"], int(row["index"])): row for row in embedded.manifest()}
    published = archive.load(settings.archive) if settings.source == "archive" else None
    keys = limited(published or rows, settings.limit)

    known = [rows[key] for key in keys if key in rows]
    grids, entries = {}, {}
    with Progress("read scores", len(known), "scores") as progress:
        for entry, grid in embedded.read_all(known):
            key = (entry.split, entry.index)
            grids[key], entries[key] = grid, entry
            progress.advance()
    if published is not None:
        grids = {key: published[key] for key in keys}

    with files.whole(OUTPUT) as folder:
        for split in chorale.SPLITS:
            (folder / split).mkdir(parents=True)
        for key in keys:
            (folder / chorale.file_name(*key)).write_text(chorale.to_csv(grids[key]))
        catalogue.write(
            [
                replace(entries.get(key, catalogue.Entry(*key)), rows=len(grids[key]))
                for key in keys
            ],
            folder / "corpus.csv",
        )


def limited(keys: Iterable[Key], limit: int) -> list[Key]:
    """The keys in order, the first `limit` of each split (0 = all)."""
    chosen = []
    for split in chorale.SPLITS:
        in_split = sorted(key for key in keys if key[0] == split)
        chosen += in_split[: limit or None]
    return chosen


if __name__ == "__main__":
    errors.run(main)
