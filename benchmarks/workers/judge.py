"""Who passes the accuracy test of a loss, ours and the peers: the points, truth and bounds of the contract tests."""

import numpy as np

from benchmarks import accuracy
from benchmarks.accuracy import errors, points, truths
from benchmarks.peer import serve
from downslope.losses import catalogue


class Judge:
    """The peers' formulas."""

    def prepare(self) -> dict:
        """Collects them."""
        self.peers = accuracy.answers()
        return {}

    def judge(self, loss: str, count: int) -> dict:
        """Whether value and gradient stay inside the loss's bound, by peer."""
        where = points(catalogue[loss], count, np.float32, seed=1)
        exact = [truths(loss, at) for at in where]
        found = {who: theirs[loss] for who, theirs in self.peers.items() if loss in theirs}
        found["downslope"] = lambda at: accuracy.ours(loss, at)
        worst = {who: max(float(part.max()) for part in errors(loss, who, answer, where, exact)) for who, answer in found.items()}
        return {"passes": {who: error <= catalogue[loss].about.ulp for who, error in worst.items()}}


if __name__ == "__main__":
    serve(Judge())
