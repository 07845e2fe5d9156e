"""The listening page: everything to hear, to read and to see of a run, in one HTML file.

Sound, scores and piano rolls are inside the file, packed, and unpacked by its script, so that it
needs no network and no other file. Its words are English and Portuguese, in
templates/texts.yaml. The sound of the samples is packed without loss, as FLAC, and the WAV
file that the page hands out has the samples of the one that was packed; that of the training
chorales is there to be heard, as MP3.
"""

import base64
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import soundfile
import yaml

FOLDER = Path(__file__).with_name("templates")
LANGUAGES = ("en", "pt")
FLAC = {"format": "FLAC", "subtype": "PCM_16", "compression_level": 1.0}
MP3 = {"format": "MP3", "bitrate_mode": "VARIABLE", "compression_level": 0.7}


@dataclass
class PagePiece:
    """A piece as the page shows it. `text` names its description among the texts, with `facts`
    to fill in; `piano_roll` is the text of an SVG.
    """

    name: str
    text: str
    facts: Mapping[str, object]
    seconds: float
    pages: int
    piano_roll: str


@dataclass
class Assets:
    """What is inside the page, by file name, ready for its script."""

    packed: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, name: str, kind: str, content: bytes, small: bool = False) -> None:
        """Add a file of a MIME type; `small` is what compressing makes no smaller."""
        if not small:
            # The header of a gzip file has the time in it, if one lets it.
            content = gzip.compress(content, mtime=0)
        data = base64.b64encode(content).decode()
        self.packed[name] = {"type": kind, "packed": "" if small else "gzip", "data": data}

    def add_sound(self, name: str, wav: Path, lossless: bool) -> float:
        """Add the sound of a WAV file under `name`; how many seconds it lasts."""
        samples, rate = soundfile.read(wav, dtype="int16")
        written = io.BytesIO()
        soundfile.write(written, samples, rate, **(FLAC if lossless else MP3))
        kind = "audio/flac" if lossless else "audio/mpeg"
        self.add(name, kind, written.getvalue(), small=True)
        return len(samples) / rate

    def json(self) -> str:
        """All of it as JSON that may stand within an HTML file."""
        return json.dumps(self.packed).replace("</", "<\\/")


def build(assets: Assets, **content: object) -> str:
    """The HTML of the page; `content` is what templates/page.html names."""
    texts = yaml.safe_load((FOLDER / "texts.yaml").read_text("utf-8"))

    def say(key: str, language: str, facts: Mapping[str, object]) -> str:
        return texts[key][language].format(
            **{name: written(value, language) for name, value in facts.items()}
        )

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"say": say, "written": written, "languages": LANGUAGES, "texts": texts}
    return environment.get_template("page.html").render(assets=assets.json(), **content)


def written(value: object, language: str, digits: int | None = None) -> str:
    """A value as it is written in a language, a number with `digits` decimals; None is a dash."""
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    text = f"{value:g}" if digits is None else f"{value:.{digits}f}"
    return text.replace(".", ",") if language == "pt" else text
