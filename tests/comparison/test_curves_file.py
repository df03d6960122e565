"""The file of all curves: nothing is lost, names are harmless, and it is less than half of one line for each number."""

import csv
import io

from downslope.comparison.curves_file import read_runs, write_runs
from tests.comparison.report.sample import sample


def test_rows_come_back_as_they_were(tmp_path):
    rows = [row | {"value": float(f"{row['value']:.7g}")} for row in plain()]
    rows[4]["value"] = None
    for name in ("=1+1", "+a", "-a", "@x", "'quoted'"):
        rows += [row | {"contender": name} for row in rows[:6]]
    rows[0] = rows[0] | {"split": "judge", "metric": "average_precision"}
    write_runs(tmp_path, epochs(rows))

    def order(row):
        return row["contender"], row["seed"], row["epoch"], row["split"], row["metric"]

    assert sorted(read_runs(tmp_path), key=order) == sorted(rows, key=order)
    text = (tmp_path / "runs.csv").read_text(encoding="utf-8")
    names = {line[0] for line in csv.reader(io.StringIO(text, newline=""))}
    assert {"'=1+1", "'+a", "'-a", "'@x"} <= names and not any(name.startswith(tuple("=+-@")) for name in names)


def epochs(rows):
    """The same rows, those of an epoch together."""
    found = {}
    for row in rows:
        start = tuple((name, value) for name, value in row.items() if name not in ("split", "metric", "value"))
        found.setdefault(start, {})[row["split"], row["metric"]] = row["value"]
    return [(dict(start), numbers) for start, numbers in found.items()]


def plain():
    """Rows as a comparison makes them."""
    order = "contender,loss,optimizer,phase,seed,repetition,fold,learning_rate,epoch,examples_seen,split,metric,value".split(",")
    rows = sample(optimizers=("adam", "sgd"), rows=20, epochs=20, seeds=3)[1]
    return [{name: row[name] for name in order} | {"learning_rate": float(f"{row['learning_rate']:.7g}")} for row in rows]


def test_the_file_takes_less_than_half_of_one_line_for_each_number(tmp_path):
    rows = plain()
    write_runs(tmp_path, epochs(rows))
    table = io.StringIO(newline="")
    csv.writer(table).writerows([f"{value:.7g}" if isinstance(value, float) else value for value in row.values()] for row in rows)
    assert (tmp_path / "runs.csv").stat().st_size < 0.45 * len(table.getvalue())


def test_no_runs_are_an_empty_table(tmp_path):
    write_runs(tmp_path, [])
    assert read_runs(tmp_path) == []
