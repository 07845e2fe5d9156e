"""Where the shared libraries of an environment ask which processor they run on.

The instruction `cpuid` is the bytes 0F A2, but not all such bytes are one: most are parts of
other instructions. So the function around each is disassembled from its first byte on, and
counts where an instruction begins just there. Where functions begin is in the table that C++
exceptions are handled by, `.eh_frame_hdr` (Linux Standard Base 5.0, "Exception Frames").
"""

import bisect
import mmap
import struct
from array import array
from collections.abc import Iterator
from pathlib import Path

from capstone import CS_ARCH_X86, CS_MODE_64, Cs
from elftools.elf.elffile import ELFFile

CPUID = b"\x0f\xa2"
EXECUTABLE = 1  # the flag of a segment
LONGEST_INSTRUCTION = 15  # bytes
LONGEST_FUNCTION = 2**18  # bytes; what is further from a function's first byte is data
# The head of a table as all linkers write it: version 1, the encodings of what follows.
TABLE_HEAD = bytes([1, 0x1B, 0x03, 0x3B])


def libraries(folder: Path) -> list[Path]:
    """The shared libraries below a folder."""
    paths = (path for path in folder.rglob("*.so*") if path.is_file())
    return sorted(path for path in paths if path.open("rb").read(4) == b"\x7fELF")


def instructions(library: Path) -> list[int]:
    """The addresses of the library's `cpuid` instructions, from where it will be loaded on."""
    with library.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as code:
        segments = list(ELFFile(file).iter_segments())
        table = next((one for one in segments if one["p_type"] == "PT_GNU_EH_FRAME"), None)
        candidates = list(_candidates(code, segments))
        if not candidates or table is None:
            return []
        functions = _functions(code, table)
        disassembler = Cs(CS_ARCH_X86, CS_MODE_64)
        disassembler.skipdata = True  # a jump table within a function is no end of it
        return [
            address
            for offset, address in candidates
            if _is_cpuid(disassembler, code, offset, address, functions)
        ]


def _candidates(code: mmap.mmap, segments: list) -> Iterator[tuple[int, int]]:
    """Offset in the file and address of all bytes 0F A2 that may be executed."""
    for segment in segments:
        if segment["p_type"] == "PT_LOAD" and segment["p_flags"] & EXECUTABLE:
            begin, end = segment["p_offset"], segment["p_offset"] + segment["p_filesz"]
            offset = code.find(CPUID, begin, end)
            while offset >= 0:
                yield offset, segment["p_vaddr"] + offset - begin
                offset = code.find(CPUID, offset + 1, end)


def _functions(code: mmap.mmap, table) -> list[int]:
    """The addresses of all functions, in order."""
    offset, address = table["p_offset"], table["p_vaddr"]
    if code[offset : offset + 4] != TABLE_HEAD:
        return []
    (count,) = struct.unpack_from("<I", code, offset + 8)
    pairs = array("i", code[offset + 12 : offset + 12 + 8 * count])
    return [address + begin for begin in pairs[::2]]


def _is_cpuid(
    disassembler: Cs, code: mmap.mmap, offset: int, address: int, functions: list[int]
) -> bool:
    place = bisect.bisect_right(functions, address) - 1
    if place < 0 or address - functions[place] > LONGEST_FUNCTION:
        return False
    begin = offset - (address - functions[place])
    # With what comes after it, or the last instruction would be cut and read as another.
    around = code[begin : offset + LONGEST_INSTRUCTION]
    for at, _, name, _ in disassembler.disasm_lite(around, functions[place]):
        if at >= address:
            return at == address and name == "cpuid"
    return False
