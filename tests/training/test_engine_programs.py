"""How programs are traced and what the compiler is asked for; nothing is compiled here."""

import jax
import pytest

from downslope.models import Linear, Mlp
from downslope.training import program
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


@pytest.mark.parametrize("model", [Mlp(widths=(8,)), Linear()], ids=["mlp", "linear"])
def test_a_program_is_traced_once(asked, monkeypatch, model):
    seen, advance = [], program.advance
    monkeypatch.setattr(program, "advance", lambda *given: seen.append(1) or advance(*given))
    made(model)
    assert len(seen) == len(asked) == 1


def test_linear_models_on_few_rows_are_compiled_in_a_hurry(asked):
    made(Linear())
    made(Linear(), rows=60, batch=None)
    made(Mlp(widths=(8,)))
    made(Linear(), rows=FEW_ROWS + 16)
    assert [options.get(EMITTERS) for options in asked] == [False, False, None, None]
