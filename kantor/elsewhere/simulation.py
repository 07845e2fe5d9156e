"""Run a program of this environment as another processor."""

import shutil
import struct
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kantor.elsewhere.processors import Processor
from kantor.system.errors import KantorError
from kantor.system.progress import Progress

SOURCE = Path(__file__).with_name("spoof.c")
# Glibc asks for itself; without these it takes what is there for AVX2 alone.
WITHOUT_AVX512 = "glibc.cpu.hwcaps=" + ",".join(
    f"-AVX512{part}" for part in ("F", "VL", "DQ", "BW", "CD")
)


class Simulation:
    """What it takes to pose as another processor, in a folder; `simulation` makes one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = compiled(folder)
        self.places = folder / "places"
        self.places.write_text("".join(_places()))

    def environment(self, processor: Processor) -> dict[str, str]:
        """The variables that make a program, and all that it starts, run as this processor."""
        count = self._count(processor)
        if not count.exists():
            count.write_bytes(bytes(16))
        tunables = {} if processor.wide else {"GLIBC_TUNABLES": WITHOUT_AVX512}
        return tunables | {
            "LD_AUDIT": str(self._library),
            "KANTOR_CPUID_AS": processor.answers(),
            "KANTOR_CPUID_PLACES": str(self.places),
            "KANTOR_CPUID_COUNT": str(count),
        }

    def counts(self, processor: Processor) -> tuple[int, int]:
        """How many questions for the processor were replaced, and how many answered."""
        return struct.unpack("qq", self._count(processor).read_bytes())

    def _count(self, processor: Processor) -> Path:
        return self._folder / f"{processor.name}.count"


@contextmanager
def simulation() -> Iterator[Simulation]:
    """A simulation, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="kantor-elsewhere-") as folder:
        yield Simulation(Path(folder))


def compiled(folder: Path) -> Path:
    """spoof.c as a library."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if not compiler:
        raise KantorError(
            "no C compiler (cc, gcc, clang) here: --elsewhere needs one, such as "
            "`apt-get install gcc libc6-dev` brings"
        )
    library = folder / "spoof.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)]
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise KantorError(
            f"{SOURCE.name}: {compiler} can't compile it: {finished.stderr[:500]}; "
            "`apt-get install gcc libc6-dev` brings what it needs"
        )
    return library


def _places() -> Iterator[str]:
    """Address and path of each `cpuid` in the libraries of this environment, a line each."""
    try:
        from kantor.elsewhere import cpuid
    except ModuleNotFoundError as error:
        raise KantorError(
            f"{error.name}: not installed; `pip install -r requirements-dev.txt` brings it"
        ) from None
    folders = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    libraries = [library for folder in sorted(folders) for library in cpuid.libraries(folder)]
    with Progress("look for cpuid", len(libraries), "libraries") as progress:
        for library in libraries:
            path = library.resolve()
            yield from (f"{address:x} {path}\n" for address in cpuid.instructions(path))
            progress.advance()
