"""No two kinds of record have the same structure, however alike their fields: compiled programs are looked up by it."""

import itertools

import jax
import jax.numpy as jnp
import pytest

from downslope import losses, optimizers, schedules
from downslope.core.record import Record, choice, hyper


@pytest.mark.parametrize("package", [losses, optimizers, schedules])
def test_every_entry_has_a_structure_of_its_own(package):
    structures = {}
    for name in package.catalogue.names:
        try:
            structures[name] = jax.tree.structure(package.catalogue[name]())
        except TypeError:  # wraps another record, which must be given
            continue
    assert len(structures) > 1
    for (one, first), (other, second) in itertools.combinations(structures.items(), 2):
        assert first != second, f"{one} and {other} would share compiled programs"


class Bent(Record):
    """A record with a number and a choice."""

    by: float = hyper(default=1.0, doc="How far.")
    how: str = choice(default="up", options=["up", "down"], doc="Where to.")


def test_numbers_are_leaves_and_choices_are_structure():
    assert jax.tree.structure(Bent(by=1.0)) == jax.tree.structure(Bent(by=2.0))
    assert jax.tree.structure(Bent(how="up")) != jax.tree.structure(Bent(how="down"))
    assert jax.tree.map(lambda number: number + 1, Bent(by=2.0, how="down")) == Bent(by=3.0, how="down")
    assert [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(Bent())] == [".by"]


def test_a_sweep_is_one_record():
    swept = jax.vmap(lambda record: record.by * 2)(Bent(by=jnp.arange(3.0)))
    assert swept.tolist() == [0.0, 2.0, 4.0]
