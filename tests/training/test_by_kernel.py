"""The engine where one kernel carries out a lane, beside the same engine by XLA."""

import threading

import jax
import numpy as np
import pytest

from downslope import losses
from downslope.core import rounds
from downslope.core.compiled import is_compiled
from downslope.core.primitive import registered
from downslope.core.rounds import BLOCK, KERNEL
from downslope.core.work import ARITHMETIC
from downslope.losses import SquaredError
from downslope.models import Linear, Mlp
from downslope.optimizers import Adam, ScheduleFreeAdamw, Sgd, UniformAveraging
from downslope.penalties import L2
from downslope.training import budget, program
from downslope.training.status import Status
from tests.training.problems import Lane, bits, fold, recipe, rmse_of, run, trainer


@pytest.fixture(autouse=True)
def ours():
    """Without the kernel there is nothing to test here."""
    if not registered(KERNEL):
        pytest.skip("the kernels were not compiled on this machine")


@pytest.fixture
def by_xla(monkeypatch):
    """A function that runs lanes without the kernel."""

    def made(*given, **settings):
        with monkeypatch.context() as patch:
            patch.setattr(program, "plan", lambda *_: None)
            bundle = run(*given, **settings)
        assert bundle.program.plan is None
        return bundle

    return made


def assert_near(mine, other):
    """The same but for last digits."""
    assert mine.program.plan is not None
    for one, two in zip(mine.trained, other.trained, strict=True):
        assert (one.status, one.diverged_after, len(one.train_loss)) == (two.status, two.diverged_after, len(two.train_loss))
        np.testing.assert_allclose(one.train_loss, two.train_loss, rtol=2e-4)
        np.testing.assert_allclose(one.best.scores, two.best.scores, rtol=2e-4)
        for leaf, theirs in zip(jax.tree.leaves(one.best.kept), jax.tree.leaves(two.best.kept), strict=True):
            np.testing.assert_allclose(leaf, theirs, rtol=2e-3, atol=2e-4)


MODELS = [Linear(), Mlp(widths=(16,))]
OPTIMIZERS = [
    Adam(learning_rate=0.03),
    ScheduleFreeAdamw(learning_rate=0.03),
    UniformAveraging(Sgd(learning_rate=0.03)),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda each: each.name)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_runs_come_to_the_same(by_xla, model, optimizer):
    """With an unfilled block of lanes, an optimizer that shows other parameters, a penalty, and calls of two rounds."""
    folds = [fold(60, BLOCK + 30), fold(60, BLOCK + 9, seed=1)]
    lanes = [Lane(recipe(0.0, optimizer, SquaredError(), model, L2(0.01)), place, 5) for place in (0, 1, 1)]
    assert_near(*(go(trainer(model, folds, epochs=4, pieces=2), lanes) for go in (run, by_xla)))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_lane_diverges_where_it_does_by_xla(by_xla, model):
    """In the middle of a call; its neighbours go on."""
    lanes = [Lane(recipe(0, Sgd(learning_rate=rate), SquaredError(), model), 0, 5) for rate in (0.01, 3.0, 1e30)]
    mine, other = (go(trainer(model, epochs=30), lanes) for go in (run, by_xla))
    assert_near(mine, other)
    assert [lane.status for lane in mine.trained] == [Status.OK, Status.DIVERGED, Status.DIVERGED]
    assert mine.cut.calls == 1 and 0 < len(mine.trained[1].train_loss) < 30


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_rounds_that_take_several_calls(by_xla, model, monkeypatch):
    monkeypatch.setattr(budget, "CALL_BYTES", 400)
    lanes = [Lane(recipe(rate, model=model), place, 5) for place in (0, 1) for rate in (0.01, 0.1)]
    mine, other = (go(trainer(model, epochs=3), lanes) for go in (run, by_xla))
    assert mine.program.shape.calls > 1
    assert_near(mine, other)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_bits_depend_on_no_neighbour_and_no_pause(model):
    lanes = [Lane(recipe(rate, model=model), place, seed) for place in (0, 1) for seed in (5, 6) for rate in (0.01, 1e30, 0.1)]
    train = trainer(model, epochs=6, pieces=3)
    whole = run(train, lanes)
    assert whole.program.plan is not None and whole.cut.calls == 3
    for number in (0, 4, 8):
        assert bits(run(train, [lanes[number]]).trained[0]) == bits(whole.trained[number])
    first = train.bundle(lanes, 16, None, rmse_of(train))
    next(iter(first))
    first.stop([0])
    for _ in first:
        pass
    assert bits(first.trained[2]) == bits(whole.trained[2])
    assert bits(run(train, lanes[::-1]).trained[0]) == bits(whole.trained[-1])


def test_full_batches(by_xla):
    """Not with Adam: a run starts at the best constant, where the bias has no slope but in its last digits."""
    lanes = [Lane(recipe(0, Sgd(learning_rate=0.1), model=Linear()), place, 5) for place in (0, 1)]
    assert_near(*(go(trainer(Linear(), epochs=12), lanes, None) for go in (run, by_xla)))


def test_what_the_kernel_does_not_know_is_left_to_xla():
    """Layers of other widths, and dropout."""
    for model in (Mlp(widths=(8,)), Mlp(widths=(16,), dropout=0.5)):
        bundle = run(trainer(model), [Lane(recipe(model=model), 0, 5)])
        assert bundle.program.plan is None and bundle.trained[0].status is Status.OK


def test_as_many_calls_are_at_work_as_there_are_devices():
    """Each waits here until the other one has begun. No bit changes."""
    model, folds = Mlp(widths=(16,)), [fold(60), fold(60, seed=1)]
    lanes = [Lane(recipe(rate, model=model), place, 5) for rate in (0.01, 0.1) for place in (0, 1)]
    alone = [bits(lane) for one in lanes for lane in run(trainer(model, folds), [one]).trained]
    train = trainer(model, folds)
    bundle = train.bundle(lanes, 16, None, rmse_of(train))
    call, meeting = bundle.program.compiled[True], threading.Barrier(2, timeout=60)
    bundle.program.compiled[True] = lambda *given: (meeting.wait(), call(*given))[1]
    for _ in bundle:
        pass
    assert (len(bundle.waves), bundle.cut.calls, bundle.program.shape.places) == (2, 1, 1)
    assert [bits(lane) for lane in bundle.trained] == alone


def test_every_call_is_like_the_one_that_was_rehearsed(monkeypatch):
    """JAX has others wait for the first call with arguments that are placed in another way, or only say so in another way."""
    monkeypatch.setattr(budget, "CALL_BYTES", 400)
    train = trainer(Linear(), epochs=2)
    bundle = train.bundle([Lane(recipe(0.01, model=Linear()), place, 5) for place in (0, 1)], 16, None, rmse_of(train))
    start, seen = bundle.program.start, []

    def starting(*given):
        wanted = jax.tree.leaves(bundle.program.arguments(given[4] is not None))
        assert [each.sharding for each in jax.tree.leaves(given[:5])] == [each.sharding for each in wanted]
        assert all(each.committed for each in jax.tree.leaves(given[:5]))
        seen.append(given[4] is not None)
        return start(*given)

    monkeypatch.setattr(bundle.program, "start", starting)
    for _ in bundle:
        pass
    assert len(seen) == 2 * bundle.cut.calls and set(seen) == {True, False}


@pytest.mark.parametrize(
    "name", [n for n, kind in losses.catalogue.items() if kind.about.default and kind.about.task != "multiclass"]
)
def test_what_a_default_loss_makes_of_a_batch_is_compiled(monkeypatch, name):
    """Also for the rows that are scored, and whatever the model."""
    scripts, made = [], rounds.script
    monkeypatch.setattr(rounds, "script", lambda *given: scripts.append(made(*given)) or scripts[-1])
    for model in (Linear(), Mlp(widths=(16, 32))):
        scripts.clear()
        trainer(model, [fold(rows=60, stop=BLOCK)]).compiled(recipe(model=model, loss=losses.catalogue[name]()), 1, 40)
        texts = [work.text for each in scripts for work in each.each if work.code == ARITHMETIC and work.text[0] in (40, BLOCK)]
        assert len(texts) == 2 and all(is_compiled(text[1:]) for text in texts)
