"""The program `downslope`: its commands, and what happens when something goes wrong."""

import errno
import gc
import os
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from downslope import __version__
from downslope.cli import signals, terminal
from downslope.cli.options import example
from downslope.core.errors import Diverged, DownslopeError, UnknownName

COMMANDS = {
    "compare": "compare",
    "train": "train",
    "predict": "predict",
    "audit": "audit",
    "losses": "show",
    "optimizers": "show",
    "metrics": "show",
    "explain": "explain",
}
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
RARELY = (50_000, 20, 100)  # objects, and rounds of looking for cycles among the young and among all
OK, FAILED, BAD_INPUT, INTERNAL, NO_DISK = 0, 1, 2, 70, 74


class Program(click.Group):
    """Imports a command's file when the command is asked for, and turns errors into one line and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        return getattr(import_module(f"downslope.cli.{COMMANDS[cmd_name]}"), cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; the nearest names where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownName.among("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> Any:
        """Runs and ends the process with the code that says how it went."""
        arguments = list(sys.argv[1:] if args is None else args) or ["--help"]
        terminal.prepare()
        gc.set_threshold(*RARELY)  # the process is ours, and what it imports stays: no need to look again and again
        with signals.stoppable():
            code = self.outcome(arguments)
            if args is None:
                gc.freeze()  # Python ends by looking for cycles among all that is left, which takes longer than to give it back
            sys.exit(code)

    def outcome(self, arguments: list[str]) -> int:
        """The exit code; every error is one line on stderr, unless `--debug` asks for the whole story."""
        debug = "--debug" in arguments
        try:
            code = super().main([a for a in arguments if a != "--debug"], prog_name="downslope", standalone_mode=False)
            sys.stdout.flush()
            return code if isinstance(code, int) else OK
        except BrokenPipeError:
            # The reader of a pipe has left (`| head`): nobody is there to tell. Python would complain once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return FAILED
        except (KeyboardInterrupt, click.Abort) as stopped:
            return interrupted(
                arguments, isinstance(stopped.__cause__ or stopped, signals.Terminated)
            )  # click wraps what it catches
        except Exception as error:
            if debug:
                raise
            return explained(error)


def interrupted(arguments: list[str], terminated: bool) -> int:
    """Says how to go on; the command stands alone on the last line."""
    word = "Stopped" if terminated else "Interrupted"
    if arguments[0] in {"compare", "train"}:
        terminal.line(f"{word}. What is finished is kept; this continues:")
        terminal.line("  " + shlex.join(["downslope", *(a for a in arguments if a != "--fresh")]))
    else:
        terminal.line(f"{word}.")
    return 143 if terminated else 130


def explained(error: Exception) -> int:
    """One line on stderr, and the exit code that belongs to the error."""
    text, code = " ".join(str(error).split()), BAD_INPUT
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        where = context.command_path if context else "downslope"
        text = f"{' '.join(error.format_message().split()).rstrip('.')} ({where} --help shows what there is)"
    elif isinstance(error, Diverged):
        code = FAILED
    elif isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        text = f"{error.strerror or text}{place}"
        if error.errno in NO_ROOM:
            text, code = f"the disk is full{place}; make room and run the same command again, it continues", NO_DISK
        elif error.errno == errno.EIO:
            text, code = f"the disk cannot be read or written{place}", NO_DISK
    elif isinstance(error, MemoryError):
        text, code = "not enough memory; a smaller model, fewer columns or fewer contenders need less", FAILED
    elif not isinstance(error, DownslopeError):
        text = f"internal error, {type(error).__name__}: {text}; the same command with --debug shows where"
        code = INTERNAL
    terminal.line(f"downslope: {text}")
    return code


def show_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Prints the version and ends."""
    if value and not ctx.resilient_parsing:
        click.echo(f"downslope {__version__}")
        ctx.exit()


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=example("downslope compare sales.csv --target price"),
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Show the version.")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
def cli(debug: bool) -> None:
    """Which loss, which optimizer, which learning rate: measured on your own data."""
    del debug  # for the help page; it is understood anywhere on the line, by `outcome`


def main() -> None:
    """The entry point of the installed program."""
    cli()
