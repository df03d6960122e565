"""Threads, one for each core, that do what is waiting: gather rows, train a block of runs."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import jax


@cache
def workers() -> ThreadPoolExecutor:
    """As many as JAX has devices. What one of them does must not wait for what another has not begun."""
    return ThreadPoolExecutor(jax.device_count(), thread_name_prefix="worker")
