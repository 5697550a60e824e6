"""The `codet5p` command: one module per subcommand; each imports its body when it is called."""

import sys

import typer

from codet5p import __version__
from codet5p.cli.average import average
from codet5p.cli.complete import complete
from codet5p.cli.corpus import app as corpus
from codet5p.cli.demo import demo
from codet5p.cli.docstring import docstring
from codet5p.cli.doctor import doctor
from codet5p.cli.evaluate import evaluate
from codet5p.cli.export import export
from codet5p.cli.import_weights import import_weights
from codet5p.cli.index import index
from codet5p.cli.mcp import mcp
from codet5p.cli.search import search
from codet5p.cli.serve import serve
from codet5p.cli.train import train, transport
from codet5p.core.errors import CodeT5pError

__all__ = ["app", "main"]

app = typer.Typer(
    help="A code assistant that runs on your own computer: offline, with its weights included.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command(rich_help_panel="Use")(serve)
app.command(rich_help_panel="Use")(demo)
app.command(rich_help_panel="Use")(complete)
app.command(rich_help_panel="Use")(docstring)
app.command(rich_help_panel="Use")(search)
app.command(rich_help_panel="Use")(index)
app.command(rich_help_panel="Use")(mcp)
app.command(rich_help_panel="Use")(doctor)
app.add_typer(corpus, name="corpus", rich_help_panel="Make")
app.command("import", rich_help_panel="Make")(import_weights)
app.command(rich_help_panel="Make")(train)
app.command(rich_help_panel="Make")(average)
app.add_typer(transport, name="transport", rich_help_panel="Make")
app.command(rich_help_panel="Make")(evaluate)
app.command(rich_help_panel="Make")(export)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line; an error meant for the user is one line on stderr and exit status 1."""
    try:
        app()
    except CodeT5pError as error:
        sys.stderr.write(f"codet5p: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
