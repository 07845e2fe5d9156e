"""What, apart from inputs and settings, the bits of the outputs may depend on.

The promise: the same versions of the libraries give the same bits on every x86-64 processor with
AVX2, under Linux. `outside_promise` tells what of this an environment lacks. The number of cores
is not part of it: the number of threads is a setting.
"""

import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

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
    "scikit-learn": "sklearn",
    "scipy": "scipy",
    "soundfile": "soundfile",
    "tensorflow": "tensorflow",
    "verovio": "verovio",
}
INSTRUCTIONS = ("avx", "avx2", "avx512f", "fma", "neon", "sse4_2", "sve")


def environment() -> dict[str, object]:
    """This environment, in words for people and for `==`."""
    model, flags = processor()
    return {
        "processor": model,
        "instructions": [name for name in INSTRUCTIONS if name in flags],
        "system": f"{platform.system()} {platform.machine()}",
        "c_library": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        **versions(),
    }


def versions() -> dict[str, str]:
    """The installed versions of the libraries that make the bits."""
    return {name: version(name) for name in LIBRARIES}


def outside_promise(pinned: Mapping[str, str], replicas: int = 1) -> list[str]:
    """Why this environment may give other bits, in words; nothing if it must give the same.

    `pinned` are the versions in libraries.yaml; `replicas` is the setting.
    """
    here = environment()
    reasons = []
    if here["system"] != "Linux x86_64":
        reasons.append(f"the system is {here['system']}, not Linux x86_64")
    elif "avx2" not in here["instructions"]:
        reasons.append("the processor has no AVX2")
    if not here["c_library"].startswith("glibc"):
        reasons.append("the C library is not glibc")
    for name, installed in versions().items():
        if installed != pinned.get(name):
            reasons.append(f"{name} is {installed}, not {pinned.get(name)}")
    if replicas > 1:
        reasons.append(f"train.replicas is {replicas}, which may use graphics cards")
    return reasons


def processor() -> tuple[str, set[str]]:
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
