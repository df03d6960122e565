"""What every entry of every catalogue says of itself, so that nobody reads half a page."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from downslope.cli import curves, entry

ENTRIES = [(kind, name) for kind in entry.PACKAGES for name in entry.catalogue(kind)]
PEERS = json.loads((Path(__file__).parent.parent / "golden" / "names.json").read_text(encoding="utf-8"))
LINE = 84
"""What fits beside a name in a table."""


def told(kind, name):
    return entry.describe(kind, entry.catalogue(kind)[name])


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_says_when_to_use_it_and_when_not(kind, name):
    one = told(kind, name)
    assert one.words.endswith(".") and "Use it " not in one.words
    assert re.fullmatch(r"Use it .*[^.]\.", one.use) and len(one.use.removeprefix("Use it ")) <= LINE
    assert re.fullmatch(r"Not .*\.", one.avoid)
    assert one.equation and one.url.startswith("https://") and one.url in one.source


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_speaks_of_all_peers(kind, name):
    said = told(kind, name).differs
    assert list(said)[: len(entry.PEERS)] == list(entry.PEERS)
    assert all(text.endswith(".") for text in said.values())
    assert set(said) <= {*entry.PEERS, "Paper"}


def plain(text):
    return re.sub(r"[^a-z0-9]", "", text.lower())


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_what_is_said_to_be_missing_elsewhere_is_missing(kind, name):
    one = told(kind, name)
    ours = {plain(one.name), *(plain(alias) for alias in one.aliases)}
    ours |= {f"{word}{ending}" for word in ours for ending in ("loss", "decay", "schedule", "lr")}
    for peer, text in one.differs.items():
        if text == entry.ABSENT:
            assert not ours & {plain(found) for found in PEERS[peer]["names"].get(kind, [])}, peer


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_what_is_named_elsewhere_is_there(kind, name):
    one = told(kind, name)
    own = {row.name for row in one.settings}
    for peer, text in one.differs.items():
        known = {found for names in PEERS.get(peer, {"names": {}})["names"].values() for found in names}
        if peer in PEERS:
            first = re.findall(r"^`(\w+)", text) if peer != "scikit-learn" else []  # whose sentences may begin with a setting
            capital = [name for name in re.findall(r"`(\w+)(?:\([^`]*\))?`", text) if not name.islower() and name not in own]
            for named in first + capital:
                assert named in known, f"{peer} has no {named}"


def test_an_entry_of_a_user_is_not_looked_for_elsewhere():
    class Own:
        about = entry.catalogue("loss")["gamma"].about

    Own.__module__ = "mine"
    assert set(entry.differs(Own)) == {"scikit-learn"}


def test_words_are_taken_from_the_docstring():
    class Own:
        """Does this
        and that.

        Use it when
        there is time.
        Not when there is none. Nor at night.

        >>> 1 + 1
        2
        """

    words = ("Does this and that.", "Use it when there is time.", "Not when there is none. Nor at night.")
    assert entry.told(Own) == (*words, ">>> 1 + 1\n2")
    Own.__doc__ = "Does this."
    assert entry.told(Own) == ("Does this.", "", "", "")


@pytest.mark.parametrize(("kind", "name"), [pair for pair in ENTRIES if pair[0] != "optimizer"])
def test_every_entry_has_curves(kind, name):
    found = curves.of(kind, entry.catalogue(kind)[name])
    for values in found.values.values():
        assert values.shape == found.places.shape
        assert np.isfinite(values).all() and np.ptp(values) > (0 if name != "constant" else -1)


@pytest.mark.parametrize("name", entry.catalogue("optimizer"))
def test_every_optimizer_comes_down_the_valley(name):
    own, *others = curves.of("optimizer", entry.catalogue("optimizer")[name]).paths
    assert own.name == name and [path.name for path in others] == ["gradient_descent"] * (name != "gradient_descent")
    assert own.places.shape == (curves.STEPS + 1, 2) and np.array_equal(own.places[0], curves.START)
    assert own.heights[-1] < own.heights[0] / 3
    assert own.heights.max() <= curves.CLIMB * own.heights[0]


def test_a_loss_is_drawn_with_its_own_numbers():
    found = curves.of("loss", entry.catalogue("loss")["huber"])
    assert found.across == "error (raw score minus target)"
    away = np.abs(found.places)
    assert np.allclose(found.values["loss"], np.where(away < 1, away**2 / 2, away - 0.5), rtol=1e-3)
    assert np.allclose(found.values["gradient"], np.clip(found.places, -1, 1), rtol=1e-3)
    hinge = curves.of("loss", entry.catalogue("loss")["hinge"])
    assert np.allclose(hinge.values["loss"], np.maximum(0, 1 - hinge.places), rtol=1e-3, atol=1e-3)


def test_gradient_descent_goes_down_as_it_can_be_computed_by_hand():
    path = curves.of("optimizer", entry.catalogue("optimizer")["gradient_descent"]).paths[0]
    turn = np.array([[np.cos(curves.TURN), np.sin(curves.TURN)], [-np.sin(curves.TURN), np.cos(curves.TURN)]])
    start = turn @ (curves.START - curves.BOTTOM)
    shrink = (1 - path.rate * np.array([1.0, curves.STEEP]))[:, None] ** np.arange(curves.STEPS + 1)
    heights = 0.5 * np.array([1.0, curves.STEEP]) @ (start[:, None] * shrink) ** 2
    assert np.allclose(path.heights, heights, rtol=2e-3)


def test_contours_are_level():
    for line, level in zip(curves.contours(), curves.LEVELS, strict=True):
        turned = (line - curves.BOTTOM) @ np.array(
            [[np.cos(curves.TURN), -np.sin(curves.TURN)], [np.sin(curves.TURN), np.cos(curves.TURN)]]
        )
        assert np.allclose(0.5 * (turned[:, 0] ** 2 + curves.STEEP * turned[:, 1] ** 2), level, rtol=0.02)
