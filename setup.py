"""What is not Python: the kernels. Where they cannot be compiled they are left out; NumPy and XLA take their place."""

from pathlib import Path

import jaxlib
from setuptools import Extension, setup

KERNELS = Extension(
    "downslope.core.kernels",
    [
        f"downslope/core/c/{name}.c"
        for name in (
            *("added", "arithmetic", "compiled", "cross_entropy", "layer", "order"),
            *("products", "rounds", "rows", "script", "summed"),
        )
    ],
    depends=[
        f"downslope/core/c/{name}.h"
        for name in (
            *("call", "compiled", "cross_entropy", "functions", "layer"),
            *("layer_tiles", "products", "program", "script", "shares"),
        )
    ],
    include_dirs=[str(Path(jaxlib.__file__).parent / "include")],
    libraries=["m"],
    extra_compile_args=["-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"],
    optional=True,
)

setup(ext_modules=[KERNELS])
