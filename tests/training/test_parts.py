"""Full batches of many rows: all devices work for one lane, and no bit depends on how many they are."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh, PartitionSpec

from downslope.core import added as added_up
from downslope.core.primitive import registered
from downslope.losses import CrossEntropy, Huber
from downslope.models import Mlp
from downslope.optimizers import GradientDescent, Lbfgs
from downslope.training import checkpoint, many_rows, step
from downslope.training.many_rows import Batch, by_parts
from downslope.training.program import COMPILED
from downslope.training.status import Status
from tests.training.problems import Lane, Linear, SquaredError, bits, fold, recipe, rmse_of, run, trainer

ROWS, EPOCHS = 107, 6  # four parts of two blocks of 13 rows, and three rows that fill none
PARTS = [fold(rows=ROWS), fold(rows=ROWS, seed=1)]


def lanes(make):
    """Two rates on two tables."""
    return [
        Lane(recipe(0.0, make(learning_rate=rate), SquaredError(), Linear()), place, 3)
        for place in (0, 1)
        for rate in (0.1, 0.03)
    ]


@pytest.fixture(autouse=True, params=["kernel", "copies"])
def few(request, monkeypatch):
    """Small blocks, read where they lie by our kernel, or copied by XLA."""
    if request.param == "copies":
        monkeypatch.setattr(added_up, "planned", lambda *_: None)
    elif not registered(added_up.KERNEL):
        pytest.skip("the kernels were not compiled on this machine")
    else:
        monkeypatch.setattr(many_rows, "by_copies", None)
    for name, value in {"ROWS": 16, "MANY": 2, "PARTS": 4}.items():
        monkeypatch.setattr(many_rows, name, value)


def added(devices: int, alive: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The sum over all rows of share · (x·w − y)², and its gradient, as `devices` devices add it up."""
    table, share = PARTS[0], np.arange(ROWS, dtype=np.float32) / 1000
    batch = Batch(*map(jnp.asarray, (table.x, table.y, share)))

    def cost(scale: jax.Array, w: jax.Array, part: Batch) -> jax.Array:
        return scale * jnp.sum(part.share * (part.x @ w - part.y) ** 2)

    def whole(w: jax.Array, flag: jax.Array, rows: Batch) -> tuple[jax.Array, jax.Array]:
        return by_parts(jax.value_and_grad(cost, argnums=1), jnp.ones(()), w, rows, flag, devices)

    mesh, spec = Mesh(np.array(jax.devices()[:devices]), ("device",)), PartitionSpec()
    spread = jax.jit(jax.shard_map(whole, mesh=mesh, in_specs=(spec, spec, spec), out_specs=spec, check_vma=False))
    return jax.device_get(spread(jnp.array([0.3, -0.2, 0.5]), jnp.asarray(alive), batch))


def test_parts_add_up_to_the_gradient_of_least_squares():
    """Against NumPy in float64, with rows that fill no block."""
    table, share = PARTS[0], np.arange(ROWS) / 1000
    error = table.x.astype(np.float64) @ [0.3, -0.2, 0.5] - table.y
    loss, slope = added(2)
    np.testing.assert_allclose(loss, np.sum(share * error**2), rtol=1e-5)
    np.testing.assert_allclose(slope, 2 * table.x.T @ (share * error), rtol=1e-5, atol=1e-5)


def test_one_device_and_two_add_up_the_same_bits():
    assert [part.tobytes() for part in added(1)] == [part.tobytes() for part in added(2)]


def test_a_lane_that_is_not_alive_costs_no_block():
    """What is left is the few rows that fill none."""
    assert 0 < added(2, alive=False)[0] < 0.1 * added(2)[0]


def test_a_table_too_long_to_be_one_run_of_numbers_adds_up_to_the_same(monkeypatch):
    wanted = added(2)
    monkeypatch.setattr(many_rows, "COUNTED", ROWS + 1)
    for found, known in zip(added(2), wanted, strict=True):
        np.testing.assert_allclose(found, known, rtol=1e-6)


@pytest.mark.parametrize(("make", "block"), [(GradientDescent, 4), (Lbfgs, 1)])
def test_lanes_on_all_devices_have_bits_of_their_own(monkeypatch, make, block):
    """The same alone and beside others, one of them lost; after a resume; and on one device."""
    train, mine = trainer(Linear(), PARTS, EPOCHS, pieces=3), lanes(make)
    lost = Lane(recipe(0.0, GradientDescent(learning_rate=1e20), SquaredError(), Linear()), 0, 3)
    together = run(train, [*mine, lost] if make is GradientDescent else mine, None)
    shape = together.program.shape
    assert shape.parts and (shape.devices, shape.places, shape.block) == (2, 1, block) and together.cut.calls == 3
    compiled = len(COMPILED)
    wanted = [bits(lane) for lane in together.trained[:4]]
    assert bits(run(train, [mine[2]], None).trained[0]) == wanted[2]
    if make is GradientDescent:
        assert together.trained[4].status is Status.DIVERGED

    first = train.bundle(mine, None, None, rmse_of(train))
    next(iter(first))
    second = train.bundle(mine, None, None, rmse_of(train))
    checkpoint.thaw(second, checkpoint.freeze(first))
    for _ in second:
        pass
    assert [bits(lane) for lane in second.trained] == wanted and len(COMPILED) == compiled

    monkeypatch.setattr(jax, "device_count", lambda: 1)
    alone = run(trainer(Linear(), PARTS, EPOCHS, pieces=3), mine, None)
    assert alone.program.shape.devices == 1 and [bits(lane) for lane in alone.trained] == wanted


def test_gradient_descent_by_parts_is_gradient_descent():
    """Against a plain loop in NumPy, float64."""
    part, rate = PARTS[0], 0.1
    found = run(trainer(Linear(), PARTS, EPOCHS), lanes(GradientDescent)[:1], None).trained[0]
    w, b, losses = np.zeros(3), part.y.mean(dtype=np.float64), []
    for number in range(EPOCHS):
        error = part.x @ w + b - part.y
        losses.append(np.mean(error**2))
        w, b = w - rate * (1 - number / EPOCHS) * 2 * part.x.T @ error / ROWS, b - rate * (1 - number / EPOCHS) * 2 * error.mean()
    np.testing.assert_allclose(found.train_loss, losses, rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "loss"), [(Mlp(widths=(16, 16)), Huber()), (Linear(), CrossEntropy()), (Mlp(widths=(16,)), CrossEntropy())]
)
def test_networks_and_classes_add_up_too(model, loss):
    """To the gradient of all rows at once."""
    table, classes = PARTS[0], 3 if isinstance(loss, CrossEntropy) else 1
    y = (table.y > 0) + 1 * (table.y > 1) if classes > 1 else table.y
    batch = Batch(jnp.asarray(table.x), jnp.asarray(y, jnp.int32 if classes > 1 else jnp.float32), jnp.full(ROWS, 1 / ROWS))
    made = recipe(0.0, GradientDescent(), loss, model)._replace(optimizer=None, schedule=None)
    made, params = jax.tree.map(jnp.float32, made), model.init(jax.random.key(0), 3, classes)
    look = jax.value_and_grad(step.batch_loss, argnums=1)
    mesh, spec = Mesh(np.array(jax.devices()[:2]), ("device",)), PartitionSpec()

    def whole(flag: jax.Array, rows: Batch) -> tuple[jax.Array, Any]:
        return by_parts(look, made, params, rows, flag, 2)

    found = jax.jit(jax.shard_map(whole, mesh=mesh, in_specs=(spec, spec), out_specs=spec, check_vma=False))(
        jnp.asarray(True), batch
    )
    for mine, truth in zip(jax.tree.leaves(found), jax.tree.leaves(look(made, params, batch)), strict=True):
        np.testing.assert_allclose(mine, truth, rtol=2e-5, atol=2e-6)
