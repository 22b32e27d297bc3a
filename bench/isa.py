"""A CPU without AVX-512, imitated on one that has it.

    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 python -m bench.pipelines ...

torch, oneDNN and MKL read these variables. FBGEMM, which multiplies 8-bit integers, has a function for it, and no
variable.
"""

import ctypes
import os
from pathlib import Path

import torch

_FORCE_ISA = "_ZN6fbgemm14fbgemmForceIsaENS_10inst_set_tE"
_AVX2 = 1


def obey_environment() -> None:
    """Let FBGEMM use AVX2 and no more, without VNNI, if torch is told to do so."""
    if os.environ.get("ATEN_CPU_CAPABILITY") == "avx2":
        library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
        getattr(ctypes.CDLL(str(library)), _FORCE_ISA)(_AVX2)
