"""What would make results depend on the processor, pinned before numpy and TensorFlow load.

Both libraries choose their code by the instructions and the caches of the processor, and other
code may round or sum in another order. Here the choice is narrowed to what every x86-64
processor with AVX2 does alike; docs/reproducibility.md tells for each line what it is for. The
package kantor imports this first. Environment variables that would steer TensorFlow otherwise
are removed.
"""

import os
import sys

from kantor.system.errors import KantorError

STEERING = ("TF_", "XLA_", "KERAS_", "ONEDNN_", "DNNL_", "OMP_", "KMP_", "MKL_", "TENSORFLOW_")
PINNED = {
    "KERAS_BACKEND": "tensorflow",
    # numpy's own exp, log and their like differ with AVX-512.
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "XLA_FLAGS": " ".join(
        [
            "--xla_cpu_max_isa=AVX2",
            # YNNPACK and XNNPACK multiply matrices by AVX-512 all the same.
            "--xla_cpu_use_xnnpack=false",
            "--xla_cpu_experimental_ynn_fusion_type=",
            # Sums over two axes follow the width that LLVM prefers, which differs by processor.
            "--xla_cpu_prefer_vector_width=128",
        ]
    ),
}
TOO_LATE = [name for name in ("numpy", "tensorflow") if name in sys.modules]


def pin() -> None:
    """Set the variables."""
    for name in [name for name in os.environ if name.startswith(STEERING)]:
        del os.environ[name]
    os.environ.update(PINNED)


def check() -> None:
    """Raise KantorError if a library was loaded before its variables were set."""
    if TOO_LATE and any(os.environ.get(name) != value for name, value in BEFORE.items()):
        raise KantorError(
            f"{' and '.join(TOO_LATE)} was imported before kantor, so its results would depend on "
            "the processor; import kantor first"
        )


BEFORE = {name: os.environ.get(name) for name in PINNED}
pin()
