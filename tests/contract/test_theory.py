"""What theorems say about the optimizers, in float64 on problems whose every number is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.optimizers import catalogue
from downslope.optimizers.base import Here
from downslope.optimizers.lbfgs import wolfe
from downslope.optimizers.muon import orthogonal

CURVATURE = np.geomspace(0.01, 1.0, 9)  # of a bowl: condition number 100
L, MU = CURVATURE[-1], CURVATURE[0]
KAPPA = L / MU


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def bowl(x):
    return 0.5 * jnp.sum(CURVATURE * x**2)


def run(optimizer, params, steps, function=bowl, before=None):
    """The parameters before the first and after every update, and the states after every update."""
    look = jax.value_and_grad(function)

    def advance(carry, number):
        params, state = carry
        loss, gradient = look(params)
        now, state = (optimizer, state) if before is None else before(optimizer, state, number)
        change, state = now.update(gradient, state, params, Here(loss, jax.random.key(0), look))
        params = jax.tree.map(jnp.add, params, change)
        return (params, state), (params, state)

    _, (points, states) = jax.jit(lambda: jax.lax.scan(advance, (params, optimizer.init(params)), jnp.arange(steps)))()
    return jax.tree.map(lambda first, rest: np.concatenate([np.asarray(first)[None], rest]), params, points), states


def make(name, **settings):
    return catalogue[name](**settings)


# Gradient descent


def test_gradient_descent_contracts_each_direction_by_its_known_factor():
    rate = 2 / (L + MU)
    points, _ = run(make("gradient_descent", learning_rate=rate), jnp.ones(9), 60)
    factors = (1 - rate * CURVATURE)[None, :] ** np.arange(61)[:, None]
    np.testing.assert_allclose(points, factors, rtol=1e-12, atol=1e-15)
    lengths = np.linalg.norm(points, axis=1)
    assert (lengths[1:] <= (KAPPA - 1) / (KAPPA + 1) * lengths[:-1] * (1 + 1e-12)).all()


@pytest.mark.parametrize(("share", "converges"), [(1.99, True), (2.01, False)])
def test_gradient_descent_diverges_just_beyond_two_over_curvature(share, converges):
    points, _ = run(make("gradient_descent", learning_rate=share / L), jnp.ones(9), 1000)
    steepest = np.abs(points[:, -1])
    assert (steepest[-1] < 1e-4) == converges and (steepest[-1] > 1e4) != converges


# Momentum


def test_heavy_ball_reaches_its_rate():
    """With the best parameters the error falls by (sqrt(kappa) - 1) / (sqrt(kappa) + 1) a step, far below descent's rate."""
    root = np.sqrt(KAPPA)
    rate, momentum = 4 / (np.sqrt(L) + np.sqrt(MU)) ** 2, ((root - 1) / (root + 1)) ** 2
    points, _ = run(make("momentum", learning_rate=rate, momentum=momentum), jnp.ones(9), 200)
    lengths = np.linalg.norm(points, axis=1)
    measured = (lengths[200] / lengths[100]) ** (1 / 100)
    promised = (root - 1) / (root + 1)
    assert abs(measured - promised) < 0.02
    assert measured < ((KAPPA - 1) / (KAPPA + 1)) ** 5


def test_nesterov_stays_below_its_bound():
    """On the worst convex quadratic, with the growing momentum of 1983: f(x_k) - f* <= 2 L |x_0 - x*|^2 / (k + 1)^2."""
    size, steps = 200, 90
    chain = 2 * np.eye(size) - np.eye(size, k=1) - np.eye(size, k=-1)
    steepest = 4.0

    def worst(x):
        return 0.5 * x @ jnp.asarray(chain) @ x - x[0]

    best = np.linalg.solve(chain, np.eye(size)[0])
    times = [1.0]
    for _ in range(steps + 1):
        times.append((1 + np.sqrt(1 + 4 * times[-1] ** 2)) / 2)
    momenta = jnp.array([(times[k] - 1) / times[k + 1] for k in range(steps + 1)])

    def growing(optimizer, state, number):
        # The ball keeps the momentum of this step and looks ahead by that of the next.
        share = momenta[number] / momenta[number + 1]
        return optimizer.replace(momentum=momenta[number + 1]), state._replace(velocity=share * state.velocity)

    def gaps(points):
        landed = points[:-1] - np.asarray(jax.vmap(jax.grad(worst))(jnp.asarray(points[:-1]))) / steepest
        return np.array([float(worst(x)) for x in landed]) - float(worst(best))

    fast, _ = run(make("nesterov", learning_rate=1 / steepest), jnp.zeros(size), steps, worst, growing)
    slow, _ = run(make("gradient_descent", learning_rate=1 / steepest), jnp.zeros(size), steps, worst)
    bound = 2 * steepest * np.sum(best**2) / (np.arange(1, steps + 1) + 1) ** 2
    assert (gaps(fast) <= bound).all()
    assert gaps(fast)[-1] < 0.5 * gaps(slow)[-1]


# Averaging, two gradients, and what follows from the loss


@pytest.mark.parametrize("name", ["schedule_free_sgd", "schedule_free_adamw"])
def test_schedule_free_is_the_weighted_average_of_its_descent(name):
    rates = 0.1 * (1 + np.sin(np.arange(80))) + 0.01

    def changing(optimizer, state, number):
        return optimizer.replace(learning_rate=jnp.asarray(rates)[number]), state

    free = make(name, b1=0.8)
    points, states = run(free, jnp.ones(9), 80, before=changing)
    weights = np.maximum.accumulate(rates) ** 2
    average = np.cumsum(weights[:, None] * states.descending, axis=0) / np.cumsum(weights)[:, None]
    seen = jax.vmap(free.evaluate_at)(states, jnp.asarray(points[1:]))
    np.testing.assert_allclose(seen, average, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(points[1:], 0.8 * average + 0.2 * states.descending, rtol=1e-11, atol=1e-13)


def test_schedule_free_at_a_constant_rate_is_the_plain_average():
    free = make("schedule_free_sgd", learning_rate=0.5)
    points, states = run(free, jnp.ones(9), 50)
    plain = np.cumsum(states.descending, axis=0) / np.arange(1, 51)[:, None]
    np.testing.assert_allclose(jax.vmap(free.evaluate_at)(states, jnp.asarray(points[1:])), plain, rtol=1e-11)


def test_sam_is_charged_two_gradients_and_descends_from_the_worst_point_nearby():
    sam = make("sam", optimizer=make("sgd", learning_rate=0.1), radius=0.05)
    assert sam.about.gradients_per_step == 2 and sam.optimizer.about.gradients_per_step == 1
    points, _ = run(sam, jnp.ones(9), 1)
    slope = CURVATURE * points[0]
    above = points[0] + 0.05 * slope / np.linalg.norm(slope)
    np.testing.assert_allclose(points[1], points[0] - 0.1 * CURVATURE * above, rtol=1e-14)


def test_polyak_needs_no_rate_when_everything_can_be_fitted():
    """With the true lowest loss no step leads away from a solution, and it arrives."""
    points, _ = run(make("polyak", learning_rate=1e6, c=1.0), jnp.ones(9), 300)
    lengths = np.linalg.norm(points, axis=1)
    assert (np.diff(lengths) <= 1e-15).all()  # each step comes nearer to every solution: the theorem's first line
    assert lengths[-1] < 1e-2


def valley(x):
    """Rosenbrock's, of nine dimensions."""
    return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_lbfgs_satisfies_strong_wolfe_and_arrives():
    """Every step: enough descent, and a slope along it of at most nine tenths; in the end nothing is left."""
    points, _ = run(make("lbfgs"), jnp.linspace(-1.0, 1.5, 9), 80, valley)
    look = jax.jit(jax.vmap(jax.value_and_grad(valley)))
    values, slopes = (np.asarray(part) for part in look(jnp.asarray(points)))
    moves = np.diff(points, axis=0)
    moving = np.max(np.abs(moves), axis=1) > 1e-6  # below, rounding of the values decides
    before, after = np.sum(slopes[:-1] * moves, 1), np.sum(slopes[1:] * moves, 1)
    assert moving.sum() > 20
    assert (before[moving] < 0).all()
    assert (values[1:] <= values[:-1] + 1e-4 * before)[moving].all()
    assert (np.abs(after) <= 0.9 * np.abs(before))[moving].all()
    assert values[-1] < 1e-15


@pytest.mark.parametrize(
    ("value", "slope", "accepted"),
    [(-1.005e-4, 0.0, True), (-0.995e-4, 0.0, False), (-0.5, -0.8955, True), (-0.5, -0.9045, False), (-0.5, 0.9045, False)],
)
def test_lbfgs_has_the_conditions_of_nocedal_and_wright(value, slope, accepted):
    """Half a per cent inside the limits of 1e-4 and 0.9 the first size is taken, half a per cent outside it is not."""
    looks = []

    def look(size):
        looks.append(1)
        return jnp.asarray(value), jnp.asarray(slope)

    with jax.disable_jit():
        one = jnp.asarray(1.0)
        wolfe(look, one, 0 * one, -one, one)
    assert (len(looks) == 1) == accepted


def test_lbfgs_survives_a_cliff():
    """A loss that is infinite beyond a border and steep before it: the search comes back."""

    def cliff(x):
        return jnp.sum(jnp.where(x < 1, -jnp.log1p(-x), jnp.inf) - 3 * x)

    points, _ = run(make("lbfgs", learning_rate=30.0), jnp.full(3, 0.1), 30, cliff)
    np.testing.assert_allclose(points[-1], np.full(3, 2 / 3), rtol=1e-6)


def test_muon_makes_all_directions_equally_long():
    for shape in ((4, 4), (3, 7), (7, 3)):
        matrix = jnp.asarray(np.sin(1 + np.arange(np.prod(shape))).reshape(shape))
        matrix = matrix + 2 * jnp.eye(*shape)  # no direction is nearly empty
        lengths = np.linalg.svd(orthogonal(matrix), compute_uv=False)
        assert (lengths > 0.6).all() and (lengths < 1.25).all()


def test_muon_scales_by_outputs_over_inputs():
    """A matrix of 2 inputs and 8 outputs takes steps twice as long as the square root of their ratio says for 1 to 1."""
    gradient = jnp.asarray(np.sin(np.arange(16.0)).reshape(2, 8))
    muon = make("muon", learning_rate=1.0, weight_decay=0.0, scale="shape", nesterov=False)
    wide, _ = muon.update(gradient, muon.init(gradient), gradient)
    tall, _ = muon.update(gradient.T, muon.init(gradient.T), gradient.T)
    np.testing.assert_allclose(wide, 2.0 * tall.T, rtol=1e-12)


def test_adafactor_keeps_what_adam_would_where_squares_are_a_product():
    """Rows times columns describe the squares fully, so the factors must give every gradient the size 1."""
    gradient = jnp.outer(jnp.array([1.0, 10.0, 0.1]), jnp.array([2.0, -3.0]))
    adafactor = make("adafactor", learning_rate=0.01)
    change, _ = adafactor.update(gradient, adafactor.init(gradient), jnp.ones((3, 2)))
    np.testing.assert_allclose(change, -0.01 * np.sign(gradient), rtol=1e-12)


# Relatives: one method is another with a setting at its end

FAMILY = [
    ("gradient_descent", {}, "sgd", {}),
    ("momentum", {"momentum": 0.0}, "sgd", {}),
    ("nesterov", {"momentum": 0.0}, "sgd", {}),
    ("adamw", {"weight_decay": 0.0}, "adam", {}),
    ("rmsprop_momentum", {"momentum": 0.0, "decay": 0.9}, "rmsprop", {"decay": 0.9}),
    ("lion", {"b1": 0.7, "b2": 0.7, "weight_decay": 0.0}, "signum", {"momentum": 0.7}),
    ("adam", {"b1": 0.0, "b2": 0.0, "epsilon": 1e-300}, "signum", {"momentum": 0.0}),
]


@pytest.mark.parametrize(("name", "settings", "other", "others"), FAMILY)
def test_relatives_meet(name, settings, other, others):
    left, _ = run(make(name, learning_rate=0.01, **settings), jnp.ones((3, 3)), 20, lambda x: bowl(x.reshape(-1)))
    right, _ = run(make(other, learning_rate=0.01, **others), jnp.ones((3, 3)), 20, lambda x: bowl(x.reshape(-1)))
    np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-15)
