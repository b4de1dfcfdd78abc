"""The compiled sums, where they could be built; without them NumPy comes to the same bits, in more time.

``LOSSCTL_SUMS=numpy`` leaves them aside.
"""

import os
from types import ModuleType


def _built() -> ModuleType | None:
    if os.environ.get("LOSSCTL_SUMS", "").strip().lower() == "numpy":
        return None
    try:
        from lossctl.sums import _kernels  # noqa: PLC0415  (it may not be there)
    except ImportError:
        return None
    return _kernels


kernels = _built()
"""The module of compiled functions; ``None`` where NumPy does without."""
