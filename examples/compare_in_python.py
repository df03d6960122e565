"""A comparison from Python: own settings, the ranking as a table, predictions, and the folder kept."""

import tempfile
from pathlib import Path

import numpy as np

import downslope
from downslope.losses import Huber
from downslope.optimizers import Adam

# Ten flats, again and again with some noise: any data frame, file or dict of columns will do.
draw = np.random.default_rng(0)
size = draw.uniform(30, 120, 300)
floor = draw.integers(0, 6, 300)
town = draw.choice(["Bonn", "Köln", "Trier"], 300)
rent = 4 + 9 * size + 15 * floor + np.where(town == "Köln", 150, 0) + draw.normal(0, 40, 300)
flats = {"size": size, "floor": floor, "town": town, "rent": rent}

result = downslope.compare(
    flats,
    target="rent",
    losses=["squared_error", Huber(delta=0.5)],
    optimizers=["sgd", Adam(learning_rate=np.array([0.01, 0.03, 0.1]))],
    epochs=10,
    draws=3,
    seeds=5,
)

for row in result.table:
    print(f"{row['rank']}. {row['loss']} with {row['optimizer']}: RMSE {row['rmse']:.0f} ({row['low']:.0f} to {row['high']:.0f})")
print(result.recommendation["text"])

new = {"size": [50.0, 100.0], "floor": [2, 2], "town": ["Trier", "Köln"]}
print("rents:", np.round(result.model.predict(new)))

kept = result.save(Path(tempfile.mkdtemp()) / "flats")
print("kept:", sorted(path.name for path in kept.iterdir()))
