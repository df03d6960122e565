"""The guide to what is one's own: its files are written as they stand there, and its commands are run on them."""

import re
import shlex

from click.testing import CliRunner

from downslope.cli.main import cli

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORT = "--epochs 1 --draws 2 --seeds 2 --quiet"
NEW = "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n0.04,0.05,0.06,0.02,-0.04,-0.03,-0.04,-0.003,0.02,-0.02\n"


def test_the_files_and_commands_of_the_guide_work_together(root, in_empty_folder):
    page = (root / "docs" / "guide" / "adding.md").read_text(encoding="utf-8")
    written = []
    for language, text in BLOCK.findall(page):
        if language == "python" and (name := re.match(r"# (\w+\.py)\n", text)):
            (in_empty_folder / name[1]).write_text(text.removeprefix(name[0]), encoding="utf-8")
            written.append(name[1])
    assert written == ["mine.py", "steps.py", "bend.py"]
    (in_empty_folder / "new.csv").write_text(NEW)
    printed = []
    for line in [line for language, text in BLOCK.findall(page) if language == "bash" for line in text.splitlines()]:
        words = shlex.split(line)[1:]
        words += shlex.split(SHORT) if words[0] in ("compare", "train") else []
        done = CliRunner(env={"COLUMNS": "120"}).invoke(cli, words)
        assert done.exit_code == 0, f"{line}: {done.stderr}"
        printed.append(done.stdout)
    losses, explained, optimizers, trained, predicted = printed
    assert "mine.py(delta=0.5) × adam" in losses and "Softened absolute error" in explained
    assert "steps.py(b1=0.8)" in optimizers and "predict bent/model new.csv --model ./bend.py" in trained
    assert re.fullmatch(r"prediction\n-?\d+\.\d+\n", predicted)
