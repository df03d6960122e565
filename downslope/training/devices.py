"""Which devices JAX offers: on a CPU one for each core, and at least two."""

import os
from pathlib import Path

import jax

from downslope.core import layer

FEWEST = 2  # a program for one device gives other last digits than the same program spread over two or more


def offer(cache: Path | None = None) -> None:
    """Offers one CPU device per core (at least two) and an on-disk compilation cache.

    Works only before the first use of JAX in a process; afterwards, and where the user has already decided, everything is
    left as it is.
    """
    if jax.config.values["jax_num_cpu_devices"] < 1:
        try:
            jax.config.update("jax_num_cpu_devices", max(FEWEST, cores()))
        except RuntimeError:
            return  # JAX is in use already: take what it has
    if jax.config.values["jax_compilation_cache_dir"] is None:
        folder = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "downslope" / "programs"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return  # a home that cannot be written to costs speed, not answers
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def words() -> str:
    """`one` or `many`, of which kind where it is no CPU, and whether our kernels are missing: all that changes a run's bits."""
    number, kind = "one" if jax.device_count() == 1 else "many", jax.default_backend()
    if kind == "cpu":
        return number if layer.able() else f"{number} without kernels"
    return f"{number} {kind}"
