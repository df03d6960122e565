"""Searches along a line by PyTorch's L-BFGS, size by size; and its first steps where the curvature is barely measurable.

Forms are chosen so that every number of the search decides something: extrapolations that end at either bound or between
them, brackets that narrow too slowly, ends that lie half a per cent beyond each condition.
"""

import numpy as np
from problems import bowl, curve
from torch.optim.lbfgs import _strong_wolfe as search
from with_torch import MADE_BY, torch

DESCENT, SLOPE = 1e-4, 0.9
NARROW = 1e-9
HALF = 1.005  # half a per cent beyond a border: what is changed by one per cent falls on its other side


def tried(form, first, longest=1.0, narrow=NARROW):
    """The sizes that PyTorch looks at, and the one it takes."""
    looks = []

    def look(_, size, direction):
        looks.append(float(size))
        value, slope = curve(float(size), form)
        return float(value), torch.tensor([float(slope)]) / direction

    value, slope = curve(0.0, form)
    direction = torch.tensor([longest])
    gradient = torch.tensor([float(slope)]) / direction
    start = (float(value), gradient, gradient.dot(direction))
    _, _, size, count = search(look, torch.zeros(1), first, direction, *start, DESCENT, SLOPE, tolerance_change=narrow)
    assert count == len(looks)
    return looks, float(size)


def waves(number):
    """Waves of three lengths, downhill at first; from sines, so the same on every machine."""
    place = 3 * number + np.arange(3)
    found = np.stack([np.sin(1.0 + 12.9898 * place), 1.0 + 3.0 * np.sin(78.233 * place) ** 2, 3.0 * np.sin(37.719 * place)], 1)
    _, slope = curve(0.0, {"cubic": (0.0, 0.0, 0.0), "waves": found})
    found[:, 0] *= -1.0 if slope > 0 else 1.0
    return found.tolist()


def touching(value, slope):
    """A cubic of slope -1 at 0 that has this value and slope at 1."""
    return {"cubic": (-1.0, 3 * value - slope + 2.0, slope - 2 * value - 1.0), "waves": []}


def border(form, first):
    """How long a direction is whose bracket ends half a per cent above the narrowest."""
    fewest = len(tried(form, first, 1e-12)[0])
    low, high = 1e-12, 1.0
    for _ in range(60):
        middle = np.sqrt(low * high)
        low, high = (low, middle) if len(tried(form, first, middle)[0]) > fewest else (middle, high)
    return float(high * HALF)


def cases():
    """All searches."""
    usual = [(number, (0.05, 0.4, 3.0)[number % 3]) for number in range(16)]
    slow = [(43, 1.0), (96, 10.0), (219, 3.0), (219, 10.0)]  # found among many: their brackets narrow from one end
    for number, first in usual + slow:
        yield case({"cubic": (0.0, 0.0, 0.02), "waves": waves(number)}, first)
    yield case({"cubic": (-1.0, -1.0, 0.1), "waves": []}, 0.2)  # ever steeper at first: on by the middle of the bounds
    yield case(touching(-DESCENT * HALF, 0.2), 1.0)
    yield case(touching(-0.95, -SLOPE * HALF), 1.0)
    form = {"cubic": (-1.0, 0.0, 0.0), "waves": [(1.5, 9.0, 0.5)]}
    yield case(form, 1.0, border(form, 1.0))
    yield smallest()


def case(form, first, longest=1.0):
    sizes, taken = tried(form, first, longest)
    record = {"made_by": f"{MADE_BY}, the strong Wolfe search of LBFGS", "form": form, "first": first, "longest": longest}
    return record | {"sizes": sizes, "taken": taken}


def smallest():
    """Two steps from so near to the minimum that gradient and move have a product half a per cent above PyTorch's least, 1e-10,
    and that the first step is as long as it can be."""
    curvature = np.array([0.5, 0.25])
    start = np.array([1.0, 2.0])
    start *= np.sqrt(1e-10 * HALF / np.sum(curvature**3 * start**2))
    point = torch.tensor(start, requires_grad=True)
    theirs = {"line_search_fn": "strong_wolfe", "max_iter": 1, "tolerance_grad": 0.0, "tolerance_change": 0.0}
    optimizer = torch.optim.LBFGS([point], lr=1.0, history_size=10, **theirs)

    def look():
        value, gradient = bowl(point.detach().numpy(), curvature)
        point.grad = torch.tensor(gradient)
        return torch.tensor(value)

    points = [start.tolist()]
    for _ in range(2):
        optimizer.step(look)
        points.append(point.detach().numpy().tolist())
    return {"made_by": f"{MADE_BY}, LBFGS({theirs})", "curvature": curvature.tolist(), "points": points}
