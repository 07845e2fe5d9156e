"""render: what was composed, and chorales of Bach, as sound, scores and CSV."""

from pathlib import Path

from kantor import params
from kantor.notation import piece
from kantor.system import atomic, errors
from kantor.system.progress import Progress

COMPOSITIONS = Path("reports/compositions")
SAMPLES = Path("reports/samples")


def main() -> None:
    settings = params.load().render
    pieces = piece.load(COMPOSITIONS)
    with atomic.output(SAMPLES) as folder, Progress("write", len(pieces), "pieces") as progress:
        folder.mkdir()
        for name, composed in pieces.items():
            piece.write(composed, folder / name, settings)
            progress.advance()


if __name__ == "__main__":
    errors.run(main)
