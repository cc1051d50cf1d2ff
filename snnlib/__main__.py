"""The command line: ``python -m snnlib``, also ``snn``. The commands are in :mod:`snnlib.commands`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn, cast

import typer

from . import __version__
from .commands import audit, compact, data, networks, pack, run, search, show, verdicts
from .files import FileError
from .lab.names import Refused

USAGE_ERROR = cast(type[typer.BadParameter], typer.BadParameter.__base__)
"""The class of all errors in arguments; typer exports only this child of it."""

app = typer.Typer(
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=run.EXAMPLES)(run.run)
app.command(epilog=search.EXAMPLES)(search.search)
app.command(epilog=show.TABLE_EXAMPLES)(show.table)
app.command()(show.status)
app.command()(verdicts.verdicts)
app.command()(audit.audit)
app.command()(pack.pack)
app.command()(pack.unpack)
app.command()(pack.fetch)
app.command()(compact.compact)
app.command()(networks.networks)
app.command(epilog=data.EXAMPLES)(data.data)


@app.callback(
    invoke_without_command=True,
    epilog="Begin with [bold]snn table 2[/bold], our runs beside the paper's; then [bold]snn run 2 --profile smoke "
    "--records runs/mine[/bold], and [bold]snn table 2 --records runs/mine[/bold].",
)
def top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Train switcher networks and set the results beside the paper's.

    Runs are recorded one by one: what is interrupted goes on where it stopped, and what is finished is not trained
    again.
    """
    if version:
        typer.echo(f"snnlib {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
    else:
        return
    raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process; a known error is one line on standard error and exit code 2."""
    try:
        code = app(arguments, prog_name="snn", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        _end("interrupted", 130)
    except USAGE_ERROR as problem:
        context = getattr(problem, "ctx", None)
        _end(f"{problem.format_message()} (see `{context.command_path if context else 'snn'} --help`)", 2)
    except Exception as problem:
        if not isinstance(problem, _known_errors()):
            raise
        _end(str(problem), 2)
    sys.exit(code or 0)


def _known_errors() -> tuple[type[Exception], ...]:
    """Errors whose message says what to do; that of snnlib.data, which imports torch, only if that is imported."""
    sets = sys.modules.get("snnlib.data")
    return (Refused, FileError, *((sets.DataError,) if sets else ()))


def _end(message: str, code: int) -> NoReturn:
    print(f"snn: {message}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
