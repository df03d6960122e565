"""The tables that scikit-learn bundles, read from its files without running its code."""

import csv
import gzip
import hashlib
import importlib.util
import io
from pathlib import Path

import polars as pl

from downslope.core.errors import BadData, UnknownName
from downslope.data.table import Table

CELL_PARTS = (
    *("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity"),
    *("concave points", "symmetry", "fractal dimension"),
)
TARGETS = {"diabetes": "progression", "breast_cancer": "diagnosis", "wine": "class", "digits": "digit", "iris": "species"}
FILES = {
    "diabetes": ("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"),
    "breast_cancer": ("breast_cancer.csv",),
    "wine": ("wine_data.csv",),
    "digits": ("digits.csv.gz",),
    "iris": ("iris.csv",),
}
FEATURES = {
    "diabetes": ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
    "breast_cancer": (
        *(f"mean {part}" for part in CELL_PARTS),
        *(f"{part} error" for part in CELL_PARTS),
        *(f"worst {part}" for part in CELL_PARTS),
    ),
    "wine": (
        *("alcohol", "malic_acid", "ash", "alcalinity_of_ash", "magnesium", "total_phenols", "flavanoids"),
        *("nonflavanoid_phenols", "proanthocyanins", "color_intensity", "hue", "od280/od315_of_diluted_wines", "proline"),
    ),
    "digits": tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8)),
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
}


def read_demo(name: str) -> Table:
    """One of the bundled tables, with its own default target."""
    if name not in FILES:
        raise UnknownName.among("demo table", name, FILES)
    # find_spec only looks where the package lies; importing it would take a second.
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise BadData("the demo tables come with scikit-learn, which is not installed; run: pip install scikit-learn")
    folder = Path(spec.origin).parent / "datasets" / "data"
    contents = [(folder / file).read_bytes() for file in FILES[name]]
    texts = [(gzip.decompress(c) if c.startswith(b"\x1f\x8b") else c).decode("ascii") for c in contents]
    rows = list(csv.reader(io.StringIO(texts[0]), delimiter=" " if name == "diabetes" else ","))
    if name == "diabetes":
        # The target file holds whole numbers in scientific notation.
        targets = [f"{float(line):g}" for line in texts[1].split()]
    elif name == "digits":
        targets = [row.pop() for row in rows]
    else:
        _, _, *classes = rows.pop(0)
        targets = [classes[int(row.pop())] for row in rows]
    columns = dict(zip(FEATURES[name], map(list, zip(*rows, strict=True)), strict=True))
    frame = pl.DataFrame({**columns, TARGETS[name]: targets})
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    return Table(name, f"demo:{name}", frame, digest, target=TARGETS[name])
