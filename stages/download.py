"""download: the chorales of one edition, their details, and their metadata."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from kantor import chorale, details, metadata, params
from kantor.data import archive, music21_corpus
from kantor.system import atomic, errors
from kantor.system.progress import Progress

OUTPUT = Path("data/chorales")

Key = tuple[str, int]


def main() -> None:
    settings = params.load().download
    manifest = {(row["split"], int(row["index"])): row for row in music21_corpus.manifest()}
    published = archive.load(settings.archive) if settings.source == "archive" else None
    keys = limited(published or manifest, settings.limit)

    with_score = [manifest[key] for key in keys if key in manifest]
    grids, descriptions, extras = {}, {}, {}
    with Progress("read scores", len(with_score), "scores") as progress:
        for description, grid, extra in music21_corpus.read_all(with_score):
            key = (description.split, description.index)
            grids[key], descriptions[key], extras[key] = grid, description, extra
            progress.advance()
    if published is not None:
        extras = {
            key: music21_corpus.fitted(extra, grids[key], published[key])
            for key, extra in extras.items()
        }
        grids = {key: published[key] for key in keys}

    with atomic.output(OUTPUT) as folder:
        for split in chorale.SPLITS:
            (folder / split).mkdir(parents=True)
        for key in keys:
            path = folder / chorale.file_name(*key)
            path.write_text(chorale.to_csv(grids[key]))
            if key in extras:
                details.file_beside(path).write_text(details.to_csv(extras[key]))
        rows = [
            replace(descriptions.get(key, metadata.Metadata(*key)), rows=len(grids[key]))
            for key in keys
        ]
        metadata.write(rows, folder / "corpus.csv")


def limited(keys: Iterable[Key], limit: int) -> list[Key]:
    """The keys in order, the first `limit` of each split (0 = all)."""
    first = []
    for split in chorale.SPLITS:
        first += sorted(key for key in keys if key[0] == split)[: limit or None]
    return first


if __name__ == "__main__":
    errors.run(main)
