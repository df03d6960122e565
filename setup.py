"""What is not Python: the kernels. Where they cannot be compiled they are left out; NumPy and XLA take their place."""

from pathlib import Path

import jaxlib
from setuptools import Extension, setup

KERNELS = Extension(
    "downslope.core.kernels",
    ["downslope/core/c/layer.c", "downslope/core/c/rows.c"],
    depends=["downslope/core/c/layer_tiles.h"],
    include_dirs=[str(Path(jaxlib.__file__).parent / "include")],
    extra_compile_args=["-O3", "-ffp-contract=fast", "-Wno-psabi"],
    optional=True,
)

setup(ext_modules=[KERNELS])
