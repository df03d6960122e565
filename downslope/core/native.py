"""Our kernels, compiled from C when downslope is installed. Where they could not be, NumPy and XLA take their place."""

import ctypes
import sysconfig
from functools import cache
from pathlib import Path


@cache
def library() -> ctypes.CDLL | None:
    """The compiled kernels; `None` without them."""
    try:
        return ctypes.CDLL(str(Path(__file__).with_name("kernels" + sysconfig.get_config_var("EXT_SUFFIX"))))
    except OSError:
        return None
