"""The whole loop against a plain one in NumPy, float64: order, weights, schedule, penalty, start."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

from downslope.losses import CrossEntropy
from downslope.losses.base import Loss
from downslope.models import Mlp
from downslope.optimizers import ClipByGlobalNorm, Lbfgs, Momentum, Sam, Sgd, UniformAveraging
from downslope.optimizers.base import Here
from downslope.penalties import L2
from downslope.schedules import Linear as LinearSchedule
from downslope.training.orders import order
from downslope.training.step import Batch, update, without_penalty
from downslope.training.stream import Fold
from downslope.training.trainer import Trainer
from tests.training.problems import COMPILER, Lane, Linear, SquaredError, fold, recipe, run, trainer


def by_hand(part: Fold, *, rate, epochs, batch, seed, momentum=0.0, l2=0.0, clip=np.inf, average_from=None):
    """Weighted least squares by mini-batches, written out. With `average_from` the momentum falls with the rate."""
    x, y, weight = (np.asarray(each, np.float64) for each in (part.x, part.y, part.weight))
    w, b = np.zeros(x.shape[1]), np.average(y, weights=weight)
    vw, vb, step = np.zeros_like(w), 0.0, 0
    batches, path = -(-len(x) // batch), []
    for epoch in range(epochs):
        rows, share = order(len(x), batches, batch, seed, epoch)
        for place in range(batches):
            mine = rows[place][share[place] > 0]
            error = x[mine] @ w + b - y[mine]
            own = weight[mine] / weight[mine].sum()
            gw, gb = 2 * x[mine].T @ (own * error) + l2 * w, 2 * np.sum(own * error)
            short = min(1.0, clip / np.sqrt(gw @ gw + gb**2))
            fall = 1 - step / (epochs * batches)
            kept = momentum if average_from is None else momentum * fall
            vw, vb = kept * vw + short * gw, kept * vb + short * gb
            w, b, step = w - rate * fall * vw, b - rate * fall * vb, step + 1
            path.append((w, b))
    if average_from is None:
        return w, b
    return tuple(np.mean([point[part] for point in path[average_from:]], axis=0) for part in (0, 1))


def engine(part: Fold, optimizer, *, epochs, batch, seed, penalty=None, schedule=None):
    """The same by the engine."""
    train = trainer(Linear(), [part], epochs)
    made = recipe(0.0, optimizer, SquaredError(), Linear(), penalty)
    lane = Lane(made if schedule is None else made._replace(schedule=schedule), 0, seed)
    bundle = run(train, [lane], batch)
    assert bundle.trained[0].best.epoch == epochs - 1, "the comparison below is with the last epoch"
    layer = bundle.trained[0].params["layers"][0]
    return layer["weight"][:, 0], layer["bias"][0]


def check_agreement(mine, truth):
    np.testing.assert_allclose(mine[0], truth[0], rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(mine[1], truth[1], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(("batch", "rate"), [(16, 0.02), (1, 0.001)])
def test_sgd_with_a_falling_rate(batch, rate):
    """A batch of 1 too: four updates a turn of the loop, and two left over, in the order of the examples."""
    part = fold(rows=50)
    check_agreement(
        engine(part, Sgd(learning_rate=rate), epochs=5, batch=batch, seed=3),
        by_hand(part, rate=rate, epochs=5, batch=batch, seed=3),
    )


def test_a_step_on_one_example_asks_for_no_matrix_product():
    params = Linear().init(jax.random.key(0), 3, 2)
    primitives = {str(each.primitive) for each in jax.make_jaxpr(Linear().apply)(params, jnp.ones((1, 3))).eqns}
    assert "dot_general" not in primitives and "reduce_sum" in primitives


def test_weights_and_momentum():
    part = fold(rows=50)
    weight = np.random.default_rng(1).integers(0, 3, 50).astype(np.float32)
    part = Fold(part.x, part.y, weight, part.stop_x, part.stop_y, part.stop_weight)
    check_agreement(
        engine(part, Momentum(learning_rate=0.005, momentum=0.8), epochs=5, batch=16, seed=3),
        by_hand(part, rate=0.005, epochs=5, batch=16, seed=3, momentum=0.8),
    )


def test_a_penalty_joins_the_gradient_of_weights_only():
    part = fold(rows=50)
    check_agreement(
        engine(part, Sgd(learning_rate=0.02), epochs=5, batch=16, seed=3, penalty=L2(strength=0.5)),
        by_hand(part, rate=0.02, epochs=5, batch=16, seed=3, l2=0.5),
    )


def test_several_settings_fall_gradients_are_clipped_and_the_average_predicts():
    part, fall = fold(rows=50), LinearSchedule()
    around = UniformAveraging(ClipByGlobalNorm(Momentum(learning_rate=0.02, momentum=0.8), limit=0.5), start=12)
    both = {"learning_rate": fall, "momentum": fall}
    check_agreement(
        engine(part, around, epochs=5, batch=16, seed=3, schedule=both),
        by_hand(part, rate=0.02, epochs=5, batch=16, seed=3, momentum=0.8, clip=0.5, average_from=12),
    )


def test_rows_of_weight_zero_are_as_good_as_absent():
    part = fold(rows=48)
    weight = np.ones(48, np.float32)
    weight[::3] = 0
    wild = np.where(weight == 0, 1e6, part.y).astype(np.float32)
    silent = Fold(part.x, wild, weight, part.stop_x, part.stop_y, part.stop_weight)
    check_agreement(
        engine(silent, Sgd(learning_rate=0.02), epochs=3, batch=48, seed=3),
        by_hand(silent, rate=0.02, epochs=3, batch=48, seed=3),
    )


@pytest.mark.parametrize("batch", [16, 48])
def test_rows_of_weight_zero_reach_nothing_even_where_their_scores_overflow(batch):
    """Not one bit: 0 times infinity would be no number, in the loss as in the gradient by the weights."""
    part = fold(rows=48)
    weight = np.ones(48, np.float32)
    weight[::3] = 0
    calm = Fold(part.x, part.y, weight, part.stop_x, part.stop_y, part.stop_weight)
    wild_x, wild_y = part.x.copy(), part.y.copy()
    wild_x[::3], wild_y[::3] = 3e38, np.inf
    wild = Fold(wild_x, wild_y, weight, part.stop_x, part.stop_y, part.stop_weight)
    found = [engine(each, Sgd(learning_rate=0.02), epochs=3, batch=batch, seed=3) for each in (calm, wild)]
    for ours, theirs in zip(jax.tree.leaves(found[0]), jax.tree.leaves(found[1]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_dropout_silences_units_while_training_and_not_while_scoring():
    train = trainer(Mlp(widths=(8,), dropout=0.5), epochs=2)
    dropped, plain = (
        run(train if rate else trainer(epochs=2), [Lane(recipe(0.01, model=Mlp(widths=(8,), dropout=rate)), 0, 1)]).trained[0]
        for rate in (0.5, 0.0)
    )
    assert dropped.train_loss[0] != plain.train_loss[0]
    layers = dropped.params["layers"]
    hidden = np.maximum(fold().stop_x @ layers[0]["weight"] + layers[0]["bias"], 0)
    raw = (hidden @ layers[1]["weight"] + layers[1]["bias"])[:, 0]
    np.testing.assert_allclose(dropped.stop_raw, raw, rtol=1e-5, atol=1e-6)


FAR = 8.0  # the first size tried is too large, so that searches take several looks


def searched(part: Fold, gradients: int):
    """L-BFGS in a plain loop until its next update would need more gradients than there are: updates and parameters."""
    params, used = {"weight": jnp.zeros((3, 1)), "bias": jnp.full(1, part.y.mean(dtype=np.float64), jnp.float32)}, 0
    looks, method, made = [], Lbfgs(learning_rate=FAR), 0

    def cost(at):
        looks.append(1)
        return jnp.mean(((part.x @ at["weight"])[:, 0] + at["bias"] - part.y) ** 4)

    look, state = jax.value_and_grad(cost), method.init(params)
    with jax.disable_jit():
        loss, gradient = look(params)
        while used < gradients:
            now = method.replace(learning_rate=FAR * (1 - used / gradients))
            change, state = now.update(gradient, state, params, Here(loss, jax.random.key(0), look))
            if len(looks) > gradients:
                break
            params, used, made = jax.tree.map(jnp.add, params, change), len(looks), made + 1
            loss, gradient = state.ended
    return made, params


class Quartic(Loss):
    """Steep and far from a parabola."""

    about = SquaredError.about

    def __call__(self, raw: Float[Array, " rows"], target: Float[Array, " rows"]) -> Float[Array, " rows"]:
        return (raw - target) ** 4

    def best_constant(self, target, weight=None, classes=None):
        return SquaredError().best_constant(target, weight, classes)


@pytest.mark.parametrize("gradients", [7, 16])
def test_every_look_of_a_search_is_paid_for(gradients):
    """L-BFGS under a budget of gradients makes exactly the updates whose gradients it can pay, and no more."""
    part = fold(rows=50)
    train = trainer(Linear(), [part], gradients)
    bundle = run(train, [Lane(recipe(0.0, Lbfgs(learning_rate=FAR), Quartic(), Linear()), 0, 3)], None)
    made, params = searched(part, gradients)
    assert 1 < made < gradients - 2 and bundle.updates(0) == made
    curve = bundle.trained[0].train_loss
    assert len(curve) == gradients and len(set(curve)) in (made, made + 1), "between two updates nothing moves"
    layer = jax.tree.map(lambda leaf: np.asarray(leaf)[0, 0], bundle.carries[0].params)["layers"][0]
    np.testing.assert_allclose(layer["weight"], params["weight"], rtol=2e-3, atol=1e-4)
    np.testing.assert_allclose(layer["bias"], params["bias"], rtol=2e-3, atol=1e-4)


def test_what_a_search_hands_on_is_loss_and_gradient_of_the_next_update():
    """With a penalty too, which the loss that is reported leaves out."""
    part, penalty = fold(rows=50), L2(strength=0.5)
    made = recipe(0.0, Lbfgs(), SquaredError(), Linear(), penalty)
    batch = Batch(*map(jnp.asarray, (part.x, part.y, np.full(50, 0.02, np.float32))))
    params = {"layers": [{"weight": jnp.full((3, 1), 0.4), "bias": jnp.zeros(1)}]}
    state = made.optimizer.init(params)
    for _ in range(3):
        params, state, loss = update(made, params, state, batch, {}, None)
        w, b = (np.asarray(params["layers"][0][name], np.float64) for name in ("weight", "bias"))
        error = part.x @ w[:, 0] + b - part.y
        slope = 2 * part.x.T @ error / 50 + 0.5 * w[:, 0]
        np.testing.assert_allclose(state.ended.loss, np.mean(error**2) + penalty(params), rtol=1e-5)
        np.testing.assert_allclose(state.ended.gradient["layers"][0]["weight"][:, 0], slope, rtol=1e-4, atol=1e-5)
        here = without_penalty(made, params, state.ended.loss)
        np.testing.assert_allclose(here, np.mean(error**2), rtol=1e-5)
    _, _, loss = update(made, params, state, batch, {}, None)
    np.testing.assert_allclose(loss, np.mean(error**2), rtol=1e-5)


def test_two_gradients_an_update_are_paid_for_with_half_the_epochs():
    train = trainer(epochs=6)
    once, twice = (train.cut(optimizer, 1, 16).updates for optimizer in (Sgd(), Sam(optimizer=Sgd())))
    assert once == 2 * twice


def test_smoothed_labels_are_learned_from_and_the_stopping_slice_is_scored_as_it_is():
    draw = np.random.default_rng(2)
    x, y = draw.normal(size=(60, 3)).astype(np.float32), draw.integers(0, 3, 60).astype(np.int32)
    one, classes, amount = np.ones(60, np.float32), 3, 0.3
    part = Fold(x[:40], y[:40], one[:40], x[40:], y[40:], one[40:])
    train = Trainer([part], Linear(), 4, True, COMPILER)
    how = recipe(0.0, Sgd(learning_rate=0.1), CrossEntropy(), Linear())._replace(label_smoothing=amount)
    bundle = train.bundle([Lane(how, 0, 3)], None, classes, lambda fold, raw: -np.arange(1.0, len(raw) + 1))
    for _ in bundle:
        pass
    soft = np.eye(classes)[y[:40]] * (1 - amount) + amount / classes
    w, b = np.zeros((3, classes)), np.log(soft.mean(axis=0))
    losses = []
    for step in range(4):
        raw = x[:40] @ w + b
        log_p = raw - np.log(np.exp(raw).sum(axis=1, keepdims=True))
        losses.append(-(soft * log_p).sum(axis=1).mean())
        slope = (np.exp(log_p) - soft) / 40
        w, b = w - 0.1 * (1 - step / 4) * x[:40].T @ slope, b - 0.1 * (1 - step / 4) * slope.sum(axis=0)
    (found,) = bundle.trained
    layer = found.params["layers"][0]
    check_agreement((layer["weight"], layer["bias"]), (w, b))
    np.testing.assert_allclose(found.train_loss, losses, rtol=1e-5)
    raw = x[40:] @ w + b
    plain = (np.log(np.exp(raw).sum(axis=1)) - raw[np.arange(20), y[40:]]).mean()
    np.testing.assert_allclose(found.best.losses[-1], plain, rtol=1e-5)
