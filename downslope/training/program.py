"""The compiled program: advances the blocks of lanes on each device by some rounds of training."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from downslope.core import tree
from downslope.core.rounds import Plan, Run, rounds
from downslope.core.types import Params, State
from downslope.optimizers.base import gradients_per_step, searching
from downslope.training.by_kernel import plan
from downslope.training.many_rows import Batch, by_parts
from downslope.training.step import Recipe, batch_loss, factors, handed_on, scored, update, without_penalty
from downslope.training.stream import memory
from downslope.training.workers import workers

FEW_ROWS = 1024  # of a round; linear models are the default below
SINGLES = 4  # updates in one turn of the loop where each sees one example: the loop around it costs as much
BY_KERNEL = " by one kernel, so that there is hardly anything to compile"
COMPILED: list[str] = []
"""One line for each program compiled in this process, so that tests can count them."""


class Carry(NamedTuple):
    """What a lane takes from one chunk to the next. `fresh` asks for the optimizer's first state."""

    params: Params
    state: State
    step: jax.Array
    fresh: jax.Array
    alive: jax.Array
    seed: jax.Array


class Round(NamedTuple):
    """What a lane reports after each round: losses, scores on the stopping slice, the parameters that gave them.

    A device call that ends within a round reports no more than its steps' losses, and whether they were finite.
    """

    train_loss: jax.Array
    good_steps: jax.Array
    alive: jax.Array
    stop_loss: Any = None
    stop_raw: Any = None
    params: Params = None


class Shape(NamedTuple):
    """The shape of a program: everything but the recipe's structure that makes JAX compile anew.

    A chunk is `rounds` rounds of `steps` updates, or one of the `calls` parts of a round that is too long for a chunk. Its
    batches of `batch` rows lie one after another and repeat after `period` of them. `stop` counts the rows of the stopping
    slice, `labels` says whether targets are class indices, `random` whether the model needs a key (dropout).
    Each device has `blocks` blocks of `block` lanes, which are advanced at once or in `turns`; or all devices together have one
    block, and each adds up its `parts` of the batch. A kernel in the program's place knows one device, on which the blocks of
    several calls are at work.
    """

    devices: int
    blocks: int
    block: int
    rounds: int
    steps: int
    calls: int
    period: int
    batch: int
    stop: int
    features: int
    outputs: int
    labels: bool
    random: bool
    turns: bool = False
    parts: bool = False

    @property
    def places(self) -> int:
        """Blocks on all devices."""
        return 1 if self.parts else self.devices * self.blocks


def advance(shape: Shape, recipe: Recipe, carry: Carry, total: jax.Array, data: Batch, stop: Batch | None) -> tuple[Carry, Round]:
    """One lane through `shape.rounds` rounds of `shape.steps` updates, a report after each; within a round without `stop`.

    A lane whose parameters leave the finite numbers keeps those of its last good round and stays there. An optimizer that
    searches pays for every gradient it looks at: its next update waits until as many steps have passed, and an update that
    would go beyond the end of the run is not made.
    """
    optimizer = recipe.optimizer
    searches = gradients_per_step(optimizer) is None
    unroll = SINGLES if shape.batch == 1 else 1
    first = optimizer.init(carry.params)
    carry = carry._replace(state=tree.map(lambda new, old: jnp.where(carry.fresh, new, old), first, carry.state))

    def one_step(alive: jax.Array, inner: tuple[Params, State], now: tuple[Any, ...]) -> tuple[tuple[Params, State], jax.Array]:
        place, step, scheduled = now
        batch = Batch(*(jax.lax.dynamic_index_in_dim(part, place, keepdims=False) for part in data))
        key = jax.random.fold_in(jax.random.key(carry.seed), step) if shape.random else None
        adding = partial(by_parts, alive=alive, devices=shape.devices) if shape.parts else None
        if not searches:
            params, state, loss = update(recipe, *inner, batch, scheduled, key, adding)
            return (params, state), loss

        def search() -> tuple[tuple[Params, State], jax.Array]:
            params, state, loss = update(recipe, *inner, batch, scheduled, key, adding)
            within = searching(optimizer, state).evaluations <= total
            return tree.map(lambda new, old: jnp.where(within, new, old), (params, state), inner), loss

        def rest() -> tuple[tuple[Params, State], jax.Array]:
            ended = None if shape.random else handed_on(optimizer, inner[1])
            loss = batch_loss(recipe, inner[0], batch, key) if ended is None else without_penalty(recipe, inner[0], ended.loss)
            return inner, loss

        return jax.lax.cond(searching(optimizer, inner[1]).evaluations <= step, search, rest)

    def one_round(before: Carry, number: jax.Array) -> tuple[Carry, Round]:
        # Counted apart from the lane's own steps, so that the lanes of a block read one batch and not a copy each.
        places = (number * shape.steps + jnp.arange(shape.steps)) % shape.period
        steps = before.step + jnp.arange(shape.steps)
        ahead = jax.vmap(lambda step: factors(recipe, step, total))(steps)
        stepping = partial(one_step, before.alive)
        (params, state), losses = jax.lax.scan(stepping, (before.params, before.state), (places, steps, ahead), unroll=unroll)
        shown = optimizer.evaluate_at(state, params)
        finite = jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(shown)]).all()
        alive = before.alive & finite & jnp.all(jnp.isfinite(losses))
        after = before._replace(params=params, state=state, alive=alive)
        after = tree.map(lambda new, old: jnp.where(alive, new, old), after, before._replace(alive=alive))
        after = after._replace(step=before.step + shape.steps)
        part = Round(jnp.mean(losses), jnp.sum(jnp.isfinite(losses)), alive)
        if stop is None:
            return after, part
        raw, stop_loss = scored(recipe._replace(label_smoothing=None), shown, stop)
        return after, part._replace(stop_loss=stop_loss, stop_raw=raw, params=shown)

    carry, rounds = jax.lax.scan(one_round, carry, jnp.arange(shape.rounds))
    return carry._replace(fresh=jnp.zeros_like(carry.fresh)), rounds


def idle(work: Callable[..., tuple[Carry, Round]]) -> Callable[..., tuple[Carry, Round]]:
    """What takes the place of `work` where no lane is alive: the same carry, and a report of zeros."""

    def rest(recipe: Recipe, carry: Carry, *others: Any) -> tuple[Carry, Round]:
        _, rounds = jax.eval_shape(work, recipe, carry, *others)
        return carry, tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), rounds)

    return rest


def one_carry(shape: Shape, recipe: Recipe) -> Carry:
    """Shapes of one lane's carry."""

    def build() -> Carry:
        params = recipe.model.init(jax.random.key(0), shape.features, shape.outputs)
        flag = jnp.zeros((), bool)
        return Carry(params, recipe.optimizer.init(params), jnp.zeros((), jnp.int32), flag, flag, jnp.zeros((), jnp.uint32))

    return jax.eval_shape(build)


def batch_shapes(shape: Shape, *rows: int) -> Batch:
    """Shapes of so many rows."""
    target = jnp.int32 if shape.labels else jnp.float32
    kinds = ((*rows, shape.features), jnp.float32), (rows, target), (rows, jnp.float32)
    return Batch._make(jax.ShapeDtypeStruct(*kind) for kind in kinds)


def planned(shape: Shape, recipe: Recipe, carry: Carry) -> Plan | None:
    """What the kernel is told that takes the place of `advance`, where it can."""
    if shape.parts or shape.blocks > 1:
        return None
    batch, stop = (batch_shapes(shape, rows) for rows in (shape.batch, shape.stop))
    return plan(recipe, Run(*carry[:5]), batch, stop)


class Program:
    """`advance`, compiled once for a recipe's structure and a shape, for all blocks of lanes; or a kernel in its place (0023).

    Every argument has a leading axis of `shape.places`, the blocks of all devices; recipes, carries and reports a second one of
    `block`. The lanes of a block share their batches. A lane that is alone on its device, or has its turn, runs unbatched, so
    its bits cannot depend on a neighbour. Where no lane of a device is alive, nothing is computed.
    """

    def __init__(self, shape: Shape, recipe: Recipe) -> None:
        carry = one_carry(shape, recipe)
        self.plan = planned(shape, recipe, carry)
        self.shape = shape = shape if self.plan is None else shape._replace(devices=1)
        self.at_once = 1 if self.plan is None else jax.device_count()
        self.mesh = Mesh(np.array(jax.devices()[: shape.devices]), ("device",))
        # JAX calls what a single device has made not split. Said in another way of what is given, it would be another first call.
        self.spec = PartitionSpec() if shape.parts or shape.devices == 1 else PartitionSpec("device")
        self.sharding = NamedSharding(self.mesh, self.spec)
        self.whole = NamedSharding(self.mesh, PartitionSpec())
        self.recipe_shapes = tree.map(lambda leaf: self.abstract((shape.places, shape.block), jnp.float32), recipe)
        self.carry_shapes = self.lead(carry, (shape.places, shape.block))
        self.recipe, self.hidden = recipe, recipe.model.hidden
        self.compiled: dict[bool, Any] = {}

    @property
    def short(self) -> bool:
        """Whether the runs are over before a compiler that takes its time pays: a linear model on few rows (0019)."""
        return self.hidden == 0 and self.shape.calls * self.shape.steps * self.shape.batch <= FEW_ROWS

    def abstract(self, shape: tuple[int, ...], dtype: Any) -> jax.ShapeDtypeStruct:
        """An array's shape and type, spread over the devices."""
        return jax.ShapeDtypeStruct(shape, dtype, sharding=self.sharding)

    def lead(self, shapes: Any, axes: tuple[int, ...]) -> Any:
        """The same shapes with leading axes."""
        return tree.map(lambda leaf: self.abstract((*axes, *leaf.shape), leaf.dtype), shapes)

    def batch_shapes(self, *rows: int) -> Any:
        """Shapes of a `Batch` of rows, one for each block."""
        return self.lead(batch_shapes(self.shape, *rows), (self.shape.places,))

    def compile(self) -> "Program":
        """Traces and compiles what ends a round, and what does not where a round is too long; a second call does nothing."""
        for ends in (True, False) if self.shape.calls > 1 else (True,):
            if ends not in self.compiled:
                made = self.build(ends)
                if self.plan is not None:
                    self.rehearse(made, ends)
                self.compiled[ends] = made
                COMPILED.append(f"{self.shape}{BY_KERNEL if self.plan else ''}")
        return self

    def arguments(self, ends: bool) -> tuple[Any, ...]:
        """Shapes of what a device call is given."""
        batches, stop = self.batch_shapes(self.shape.period, self.shape.batch), self.batch_shapes(self.shape.stop)
        total = jax.ShapeDtypeStruct((), jnp.float32, sharding=self.whole)
        return self.recipe_shapes, self.carry_shapes, total, batches, stop if ends else None

    def rehearse(self, made: Any, ends: bool) -> None:
        """Calls the kernel for lanes that are not alive, for JAX's first call of a program has all others wait until it is over.
        Nobody looks at the rows, so they take no memory."""
        _, carry, total, *rows = self.arguments(ends)
        recipe = tree.map(lambda leaf, value: np.full(leaf.shape, value, leaf.dtype), self.recipe_shapes, self.recipe)
        carry, total = tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), (carry, total))
        rows = tree.map(lambda leaf: memory(leaf.shape, leaf.dtype), rows)
        made(*jax.device_put((recipe, carry, total, *rows), (self.sharding, self.sharding, self.whole, *[self.sharding] * 2)))

    def build(self, ends: bool) -> Any:
        """The compiled program of a device call that ends a round, or of one that does not and sees no stopping slice."""
        shape = self.shape

        # Compiled within itself, each is traced once for both branches of a condition.
        one = jax.jit(partial(advance, shape), inline=True)

        def block(recipe: Recipe, carry: Carry, *rest: Any) -> tuple[Carry, Round]:
            if shape.turns:
                return jax.lax.map(lambda lane: jax.lax.cond(lane[1].alive, one, idle(one), *lane, *rest), (recipe, carry))
            if shape.block > 1:
                return jax.vmap(lambda *lane: one(*lane, *rest))(recipe, carry)
            recipe, carry = tree.map(lambda leaf: leaf[0], (recipe, carry))
            return tree.map(lambda leaf: leaf[None], one(recipe, carry, *rest))

        blocks = jax.jit(block if shape.blocks == 1 else jax.vmap(block, in_axes=(0, 0, None, 0, 0)), inline=True)

        def on_device(recipe: Recipe, carry: Carry, total: jax.Array, data: Batch, stop: Batch | None) -> tuple[Carry, Round]:
            if self.plan is not None:
                return self.by_kernel(self.plan, recipe, carry, total, data, stop)
            if shape.blocks == 1:
                recipe, carry, data, stop = tree.map(lambda leaf: leaf[0], (recipe, carry, data, stop))
            if shape.turns:
                result = blocks(recipe, carry, total, data, stop)
            else:  # a device without a living lane leaves its core to the others
                result = jax.lax.cond(jnp.any(carry.alive), blocks, idle(blocks), recipe, carry, total, data, stop)
            return tree.map(lambda leaf: leaf[None], result) if shape.blocks == 1 else result

        spec = self.spec
        spread = jax.shard_map(
            on_device, mesh=self.mesh, in_specs=(spec, spec, PartitionSpec(), spec, spec), out_specs=spec, check_vma=False
        )
        # Each core has a lane of its own: splitting one small product among them would wake a thread for every step.
        cpu = self.mesh.devices.flat[0].platform == "cpu"
        options: dict[str, str | bool] = {"xla_cpu_multi_thread_eigen": False} if cpu else {}
        if cpu and (self.short or self.plan is not None):
            options["xla_cpu_use_fusion_emitters"] = False
        return jax.jit(spread, donate_argnums=(1,)).lower(*self.arguments(ends)).compile(compiler_options=options)

    def by_kernel(
        self, plan: Plan, recipe: Recipe, carry: Carry, total: jax.Array, data: Batch, stop: Batch | None
    ) -> tuple[Carry, Round]:
        """The same by the kernel, for the lanes of a device one after another."""
        run, report = rounds(plan, recipe, total, Run(*carry[:5]), data, stop, self.shape.rounds, self.shape.steps)
        return Carry(*run, carry.seed), Round(*report)

    def start(
        self, recipe: Recipe, carry: Carry, total: jax.Array, data: Batch, stop: Batch | None, alone: bool = False
    ) -> Future[tuple[Carry, Round]]:
        """Starts one device call; the given carry's memory is used again. XLA has its caller wait for a kernel, which it may do
        where the call is `alone`: a thread of its own would first have to be given its turn by Python."""
        call, given = self.compile().compiled[stop is not None], (recipe, carry, total, data, stop)
        if self.plan is not None and not alone:
            return workers().submit(call, *given)
        started: Future[tuple[Carry, Round]] = Future()
        started.set_result(call(*given))
        return started
