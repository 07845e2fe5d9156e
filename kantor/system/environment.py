"""What, apart from inputs and settings, the bits of the outputs may depend on.

TensorFlow chooses its kernels and the order of its sums by processor and build, so two
environments that differ here may end with other last digits. The number of cores is not part
of it: the number of threads is a setting.
"""

import json
import platform
from importlib.metadata import version
from pathlib import Path

from kantor.system import atomic

# Distributions that make the bits of an output, and the module that each is imported as. h5py
# writes the weights into Keras's files, protobuf the records.
LIBRARIES = {
    "h5py": "keras",
    "jinja2": "jinja2",
    "keras": "keras",
    "music21": "music21",
    "numpy": "numpy",
    "pandas": "pandas",
    "protobuf": "tensorflow",
    "scipy": "scipy",
    "soundfile": "soundfile",
    "tensorflow": "tensorflow",
    "verovio": "verovio",
}
INSTRUCTIONS = ("avx", "avx2", "avx512f", "fma", "neon", "sse4_2", "sve")
RECORD = Path("reports/environment.json")


def environment() -> dict[str, object]:
    """This environment, in words for people and for `==`."""
    model, flags = _processor()
    return {
        "processor": model,
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "system": f"{platform.system()} {platform.machine()}",
        "c_library": " ".join(platform.libc_ver()),
        **versions(),
    }


def versions() -> dict[str, str]:
    """The installed versions of Python and of the libraries that make the bits."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def write(path: Path = RECORD) -> None:
    """Keep the record beside the outputs, where DVC does not count it among them."""
    with atomic.output(path) as fresh:
        fresh.write_text(json.dumps(environment(), indent=2) + "\n")


def read(path: Path = RECORD) -> dict[str, object]:
    """The record of the environment that the committed model was trained in."""
    return json.loads(path.read_text()) if path.exists() else {}


def _processor() -> tuple[str, set[str]]:
    """Name and feature flags, from Linux where it tells them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor(), set()
    pairs = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    fields = {key.strip(): value.strip() for key, value in pairs.items()}
    name = [fields.get("model name", platform.processor())]
    name += [f"{key} {fields[key]}" for key in ("cpu family", "model", "stepping") if key in fields]
    return ", ".join(name), set(fields.get("flags", fields.get("Features", "")).split())
