"""The true optimum of a convex problem from a direct solver, and how near the recommended contender has come to it."""

import math
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from downslope.comparison.contender import Contender
from downslope.comparison.problem import Problem
from downslope.comparison.run import Runner
from downslope.comparison.wording import listed, percent
from downslope.core import examples
from downslope.core.types import Params
from downslope.losses.base import Loss
from downslope.models.base import Layered
from downslope.training.lanes import Lane

Array: TypeAlias = np.ndarray

SQUARES = "squared_error"
CLOSE = 1e-3  # of the way from start to optimum: what the solver may be wrong by
MOST_NUMBERS = 4_000_000  # rows × columns that are solved for in all, so that a large table does not wait for this
MOST_STEPS = 2_000
MOST_IN_A_PROGRAM = 30_000  # rows × columns × outputs of one fit
MOST_PROGRAMS = 25
FAR = 1_000.0  # scores and weights are of the order of 1: beyond this nothing new happens


class Found(NamedTuple):
    """One fit: objectives at the best constant, at the optimum and at the kept parameters."""

    start: float
    optimum: float
    reached: float


def optimum(problem: Problem, runner: Runner, contender: Contender) -> dict[str, Any] | None:
    """Where the recommended contender's training objective lies between the best constant (1) and the true optimum (0).

    Over the confirmation fits, at the epochs that were kept: `share` holds the mean, the lowest and the highest. `None` where
    the problem is not convex; without a share where no solver can vouch for its answer, as at kinks under a penalty.
    """
    model = runner.model
    if not (contender.loss.about.convex and isinstance(model, Layered) and model.hidden == 0):
        return None
    found, solvers, seen = [], set(), set()
    size = 0
    for run in runner.ledger.runs(contender.id, "confirmation"):
        x = problem.matrices[problem.places[run.fit]][0]
        size += x.size
        if problem.places[run.fit] in seen or (found and size > MOST_NUMBERS):
            continue
        seen.add(problem.places[run.fit])
        convex = Convex(problem, runner, contender, run.fit)
        solver, best = convex.solved()
        solvers.add(solver)
        if best is None:
            found = []
            break
        found.append(Found(convex(convex.start)[0], best, convex(convex.flat(runner.params(contender.loss, run)))[0]))
    shares = [(one.reached - one.optimum) / (one.start - one.optimum) for one in found if one.start > one.optimum]
    if not solvers:
        return None
    out: dict[str, Any] = {"id": contender.id, "solver": listed(sorted(solvers)), "fits": len(shares)}
    # Six digits after the point: further ones depend on the order in which a machine adds up.
    rounded = [round(max(share, 0.0), 6) for share in shares if math.isfinite(share)]
    ends = {"mean": round(float(np.mean(rounded)), 6), "low": min(rounded), "high": max(rounded)} if rounded else None
    return out | {"share": ends, "text": words(out["solver"], ends, contender.loss)}


def words(solver: str, share: dict[str, float] | None, loss: Loss) -> str:
    """The sentence for the answer.

    >>> from downslope.losses import Huber
    >>> words("L-BFGS-B", {"mean": 0.021, "low": 0.004, "high": 0.034}, Huber()).partition(" is ")[0]
    'The training objective of the recommended contender'
    """
    if share is None:
        return (
            f"The problem is convex, but the direct solver cannot vouch for the optimum of {loss.name}, so no distance is given."
        )
    ends = f"{percent(share['low'])} to {percent(share['high'])}"
    return (
        f"The training objective of the recommended contender is {percent(share['mean'])} of the way from the true optimum to "
        f"the best constant ({ends} by fit; by {solver})."
    )


def closed_form(problem: Problem, runner: Runner, contender: Contender) -> str | None:
    """What gives a contender's optimum in closed form, in words; `None` where nothing does."""
    linear = isinstance(runner.model, Layered) and runner.model.hidden == 0
    if not linear or contender.loss.name != SQUARES or contender.reason or runner.penalty is not None:
        return None
    return "ordinary least squares" if problem.dataset.weight is None else "weighted least squares"


class Convex:
    """The training objective of one fit in double precision as a function of a flat vector: weights, then biases."""

    def __init__(self, problem: Problem, runner: Runner, contender: Contender, fit: int) -> None:
        trainer, place = runner.trainer(contender.loss), problem.places[fit]
        fold = trainer.folds[place]
        self.loss, self.penalty, self.smoothing = contender.loss, runner.penalty, problem.labels.label_smoothing
        x, y = fold.shown
        self.x = x.astype(np.float64)
        self.y = y if trainer.labels else y.astype(np.float64)
        heavy = fold.weight.astype(np.float64)
        self.share = heavy / heavy.sum()
        self.outputs = self.loss.outputs(runner.classes)
        target, weight = trainer.learned(Lane(runner.recipe(contender, 1.0), place, 0), runner.classes)
        constant = np.asarray(self.loss.best_constant(target, weight, runner.classes), np.float64)
        self.start = np.concatenate([np.zeros(self.x.shape[1] * self.outputs), constant])

    def parts(self, flat: Array) -> tuple[Array, Array]:
        """Weights `(columns, outputs)` and biases `(outputs,)`."""
        cut = self.x.shape[1] * self.outputs
        return flat[:cut].reshape(self.x.shape[1], self.outputs), flat[cut:]

    @staticmethod
    def flat(params: Params) -> Array:
        """Parameters of a run as a flat vector."""
        (layer,) = params["layers"]
        return np.concatenate([np.ravel(layer["weight"]), np.ravel(layer["bias"])]).astype(np.float64)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """The objective and its gradient."""
        weight, bias = self.parts(flat)
        scores = self.x @ weight + bias
        raw = scores[:, 0] if self.outputs == 1 else scores
        with jax.enable_x64(True):
            losses, slopes = row_slopes(self.loss, raw, self.y, self.share, self.smoothing)
            paid, owed = penalty_slopes(self.penalty, weight, bias) if self.penalty is not None else (0.0, None)
        value, slope = float(np.sum(np.asarray(losses) * self.share)), np.asarray(slopes).reshape(len(raw), self.outputs)
        down = [self.x.T @ slope, slope.sum(axis=0)]
        if owed is not None:
            value, down = value + float(paid), [one + np.asarray(more) for one, more in zip(down, owed, strict=True)]
        return value, np.concatenate([np.ravel(part) for part in down])

    def solved(self) -> tuple[str, float | None]:
        """The solver and the lowest objective, `None` where it cannot vouch for it."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # the numbers must not depend on how many cores there are
            if self.loss.name == SQUARES and self.penalty is None:
                return "least squares", self(self.least_squares())[0]
            from scipy.optimize import minimize

            options = {"maxiter": MOST_STEPS, "maxfun": MOST_STEPS, "ftol": 1e-15, "gtol": 1e-10, "maxcor": 30}
            end = minimize(self, self.start, jac=True, method="L-BFGS-B", options=options)
        value, slope = self(end.x)
        gap = self(self.start)[0] - value
        # A convex function cannot fall by more than slope times distance; at a kink the slope does not vanish and says nothing.
        doubt = float(np.linalg.norm(slope)) * (1.0 + float(np.linalg.norm(end.x - self.start)))
        if doubt <= CLOSE * max(gap, 0.0):
            return "L-BFGS-B", value
        if self.penalty is not None or self.x.size * self.outputs > MOST_IN_A_PROGRAM:
            return "L-BFGS-B", None
        return "linear programming", self.between_planes(end.x)

    def raw(self, flat: Array) -> Array:
        """Scores of all rows, `(rows, outputs)`."""
        weight, bias = self.parts(flat)
        return self.x @ weight + bias

    def planes(self, raw: Array, rows: Array) -> tuple[Any, Array]:
        """Below each row's loss, the plane that touches it at these scores: `matrix @ (flat, bounds) <= limits`."""
        from scipy.sparse import coo_array, hstack

        given = raw[:, 0] if self.outputs == 1 else raw
        with jax.enable_x64(True):
            losses, slopes = (
                np.asarray(part) for part in row_slopes(self.loss, given, self.y, np.ones(len(raw)), self.smoothing)
            )
        slopes = slopes.reshape(raw.shape)
        rows = rows[np.isfinite(losses[rows]) & np.isfinite(slopes[rows]).all(axis=1)]
        steep = slopes[rows]
        dense = np.concatenate([(self.x[rows][:, :, None] * steep[:, None, :]).reshape(len(rows), -1), steep], axis=1)
        bounds = coo_array((-np.ones(len(rows)), (np.arange(len(rows)), rows)), shape=(len(rows), len(raw)))
        return hstack([coo_array(dense), bounds], format="csr"), np.sum(steep * raw[rows], axis=1) - losses[rows]

    def between_planes(self, near: Array) -> float | None:
        """The lowest objective by planes under every row's loss: exact where losses are piecewise linear, as at kinks.

        The planes' optimum is never above the true one, the objective there never below; where they meet, both are it.
        """
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        everyone, size = np.arange(len(self.x)), len(self.start)
        far = [np.full((len(self.x), self.outputs), side) for side in (-FAR, FAR)] if self.outputs == 1 else []
        found = [self.planes(raw, everyone) for raw in (self.raw(self.start), self.raw(near), *far)]
        at_start, upper = self(self.start)[0], self(near)[0]
        for _ in range(MOST_PROGRAMS):
            matrix, limits = vstack([each for each, _ in found]), np.concatenate([each for _, each in found])
            costs = np.concatenate([np.zeros(size), self.share])
            limited = [(-FAR, FAR)] * size + [(None, None)] * len(self.x)
            end = linprog(costs, A_ub=matrix, b_ub=limits, bounds=limited, method="highs")
            if end.status != 0:
                return None
            upper = min(upper, self(end.x[:size])[0])
            if upper - end.fun <= CLOSE * (at_start - upper):
                return upper
            found.append(self.planes(self.raw(end.x[:size]), everyone))
        return None

    def least_squares(self) -> Array:
        """The closed form for squared error."""
        root = np.sqrt(self.share)[:, None]
        wide = np.concatenate([self.x, np.ones((len(self.x), 1))], axis=1)
        return np.linalg.lstsq(wide * root, self.y * root[:, 0], rcond=None)[0]


@jax.jit
def row_slopes(loss: Loss, raw: Any, y: Any, share: Any, smoothing: Any) -> Any:
    """Each row's loss, and the gradient of their weighted mean by the scores."""

    def values(trial: Any) -> Any:
        return loss(trial, examples.smoothed(loss.name, loss.about, y, smoothing, trial.shape[-1]))

    losses, back = jax.vjp(values, raw)
    return losses, back(share)[0]


@jax.jit
def penalty_slopes(penalty: Any, weight: Any, bias: Any) -> Any:
    """What the parameters cost, and the gradients by weights and biases."""
    return jax.value_and_grad(lambda parts: penalty({"layers": [{"weight": parts[0], "bias": parts[1]}]}))((weight, bias))
