"""Scores as printed pages, through verovio."""

import verovio

from kantor.system.errors import KantorError

OPTIONS = {
    "pageWidth": 2100,
    "pageHeight": 2970,
    "scale": 40,
    "adjustPageHeight": True,
    "header": "none",
    "footer": "none",
    "outputIndent": 1,
    "svgViewBox": True,
    "svgRemoveXlink": True,
}


def pages(musicxml: str) -> list[str]:
    """Engrave the text of a MusicXML file: the text of an SVG for each page."""
    toolkit = verovio.toolkit()
    toolkit.setOptions(OPTIONS)
    # Without a seed, the names of elements would be drawn anew each time.
    toolkit.resetXmlIdSeed(1)
    if not toolkit.loadData(musicxml):
        raise KantorError("not a MusicXML score that verovio can read; render it again")
    return [toolkit.renderToSVG(number + 1) for number in range(toolkit.getPageCount())]
