"""The processors that this one can pose as.

Models and caches are those of the makers' manuals: AMD's "Processor Programming References" and
Intel's "64 and IA-32 Architectures Software Developer's Manual", volume 2, CPUID.
"""

from dataclasses import dataclass

from kantor.system import environment
from kantor.system.errors import KantorError

# Instructions that not every x86-64 processor with AVX2 has, as Linux names them, and where
# `cpuid` tells of them: in which answer of spoof.c, and in which bit of it.
ANSWERS = ("7 ebx", "7 ecx", "7 edx", "7.1 eax", "7.1 edx")
INSTRUCTIONS = {
    "avx512f": ("7 ebx", 16),
    "avx512dq": ("7 ebx", 17),
    "avx512ifma": ("7 ebx", 21),
    "avx512cd": ("7 ebx", 28),
    "avx512bw": ("7 ebx", 30),
    "avx512vl": ("7 ebx", 31),
    "avx512vbmi": ("7 ecx", 1),
    "avx512_vbmi2": ("7 ecx", 6),
    "avx512_vnni": ("7 ecx", 11),
    "avx512_bitalg": ("7 ecx", 12),
    "avx512_vpopcntdq": ("7 ecx", 14),
    "avx512_vp2intersect": ("7 edx", 8),
    "amx_bf16": ("7 edx", 22),
    "avx512_fp16": ("7 edx", 23),
    "amx_tile": ("7 edx", 24),
    "amx_int8": ("7 edx", 25),
    "avx_vnni": ("7.1 eax", 4),
    "avx512_bf16": ("7.1 eax", 5),
    "amx_fp16": ("7.1 eax", 21),
    "avx_ifma": ("7.1 eax", 23),
    "avx_vnni_int8": ("7.1 edx", 4),
    "avx_ne_convert": ("7.1 edx", 5),
    "avx_vnni_int16": ("7.1 edx", 10),
    "avx10": ("7.1 edx", 19),
}
SKYLAKE = frozenset({"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"})
ICE_LAKE = SKYLAKE | {
    "avx512ifma",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_vnni",
    "avx512_bitalg",
    "avx512_vpopcntdq",
}


@dataclass(frozen=True)
class Processor:
    """A processor: its maker, `signature` (family, model and stepping, as leaf 1 has them), which
    of INSTRUCTIONS it has, and its caches of level 1 to 3, each in KiB and ways.
    """

    name: str
    maker: str
    signature: int
    caches: tuple[tuple[int, int], ...]
    instructions: frozenset[str] = frozenset()

    @property
    def wide(self) -> bool:
        """Whether it has AVX-512."""
        return "avx512f" in self.instructions

    def answers(self) -> str:
        """What spoof.c reads: maker, signature, caches, and the bits to clear in ANSWERS."""
        clear = dict.fromkeys(ANSWERS, 0)
        for name, (answer, bit) in INSTRUCTIONS.items():
            if name not in self.instructions:
                clear[answer] |= 1 << bit
        numbers = [self.signature, *(number for cache in self.caches for number in cache)]
        return " ".join([self.maker, *(f"{number:x}" for number in [*numbers, *clear.values()])])


PROCESSORS = {
    processor.name: processor
    for processor in (
        Processor("zen", "AMD", 0x00800F11, ((32, 8), (512, 8), (8192, 16))),
        Processor("zen3", "AMD", 0x00A00F11, ((32, 8), (512, 8), (32768, 16))),
        Processor(
            "zen4",
            "AMD",
            0x00A10F11,
            ((32, 8), (1024, 8), (32768, 16)),
            ICE_LAKE | {"avx512_bf16"},
        ),
        Processor(
            "zen5",
            "AMD",
            0x00B00F21,
            ((48, 12), (1024, 16), (32768, 16)),
            ICE_LAKE | {"avx512_bf16", "avx512_vp2intersect", "avx_vnni"},
        ),
        Processor("haswell", "Intel", 0x000306F2, ((32, 8), (256, 8), (20480, 20))),
        Processor(
            "alderlake",
            "Intel",
            0x00090672,
            ((48, 12), (1280, 10), (30720, 12)),
            frozenset({"avx_vnni"}),
        ),
        Processor("skylake-x", "Intel", 0x00050654, ((32, 8), (1024, 16), (25344, 11)), SKYLAKE),
        Processor("icelake-x", "Intel", 0x000606A6, ((48, 12), (1280, 20), (49152, 12)), ICE_LAKE),
        Processor(
            "sapphirerapids",
            "Intel",
            0x000806F8,
            ((48, 12), (2048, 16), (61440, 15)),
            ICE_LAKE
            | {"avx512_bf16", "avx512_fp16", "avx_vnni", "amx_bf16", "amx_int8", "amx_tile"},
        ),
    )
}
# With and without AVX-512, by both makers, with 32 and 48 KiB of L1 and 256 KiB to 2 MiB of L2.
CHOICE = ("zen3", "zen4", "haswell", "alderlake", "skylake-x", "sapphirerapids")
FEW = ("zen3", "haswell", "skylake-x", "sapphirerapids")


def flags() -> frozenset[str]:
    """The instructions of this processor, as Linux names them."""
    _, names = environment.processor()
    if not names:
        raise KantorError("/proc/cpuinfo: not there; --elsewhere needs Linux on x86-64")
    return frozenset(names)


def possible(names: tuple[str, ...], here: frozenset[str]) -> list[Processor]:
    """Those processors that one with the instructions `here` can pose as."""
    chosen = [PROCESSORS[name] for name in names]
    return [processor for processor in chosen if not processor.wide or "avx512f" in here]


def not_shown(names: tuple[str, ...], here: frozenset[str]) -> list[str]:
    """What a run with these processors can't show, a sentence each."""
    able = possible(names, here)
    left_out = [name for name in names if PROCESSORS[name] not in able]
    missing = sorted(frozenset().union(*(one.instructions for one in able)) - here)
    sentences = []
    if left_out:
        sentences.append(
            f"not shown: {', '.join(left_out)}: this processor has no AVX-512 to pose as them with"
        )
    if missing:
        sentences.append(f"not shown: {', '.join(missing)}: instructions that this one lacks")
    sentences.append("not shown: rsqrtps, rcpps: approximations whose digits differ by maker")
    return sentences
