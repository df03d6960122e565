"""What is not Python: the layer's kernels. Where they cannot be compiled they are left out, and XLA's take their place."""

from pathlib import Path

import jaxlib
from setuptools import Extension, setup

KERNELS = Extension(
    "downslope.core.native_layer",
    ["downslope/core/layer.c"],
    depends=["downslope/core/layer_tiles.h"],
    include_dirs=[str(Path(jaxlib.__file__).parent / "include")],
    extra_compile_args=["-O3", "-ffp-contract=fast", "-Wno-psabi"],
    optional=True,
)

setup(ext_modules=[KERNELS])
