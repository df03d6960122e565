"""How programs are traced and what the compiler is asked for; nothing is compiled here."""

import jax
import pytest

from downslope.losses import Quantile
from downslope.models import Linear, Mlp
from downslope.optimizers import Adam, Sgd
from downslope.training import by_kernel, program, step
from downslope.training.program import FEW_ROWS, Program
from tests.training.problems import fold, recipe, trainer

EMITTERS = "xla_cpu_use_fusion_emitters"


@pytest.fixture
def asked(monkeypatch):
    """What the compiler was asked for, program by program, in place of compiling."""
    options = []
    monkeypatch.setattr(jax.stages.Lowered, "compile", lambda self, compiler_options: options.append(compiler_options))
    monkeypatch.setattr(program, "COMPILED", [])
    return options


def made(model, rows: int = 60, batch: int | None = 16):
    """A program for some training rows, traced."""
    train = trainer(model, [fold(rows)])
    return Program(train.shape(recipe(model=model), 1, batch), recipe(model=model)).compile()


@pytest.fixture
def without(monkeypatch):
    """Without the kernel that takes the place of XLA."""
    monkeypatch.setattr(program, "plan", lambda *_: None)


@pytest.mark.parametrize("model", [Mlp(widths=(16,)), Linear()], ids=["mlp", "linear"])
def test_a_program_is_traced_once(asked, without, monkeypatch, model):
    seen, advance = [], program.advance
    monkeypatch.setattr(program, "advance", lambda *given: seen.append(1) or advance(*given))
    made(model)
    assert len(seen) == len(asked) == 1


@pytest.mark.parametrize("model", [Mlp(widths=(16,)), Linear()], ids=["mlp", "linear"])
def test_for_the_kernel_a_step_is_traced_once_and_nothing_else(asked, monkeypatch, model):
    seen = []
    one_step = by_kernel.step
    monkeypatch.setattr(by_kernel, "step", lambda *given: seen.append("step") or one_step(*given))
    monkeypatch.setattr(program, "advance", lambda *given: seen.append("advance"))
    monkeypatch.setattr(Program, "rehearse", lambda *_: None)  # there is nothing to call: the compiler was not asked
    found = made(model)
    if found.plan is None:
        pytest.skip("the kernels were not compiled on this machine")
    assert seen == ["step"] and len(asked) == 1
    assert asked[0][EMITTERS] is False, "there is nothing that its time would be worth"


def test_another_optimizer_s_program_finds_loss_and_gradient_traced(asked, monkeypatch):
    """A loss of its own, so that no other test has had it traced."""
    seen, mean_loss = [], step.mean_loss
    monkeypatch.setattr(step, "mean_loss", lambda *given: seen.append(1) or mean_loss(*given))
    monkeypatch.setattr(Program, "rehearse", lambda *_: None)

    def traced(optimizer, level) -> int:
        model = Mlp(widths=(16,))
        its = recipe(optimizer=optimizer, loss=Quantile(level), model=model)
        Program(trainer(model, [fold(61)]).shape(its, 1, 16), its).compile()
        return len(seen)

    first = traced(Adam(learning_rate=0.01), 0.25)
    assert first > 0
    assert traced(Sgd(learning_rate=0.1), 0.75) == first, "neither another optimizer nor another number asks for more"


def test_linear_models_on_few_rows_are_compiled_in_a_hurry(asked, without):
    made(Linear())
    made(Linear(), rows=60, batch=None)
    made(Mlp(widths=(8,)))
    made(Linear(), rows=FEW_ROWS + 16)
    assert [options.get(EMITTERS) for options in asked] == [False, False, None, None]
