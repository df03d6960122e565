"""L-BFGS: learns the curvature from its own steps and searches along each direction."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Ended, Here, Optimizer, required

DECREASE, CURVATURE = 1e-4, 0.9  # of Wolfe's two conditions, as in Nocedal and Wright
NARROW, LONGEST = 1e-9, 25  # the search ends when its bracket is this narrow, or after this many points


class State(NamedTuple):
    """Updates so far, last gradient and move, the remembered moves and gradient changes (newest last), their number, scale;
    gradient evaluations so far; loss and gradient where the last search ended."""

    step: Int[Array, ""]
    gradient: Float[Array, " size"]
    move: Float[Array, " size"]
    moves: Float[Array, "memory size"]
    turns: Float[Array, "memory size"]
    known: Int[Array, ""]
    scale: Float[Array, ""]
    evaluations: Int[Array, ""]
    ended: Ended


class Search(NamedTuple):
    """Where a search along a line stands. Each of `places`, `values`, `slopes`, `found` holds both ends of the bracket; before
    there is a bracket, the last point and the present one."""

    tried: Int[Array, ""]
    size: Float[Array, ""]
    places: Float[Array, "2"]
    values: Float[Array, "2"]
    slopes: Float[Array, "2"]
    found: tuple[Array, ...]
    bracketed: Bool[Array, ""]
    stalled: Bool[Array, ""]
    done: Bool[Array, ""]


class Lbfgs(Optimizer):
    """Builds a picture of the curvature from its last steps and goes along the resulting direction until the strong Wolfe
    conditions hold: tens of updates instead of thousands. Each update costs as many gradients as its search needs, usually
    one or two: the loss and gradient where a search ends, `state.ended`, are those the next update begins with. The learning rate
    is the first size tried and is meant to stay at 1.

    Use it for smooth problems on all rows, above all linear models.
    Not with mini-batches, whose noise it cannot bear, and not with losses that have corners, where there is no curvature to
    learn.
    >>> params, look = jnp.array([3.0, 1.0]), jax.value_and_grad(lambda p: jnp.sum(jnp.array([1.0, 50.0]) * p**2))
    >>> lbfgs = Lbfgs()
    >>> state, (loss, gradient) = lbfgs.init(params), look(params)
    >>> for _ in range(12):
    ...     change, state = lbfgs.update(gradient, state, params, Here(loss, jax.random.key(0), look))
    ...     params, (loss, gradient) = params + change, state.ended
    >>> bool(look(params)[0] < 1e-6)
    True
    """

    about = AboutOptimizer(
        title="L-BFGS",
        family="curvature",
        equation=r"""\Delta_t = -\alpha_t H_t g_t,\quad H_t \text{ from } s_i = \theta_{i+1} - \theta_i,\;
                     y_i = g_{i+1} - g_i,\quad
                     f(\theta + \Delta_t) \le f + 10^{-4} g_t^\top \Delta_t,\quad
                     |\nabla f(\theta + \Delta_t)^\top \Delta_t| \le 0.9\,|g_t^\top \Delta_t|""",
        source=Paper(
            "Liu and Nocedal",
            1989,
            "On the limited memory BFGS method for large scale optimization",
            "https://doi.org/10.1007/BF01589116",
        ),
        batch="full",
        gradients_per_step=None,
        aliases=("l_bfgs",),
        differs={
            "PyTorch": "takes up to 20 updates in one step, and searches only with line_search_fn='strong_wolfe'; memory 100.",
            "optax": "has another line search with the same conditions.",
            "scikit-learn": "SciPy's L-BFGS-B, with the line search of Moré and Thuente.",
        },
    )

    learning_rate: Number = hyper(default=1.0, above=0.0, search=Range(3e-2, 3e1, "log"), doc="First step size tried.")
    memory: int = choice(default=10, options=tuple(range(1, 101)), doc="How many steps the curvature is learned from.")

    def init(self, params: Params) -> State:
        flat = jnp.zeros_like(ravel_pytree(tree.widen(params))[0], tree.number_type(params))
        history = jnp.zeros((self.memory, flat.size), flat.dtype)
        zero = jnp.zeros((), jnp.int32)
        ended = Ended(jnp.zeros((), flat.dtype), tree.zeros_like(params))
        return State(zero, flat, flat, history, history, zero, jnp.ones((), flat.dtype), zero, ended)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        params, here = required(params, "params", self.name), required(here, "here", self.name)
        wide = tree.widen(gradient)
        flat, restore = ravel_pytree(wide)
        slope = jnp.asarray(flat, state.gradient.dtype)
        point = jnp.asarray(ravel_pytree(tree.widen(params))[0], slope.dtype)

        turn = slope - state.gradient
        bend = jnp.sum(turn * state.move)
        learned = (state.step > 0) & (bend > 1e-10)  # otherwise the curvature would not be positive
        moves = jnp.where(learned, jnp.concatenate([state.moves[1:], state.move[None]]), state.moves)
        turns = jnp.where(learned, jnp.concatenate([state.turns[1:], turn[None]]), state.turns)
        count = jnp.where(learned, jnp.minimum(state.known + 1, self.memory), state.known)
        scale = jnp.where(learned, bend / jnp.where(learned, jnp.sum(turn**2), 1), state.scale)

        direction = two_loops(slope, moves, turns, count, scale)
        descent = jnp.sum(slope * direction)
        reach = jnp.sum(jnp.abs(slope))
        reach = jnp.where(reach > 0, reach, 1)
        cautious = jnp.where(state.step == 0, jnp.minimum(1, 1 / reach), 1)

        def look(size: Array) -> tuple[Array, Array, Array]:
            there = tree.typed_as(params, restore(jnp.asarray(point + size * direction, flat.dtype)))
            loss, beyond = here.loss_and_gradient(there)
            beyond = jnp.asarray(ravel_pytree(tree.widen(beyond))[0], slope.dtype)
            return jnp.asarray(loss, slope.dtype), jnp.sum(beyond * direction), beyond

        first = jnp.asarray(cautious * self.learning_rate, slope.dtype)
        start = jnp.asarray(here.loss, slope.dtype)
        longest = jnp.max(jnp.abs(direction), initial=0)
        size, tried, (loss, ahead) = wolfe(look, first, start, descent, longest, slope)
        down = descent < 0
        move = jnp.where(down, size * direction, 0)
        loss, ahead = jnp.where(down, loss, start), jnp.where(down, ahead, slope)
        ended = Ended(loss, tree.typed_as(wide, restore(jnp.asarray(ahead, flat.dtype))))
        evaluations = state.evaluations + tried + (state.step == 0)
        state = State(state.step + 1, slope, move, moves, turns, count, scale, evaluations, ended)
        return tree.typed_as(wide, restore(jnp.asarray(move, flat.dtype))), state


def two_loops(slope: Array, moves: Array, turns: Array, count: Array, scale: Array) -> Array:
    """The gradient, times the inverse curvature that the remembered steps imply, turned downhill."""
    memory = len(moves)
    known = jnp.arange(memory) >= memory - count
    bends = jnp.where(known, jnp.sum(moves * turns, 1), 1)

    def back(q: Array, at: tuple[Array, Array, Array, Array]) -> tuple[Array, Array]:
        s, y, bend, real = at
        share = jnp.where(real, jnp.sum(s * q) / bend, 0)
        return q - share * y, share

    q, shares = jax.lax.scan(back, -slope, (moves, turns, bends, known), reverse=True)

    def forth(r: Array, at: tuple[Array, Array, Array, Array, Array]) -> tuple[Array, None]:
        s, y, bend, real, share = at
        return r + jnp.where(real, share - jnp.sum(y * r) / bend, 0) * s, None

    return jax.lax.scan(forth, scale * q, (moves, turns, bends, known, shares))[0]


def cubic(places: Array, values: Array, slopes: Array, low: Array, high: Array) -> Array:
    """Where the cubic through two values and slopes is lowest, kept between `low` and `high`; their middle if nowhere."""
    order = jnp.where(places[0] <= places[1], jnp.array([0, 1]), jnp.array([1, 0]))
    (a, b), (fa, fb), (ga, gb) = places[order], values[order], slopes[order]
    d1 = ga + gb - 3 * (fa - fb) / (a - b)
    square = d1**2 - ga * gb
    d2 = jnp.sqrt(jnp.maximum(square, 0))
    lowest = b - (b - a) * ((gb + d2 - d1) / (gb - ga + 2 * d2))
    return jnp.where((square >= 0) & jnp.isfinite(lowest), jnp.clip(lowest, low, high), (low + high) / 2)


def wolfe(
    look, first: Array, value: Array, slope: Array, longest: Array, *found: Array
) -> tuple[Array, Array, tuple[Array, ...]]:
    """A step size that satisfies the strong Wolfe conditions, how many were tried, and what was found there: go further until
    a bracket holds one, then narrow it by cubics.

    `look(size)` gives value and slope at a size, and whatever else is wanted of the place where the search ends; `value`,
    `slope` and `found` are those of the size 0. `longest` is the largest component of the direction.
    """
    zero = jnp.zeros_like(first)

    def advance(s: Search) -> Search:
        f, g, *rest = look(s.size)
        f = jnp.where(jnp.isfinite(f), f, jnp.inf)  # beyond the domain is uphill
        good = jnp.abs(g) <= -CURVATURE * slope
        too_high = f > value + DECREASE * s.size * slope

        # Without a bracket: the last point and this one become it when something lies between them.
        beyond = too_high | ((s.tried > 1) & (f >= s.values[1]))
        between = beyond | (~good & (g >= 0))
        here = (s.size, f, g, *rest)
        ends = (s.places, s.values, s.slopes, *s.found)
        outer = [jnp.stack([pair[1], new]) for pair, new in zip(ends, here, strict=True)]

        # With a bracket: this point replaces its worse end, or its better end, which may first become the worse one.
        low = jnp.where(s.values[0] <= s.values[1], 0, 1)
        worse = too_high | (f >= s.values[low])
        crossed = ~worse & ~good & (g * (s.places[1 - low] - s.places[low]) >= 0)

        def narrowed(ends: Array, new: Array) -> Array:
            ends = ends.at[1 - low].set(jnp.where(crossed, ends[low], ends[1 - low]))
            return ends.at[jnp.where(worse, 1 - low, low)].set(new)

        inner = [narrowed(pair, new) for pair, new in zip(ends, here, strict=True)]
        places, values, slopes, *found = (jnp.where(s.bracketed, i, o) for i, o in zip(inner, outer, strict=True))
        done = jnp.where(s.bracketed, ~worse & good, ~beyond & good)
        bracketed = s.bracketed | between

        # The next point to look at.
        left, right = jnp.min(places), jnp.max(places)
        done = done | (bracketed & ((right - left) * longest < NARROW))
        further = cubic(places, values, slopes, s.size + 0.01 * (s.size - places[0]), s.size * 10)
        within = cubic(places, values, slopes, left, right)
        margin = 0.1 * (right - left)
        close = jnp.minimum(right - within, within - left) < margin
        forced = close & (s.stalled | (within >= right) | (within <= left))
        off = jnp.where(jnp.abs(within - right) < jnp.abs(within - left), right - margin, left + margin)
        size = jnp.where(bracketed, jnp.where(forced, off, within), further)
        stalled = bracketed & close & ~forced
        size = jnp.where(done, s.size, size)
        return Search(s.tried + 1, size, places, values, slopes, tuple(found), bracketed, stalled, done)

    start = Search(
        jnp.zeros((), jnp.int32),
        first,
        jnp.stack([zero, zero]),
        jnp.stack([value, value]),
        jnp.stack([slope, slope]),
        tuple(jnp.stack([at, at]) for at in found),
        *(jnp.zeros((), bool) for _ in range(3)),
    )
    end = jax.lax.while_loop(lambda s: ~s.done & (s.tried <= LONGEST), advance, start)
    last = (end.done & ~end.bracketed) | ~(end.values[0] <= end.values[1])
    size, *there = (jnp.where(last, pair[1], pair[0]) for pair in (end.places, end.values, *end.found))
    return size, end.tried, tuple(there)
