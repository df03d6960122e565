"""How many lanes a device advances together: a pure function of the model's shape and the kind of device, never measured."""

from typing import NamedTuple

SHARING = 4  # lanes of a device on a CPU
BLOCKS = 16  # on an accelerator: enough for all confirmation runs of a contender, each with batches of its own
TOGETHER = 1 << 20  # numbers in the models that an accelerator advances at once, so that a step stays near its caches
MOST, FEWEST = 1024, BLOCKS  # lanes on an accelerator


class Layout(NamedTuple):
    """`blocks` blocks of `block` lanes on each device; the lanes of a block share their batches.

    They are advanced at once, or in `turns`. Or, where `parts` is true, all devices together advance one block, and each adds up
    its parts of a full batch.
    `step_seconds` and `multiply_adds_per_second` are what such a device is taken to need, only to cut runs into device calls.

    >>> Layout(blocks=16, block=8).lanes
    128
    """

    blocks: int = 1
    block: int = 1
    step_seconds: float = 5e-6
    multiply_adds_per_second: float = 1.5e10
    turns: bool = False
    parts: bool = False

    @property
    def lanes(self) -> int:
        """Lanes that one device advances in one call."""
        return self.blocks * self.block


def layout(hidden: int, parameters: int, platform: str) -> Layout:
    """The layout for models with `hidden` hidden layers and so many `parameters` on a kind of device as JAX names it.

    A CPU's core gets a few lanes in each call: linear ones at once, since a step costs more than its arithmetic, dense ones one
    after another. An accelerator waits for its kernels to start, whatever they compute, so it gets many lanes at once. Chosen by
    measurement, a resumed run could get other bits.

    >>> [layout(2, parameters=5_000, platform=each)[:2] for each in ("cpu", "gpu")], layout(0, 14, "cpu").lanes
    ([(1, 4), (16, 8)], 4)
    """
    if platform == "cpu":
        return Layout(block=SHARING) if hidden == 0 else Layout(block=SHARING, turns=True, multiply_adds_per_second=6e10)
    lanes = min(MOST, max(FEWEST, TOGETHER // max(1, parameters)))
    block = 1 << (lanes // BLOCKS).bit_length() - 1
    return Layout(BLOCKS, block, step_seconds=1e-4, multiply_adds_per_second=5e12)
