"""Marks in a score, as music21 reads them."""

from pathlib import Path

from music21 import converter, expressions

from kantor.notation import marking


def coloured(path: Path) -> set[tuple[int, int]]:
    """First row and voice of every note or rest in the colour of marks."""
    return {
        (round(4 * note.offset), voice)
        for voice, part in enumerate(_parts(path))
        for note in part.notesAndRests
        if note.style.color == marking.COLOUR
    }


def words(path: Path) -> list[tuple[int, int, str]]:
    """Row, voice and text of all words, in order."""
    return sorted(
        (round(4 * text.offset), voice, text.content)
        for voice, part in enumerate(_parts(path))
        for text in part.getElementsByClass(expressions.TextExpression)
    )


def _parts(path):
    score = converter.parse(path, forceSource=True)
    return [part.flatten() for part in score.parts]
