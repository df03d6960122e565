"""A loss and an optimizer alone, in a training loop of your own: nothing but JAX around them."""

import jax
import jax.numpy as jnp

from downslope.losses import Huber
from downslope.optimizers import Adam
from downslope.schedules import Cosine

key_x, key_noise = jax.random.split(jax.random.key(0))
x = jax.random.normal(key_x, (256, 3))
truth = jnp.array([1.0, -2.0, 0.5])
y = x @ truth + 0.1 * jax.random.normal(key_noise, (256,))
y = y.at[:10].add(50.0)  # a few wild targets, which Huber does not follow

loss, fall = Huber(delta=1.0), Cosine()
params = {"weight": jnp.zeros(3), "bias": jnp.zeros(())}


def mean_loss(params):
    """The mean over all rows: a loss gives one value for each."""
    return jnp.mean(loss(x @ params["weight"] + params["bias"], y))


def train(optimizer, params):
    """Two hundred steps; the optimizer's change is added to the parameters."""

    def step(carry, number):
        params, state = carry
        now = optimizer.scaled(learning_rate=fall(number, 200))  # any number may fall, not the rate alone
        change, state = now.update(jax.grad(mean_loss)(params), state, params)
        return (jax.tree.map(jnp.add, params, change), state), None

    (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), jnp.arange(200))
    return params


print("one learning rate:", train(Adam(learning_rate=0.05), params)["weight"].round(2))

# The same object with an array in it is a whole sweep.
rates = jnp.array([0.001, 0.01, 0.1])
swept = jax.vmap(train, in_axes=(0, None))(Adam(learning_rate=rates).lanes(), params)
for rate, weight in zip(rates, swept["weight"], strict=True):
    print(f"rate {rate:.3f}: distance to the truth {jnp.linalg.norm(weight - truth):.3f}")
