"""The sizes of the caches by which TensorFlow cuts its products: the same on every processor.

Eigen multiplies matrices and convolves, in TensorFlow's operations and in what XLA compiles. It
asks the processor for the sizes of its caches and cuts a product into blocks that fit them
(computeProductBlockingSizes in Eigen/src/Core/products/GeneralBlockPanelKernel.h). With other
blocks the sums run in another order, and the last bits differ.

Eigen has a function that sets the sizes, setCpuCacheSizes, but TensorFlow's libraries keep it to
themselves. So the sizes are written here into the variable that it would set. The symbol tables
of the libraries tell where that is.
"""

import ctypes
import mmap
import struct
import sys
from pathlib import Path

import numpy as np

# Bytes of the first, second and third level.
SIZES = (32 * 2**10, 512 * 2**10, 32 * 2**20)
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")  # each has its own variable
# `static CacheSizes m_cacheSizes` in manage_caching_sizes, three whole numbers of 8 bytes; and
# the first byte of its guard, which says that it is set, so that Eigen asks no processor.
VARIABLE = "ZN5Eigen8internal20manage_caching_sizesENS_6ActionEPlS2_S2_E12m_cacheSizes"
SYMBOLS = {f"_Z{VARIABLE}": 24, f"_ZGV{VARIABLE}": 8}  # and how many bytes they have
# An entry of a symbol table, and what marks the section that holds one (man 5 elf).
SYMBOL = np.dtype([("name", "<u4"), ("kind", "<u4"), ("address", "<u8"), ("bytes", "<u8")])
SYMBOL_TABLE = 2


def pin() -> bool:
    """Set the sizes in the TensorFlow of this process, before its first operation; whether all
    its libraries let themselves be set. If not, a note tells so.
    """
    variables = _variables()
    for sizes, guard in variables.values():
        (ctypes.c_int64 * len(SIZES)).from_address(sizes)[:] = SIZES
        ctypes.c_uint8.from_address(guard).value = 1
    for name in [name for name in LIBRARIES if name not in variables]:
        print(f"note: {name}: no cache sizes to set; other processors, other bits", file=sys.stderr)
    return len(variables) == len(LIBRARIES)


def release() -> None:
    """Let TensorFlow's next product ask the processor for the sizes."""
    for _, guard in _variables().values():
        ctypes.c_uint8.from_address(guard).value = 0


def _variables() -> dict[str, list[int]]:
    """The addresses of the sizes and of their guard, by library."""
    loaded = _loaded()
    places = {name: _places(*loaded[name]) for name in LIBRARIES if name in loaded}
    return {name: pair for name, pair in places.items() if len(pair) == len(SYMBOLS)}


def _loaded() -> dict[str, tuple[Path, int]]:
    """The libraries of this process by name: the file, and the address where it begins."""
    maps = Path("/proc/self/maps")
    libraries: dict[str, tuple[Path, int]] = {}
    for line in maps.read_text().splitlines() if maps.exists() else []:
        addresses, _, offset, _, _, *path = line.split(maxsplit=5)
        if path and int(offset, 16) == 0:
            file = Path(path[0])
            libraries.setdefault(file.name, (file, int(addresses.split("-")[0], 16)))
    return libraries


def _places(file: Path, begin: int) -> list[int]:
    """The addresses of SYMBOLS in a library of 64 bits that begins at `begin`; none of a symbol
    that its symbol table lacks.
    """
    places = []
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as elf:
        (first,) = struct.unpack_from("<Q", elf, 40)
        width, count = struct.unpack_from("<HH", elf, 58)
        # Of each section its type, where it is, its length, and which one has the names for it.
        sections = [struct.unpack_from("<4xI16xQQI", elf, first + n * width) for n in range(count)]
        for _, at, length, strings in [
            section for section in sections if section[0] == SYMBOL_TABLE
        ]:
            symbols = np.frombuffer(elf[at : at + length], SYMBOL)
            _, names, names_length, _ = sections[strings]
            for symbol, size in SYMBOLS.items():
                name = elf.find(f"\0{symbol}\0".encode(), names, names + names_length) + 1 - names
                match = symbols[(symbols["name"] == name) & (symbols["bytes"] == size)]
                places += (begin + match["address"]).tolist()
    return places
