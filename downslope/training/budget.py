"""How long everyone trains, and how the work is cut into device calls: pure functions of shapes, never of a clock."""

import math
from typing import NamedTuple

from downslope.training.layout import Layout

UPDATES = 3000
FEWEST_EPOCHS, MOST_EPOCHS = 10, 200
CALL_SECONDS = 0.5
CALL_BYTES = 24 << 20  # below 32 MB the C library keeps memory for the next call; fresh pages cost more than the rows in them
KEPT_BYTES = 32 << 20


class Cut(NamedTuple):
    """How a run is cut: `rounds` in all, each an epoch of `steps` updates and an evaluation, `rounds_per_call` in a device call.

    An epoch that is longer than a device call should be has `calls_per_round` of them, and is evaluated in the last.

    >>> long = Cut(rounds=3, steps=20, rounds_per_call=1, calls_per_round=4)
    >>> long.calls, long.rounds_after(7), long.updates_after(7)
    (12, 1, 35)
    """

    rounds: int
    steps: int
    rounds_per_call: int
    calls_per_round: int = 1

    @property
    def updates(self) -> int:
        """Updates of the whole run."""
        return self.rounds * self.steps

    @property
    def calls(self) -> int:
        """Device calls that one lane needs."""
        return math.ceil(self.rounds / self.rounds_per_call) * self.calls_per_round

    @property
    def steps_per_call(self) -> int:
        """Updates of a device call."""
        return self.rounds_per_call * self.steps // self.calls_per_round

    def rounds_after(self, calls: int) -> int:
        """Rounds that have ended after so many device calls."""
        return min(calls // self.calls_per_round * self.rounds_per_call, self.rounds)

    def updates_after(self, calls: int) -> int:
        """Updates made in so many device calls."""
        return min(calls * self.steps_per_call, self.updates)


def default_batch(rows: int) -> int:
    """Rows of a mini-batch where nobody says otherwise."""
    return 32 if rows < 4000 else 128


def default_epochs(rows: int, batch: int) -> int:
    """As many epochs as make 3 000 updates, at least 10 and at most 200.

    >>> default_epochs(rows=13_000, batch=128), default_epochs(rows=200, batch=32), default_epochs(rows=10**7, batch=128)
    (30, 200, 10)
    """
    return min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(UPDATES / math.ceil(rows / batch))))


def cut(*, rows: int, batch: int, epochs: int, features: int, stop: int, parameters: int, layout: Layout, pieces: int = 1) -> Cut:
    """The cut of runs over `rows` rows in batches of `batch` (all rows for a full-batch method).

    One device call lasts about half a second at most, and neither its batches nor the parameters it reports fill the memory.
    `pieces` asks for at least so many calls, each of some rounds.
    """
    steps = math.ceil(rows / batch)
    work = 3.0 * parameters * layout.lanes / layout.multiply_adds_per_second
    step_seconds = layout.step_seconds + batch * work
    step_bytes = 4.0 * batch * (features + 2) if steps > 1 else 0.0
    most_steps = max(1, int(min(CALL_SECONDS / step_seconds, CALL_BYTES / max(step_bytes, 1.0))))
    calls_per_round = math.ceil(steps / most_steps)
    if calls_per_round > 1:
        return Cut(epochs, math.ceil(steps / calls_per_round) * calls_per_round, 1, calls_per_round)
    round_seconds = steps * step_seconds + stop * work / 3
    fitting = min(
        CALL_SECONDS / round_seconds, KEPT_BYTES / (4.0 * parameters * layout.lanes), CALL_BYTES / max(steps * step_bytes, 1.0)
    )
    calls = math.ceil(epochs / max(1, int(fitting)))
    return Cut(epochs, steps, min(math.ceil(epochs / calls), max(1, epochs // pieces)))
