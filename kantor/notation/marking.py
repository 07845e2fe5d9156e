"""Scores with marks in them, as a teacher makes: notes in colour, and words above the voice."""

from collections.abc import Iterable

from music21 import expressions, stream

from kantor.chorale import ROWS_PER_QUARTER
from kantor.notation import score
from kantor.notation.mark import Mark
from kantor.notation.piece import Piece

COLOUR = "#C00000"


def musicxml(piece: Piece, marks: Iterable[Mark], tempo: float) -> str:
    """The text of a MusicXML file: a piece as a score, with marks; `tempo` is in quarters a
    minute.

    The note or rest that is written where a mark's row is gets a colour in each of its voices,
    and so do the words. Words at one place of a voice are written together. The same piece and
    marks are the same text.
    """
    built = piece.score(tempo)
    parts = list(built.parts)
    for part in parts:
        if (first := part[stream.Measure].first()).number == 0:
            # Or else MuseScore calls the pickup bar 1, and who counts would look one bar too far.
            first.showNumber = stream.enums.ShowNumber.NEVER
    words: dict[tuple[int, int], list[str]] = {}
    for mark in marks:
        for voice in mark.voices:
            score.written_at(parts[voice], mark.row).style.color = COLOUR
        words.setdefault((mark.row, mark.voices[0]), []).append(mark.words)
    for (row, voice), texts in words.items():
        bar = score.bar_at(parts[voice], row)
        text = expressions.TextExpression(", ".join(texts))
        text.placement, text.style.color = "above", COLOUR
        bar.insert(row / ROWS_PER_QUARTER - bar.offset, text)
    return score.musicxml(built)
