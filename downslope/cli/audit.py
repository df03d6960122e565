"""`downslope audit`: whether what a run claims follows from its ledger."""

import json

import click

from downslope.cli import terminal
from downslope.cli.main import FAILED, OK
from downslope.cli.options import example


@click.command(epilog=example("downslope audit diabetes-downslope --data demo:diabetes"))
@click.argument("folder")
@click.option("--data", metavar="FILE", help="The table that was compared on: what its columns give is computed again too.")
@click.option("--test", metavar="FILE", help="The table of the final test, where the run had one of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print strict JSON.")
def audit(folder: str, data: str | None, test: str | None, as_json: bool) -> int:
    """Derive every claim of a finished run again from its ledger.

    FOLDER is what compare or train wrote. Nothing in it is changed or executed. The exit code is 0 where everything holds and
    1 where something does not; each of those is one line.
    """
    from downslope.training import devices

    devices.offer()
    from downslope.comparison.audit import audit as work

    found = work(folder, data, test)
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2, allow_nan=False))
        return OK if found.holds else FAILED
    for line in found.checked:
        terminal.say(f"checked: {line}; holds")
    for line in found.unchecked:
        terminal.say(f"not checked: {line}")
    for line in found.problems:
        terminal.say(f"problem: {line}", style="red")
    count = len(found.problems)
    terminal.say("Everything holds." if found.holds else f"{count} {'thing does' if count == 1 else 'things do'} not hold.")
    return OK if found.holds else FAILED
