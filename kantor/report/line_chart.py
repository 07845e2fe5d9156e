"""Line charts as SVG."""

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 640, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 630, 10, 232  # of the field within axes
TICKS = 5


def lines(series: Mapping[str, Sequence[Sequence[tuple[float, float]]]]) -> str:
    """Draw lines of points (x, y), x from about 1 to 10; those of a name share a class, for CSS."""
    points = [point for drawn in series.values() for line in drawn for point in line]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    least, most = min(y for _, y in points), max(y for _, y in points)

    def across(x: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * (x - first) / max(last - first, 1), 1)

    def down(y: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (y - least) / ((most - least) or 1), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" class="chart">'
    ]
    for n in range(TICKS):
        value = least + (most - least) * n / (TICKS - 1)
        y = down(value)
        parts.append(f'<line class="line" x1="{LEFT}" x2="{RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{value:.2f}</text>')
    step = max(1, round((last - first) / 10))
    for x in range(math.ceil(first), int(last) + 1, step):
        parts.append(f'<text x="{across(x)}" y="{BOTTOM + 18}" text-anchor="middle">{x}</text>')
    for name, drawn in series.items():
        for line in drawn:
            path = " ".join(f"{across(x)},{down(y)}" for x, y in line)
            parts.append(f'<polyline class="{name}" points="{path}"/>')
            parts += [
                f'<circle class="{name}" cx="{across(x)}" cy="{down(y)}" r="3"/>' for x, y in line
            ]
    return "\n".join([*parts, "</svg>"])
