"""What pyproject.toml cannot say: the pages of ``lossctl help``, and the compiled sums, which may be missing."""

import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PYTHON = (3, 11)
"""Whose stable interface the compiled sums use: they serve all later versions."""


class WithPages(build_py):
    """Puts the pages of the documentation into the package; a checkout has them already."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            pages = Path(self.build_lib, "lossctl", "pages")
            pages.mkdir(exist_ok=True)
            for page in (ROOT / "docs").glob("*.md"):
                shutil.copyfile(page, pages / page.name)


setup(
    cmdclass={"build_py": WithPages},
    ext_modules=[
        Extension(
            "lossctl.sums._kernels",
            ["lossctl/sums/_kernels.c"],
            define_macros=[("Py_LIMITED_API", "0x{:02X}{:02X}0000".format(*PYTHON))],
            # Fused multiply-add would change bits.
            extra_compile_args=["/std:c11"] if sys.platform == "win32" else ["-O3", "-ffp-contract=off"],
            py_limited_api=True,
            optional=True,  # NumPy comes to the same bits
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp{}{}".format(*PYTHON)}},
)
