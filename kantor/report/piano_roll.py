"""Piano rolls: a grid as an SVG picture, with how sure the model was of each note.

Time goes to the right, a row at a time; pitch goes up. Each voice has its colour. The fuller a
note is filled, the likelier it was to the model, row by row; a prompt lies on a ground of its
own. Colours are CSS variables, so that a page can set its own.
"""

import numpy as np

from kantor.chorale import SILENCE, VOICES, runs

ROW, SEMITONE = 8, 7  # width and height of a note, in the picture's units
LEFT, TOP = 34, 6  # of the first row and the highest pitch
COLOURS = {"soprano": "#c2410c", "alto": "#a16207", "tenor": "#0f766e", "bass": "#4338ca"}
GAP = 3  # between a note and the same pitch struck again
LEAST = 0.08  # how full a note is that the model thought impossible
LEVELS = 20  # steps from there to full
OCTAVE = 12
SILENT_RANGE = (60, 72)

STYLE = """\
.roll .ground{fill:var(--ground,#ffffff)}
.roll .prompt{fill:var(--prompt,#ece9e2)}
.roll .line{stroke:var(--line,#d6d3cd)}
.roll .cursor{stroke:var(--ink,#44403c);stroke-width:1.5}
.roll text{font:10px sans-serif;fill:var(--ink,#44403c)}
"""


def draw(
    grid: np.ndarray,
    probabilities: np.ndarray,
    prompt_rows: int = 0,
    struck: np.ndarray | None = None,
) -> str:
    """A grid (rows, 4) as the text of an SVG.

    `probabilities` are those of its notes, float (rows, 4), nan where there is none. Where
    `struck` (rows, 4) is 1 a note begins, even if its pitch is the one before. The line of class
    `cursor` is for whoever plays it; a row is 8 units wide and the first begins at 34.
    """
    sounding = grid[grid != SILENCE]
    # A piece that is all silence has a roll too, an empty octave.
    lowest, highest = (sounding.min(), sounding.max()) if len(sounding) else SILENT_RANGE
    lowest, highest = lowest - 1, highest + 1
    width, height = LEFT + ROW * len(grid), TOP + SEMITONE * (highest - lowest + 1) + TOP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'class="roll" style="--width:{width}" data-row="{ROW}">',
        f"<style>{STYLE}{_colours()}</style>",
        f'<rect class="ground" width="{width}" height="{height}"/>',
    ]
    if prompt_rows:
        parts.append(
            f'<rect class="prompt" x="{LEFT}" width="{ROW * prompt_rows}" height="{height}"/>'
        )
    for pitch in range(lowest, highest + 1):
        if pitch % OCTAVE == 0:
            y = _y(pitch, highest) + SEMITONE
            parts.append(f'<line class="line" x1="{LEFT}" x2="{width}" y1="{y}" y2="{y}"/>')
            parts.append(f'<text x="4" y="{y}">C{pitch // OCTAVE - 1}</text>')
    for number, name in enumerate(VOICES):
        strokes = None if struck is None else struck[:, number]
        notes = _notes(grid[:, number], strokes, probabilities[:, number], highest)
        parts += [f'<g class="{name}">', *notes, "</g>"]
    parts.append(f'<line class="cursor" x1="{LEFT}" x2="{LEFT}" y1="0" y2="{height}"/></svg>\n')
    return "\n".join(parts)


def _notes(
    voice: np.ndarray, struck: np.ndarray | None, probabilities: np.ndarray, highest: int
) -> list[str]:
    """The notes of a voice: what the model thought of each row, and a frame around all."""
    drawn = []
    full = np.where(np.isnan(probabilities), 1, LEAST + (1 - LEAST) * probabilities)
    level = np.rint(full * LEVELS).astype(int)
    for begin, end in runs(voice, struck):
        if voice[begin] == SILENCE:
            continue
        again = end < len(voice) and voice[end] == voice[begin]
        right = LEFT + ROW * end - (GAP if again else 0)
        place = f'y="{_y(voice[begin], highest)}" height="{SEMITONE}"'
        for first, after in runs(level[begin:end]):
            x = LEFT + ROW * (begin + first)
            width = min(x + ROW * (after - first), right) - x
            drawn.append(
                f'<rect x="{x}" width="{width}" '
                f'{place} fill-opacity="{level[begin + first] / LEVELS:g}"/>'
            )
        x = LEFT + ROW * begin
        drawn.append(f'<rect class="frame" x="{x}" width="{right - x}" {place}/>')
    return drawn


def _y(pitch: int, highest: int) -> int:
    return TOP + SEMITONE * int(highest - pitch)


def _colours() -> str:
    return "".join(
        f".roll .{name} rect{{fill:var(--{name},{colour})}}"
        f".roll .{name} .frame{{fill:none;stroke:var(--{name},{colour})}}"
        for name, colour in COLOURS.items()
    )
