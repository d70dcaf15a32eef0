"""The command line: ``vibentropy predict``, ``label``, ``describe``, ``force-law`` and so on.

Commands read their arguments, call the library and write what it returns. Modules of commands import the library within
their functions: help and completion of the shell answer at once, without half a second of numerics.

Exit codes are the same for all: 0, everything went well; 1, some configurations could not be used, which are named on
stderr, and the others were; 2, none could be used, or nothing was done because an argument, a file or a configuration
is wrong; 130, interrupted; 141, what read the output ended first, as `head` does. Files are written atomically.
"""

import os
import signal
import sys
from contextlib import suppress
from importlib.metadata import version
from typing import Any

import click

from vibentropy.cli.binding import binding
from vibentropy.cli.check import check
from vibentropy.cli.describe import describe
from vibentropy.cli.force_law import force_law
from vibentropy.cli.generate import generate
from vibentropy.cli.info import info
from vibentropy.cli.label import label
from vibentropy.cli.new import new
from vibentropy.cli.predict import predict
from vibentropy.errors import VibentropyError, how_to_install


class Commands(click.Group):
    """Commands in the order in which people need them, whose errors are a line and no traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands in the order in which they were added."""
        return list(self.commands)

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Read the options before the command."""
        try:
            return super().make_context(*arguments, **settings)
        except click.UsageError as error:
            _wrong_usage(error)
            raise click.exceptions.Exit(2) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        # Batch systems end commands in this way: files have to be complete then, too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            _wrong_usage(error)
        except VibentropyError as error:
            _say(error)
        except ModuleNotFoundError as error:
            remedy = how_to_install(error)
            if not remedy:
                raise
            _say(f"{error}{remedy}")
        except MemoryError as error:
            _say(f"out of memory ({error}): fewer atoms, or other parameters, take less")
        except BrokenPipeError:  # `| head` has seen enough.
            _forget_stdout()
            ctx.exit(128 + signal.SIGPIPE)
        except OSError as error:
            _say(error)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(130)
        ctx.exit(2)


def _say(error):
    """Say what ends a command."""
    click.echo(f"Error: {error}", err=True)


def _wrong_usage(error):
    """Say what is wrong with a command line; without any command, show the help."""
    if type(error).__name__ == "NoArgsIsHelpError":  # Which click has since 8.2.
        error.show()
        return
    _say(error.format_message())
    if error.ctx is not None:
        click.echo(f"`{error.ctx.command_path} --help` shows what there is", err=True)


def _forget_stdout():
    """Have nobody try to write what is left for stdout when Python ends."""
    with suppress(OSError):  # Where it is no file.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  vibentropy predict my.xyz
  vibentropy label my.xyz --reference bulk.xyz --potential FeP_mm.eam.fs
  vibentropy new Cu_mishin1.eam.alloy --element Cu copper/
  vibentropy info results/models/afs_3_10/ridge.h5

Exit codes: 0 fine; 1 some configurations could not be used, the others were; 2 none could, or an
argument, a file or a configuration is wrong; 130 interrupted; 141 the reader of a pipe ended first.

\b
Completion of commands, options and files, for a line in ~/.bashrc (zsh and fish alike):
  eval "$(_VIBENTROPY_COMPLETE=bash_source vibentropy)"
""",
)
@click.version_option(version("vibentropy"), prog_name="vibentropy")
def main() -> None:
    """Vibrational formation entropies of crystal defects: exact ones, and linear models that predict them.

    Lengths are in Å, energies in eV, entropies in k_B. `vibentropy COMMAND --help` shows options and examples.

    These commands need nothing but the package. Fitting models, with data sets, tables and figures, is a workflow:
    `snakemake`, in the folder of the repository or of the unpacked source distribution.
    """


for command in (predict, label, binding, describe, force_law, new, generate, check, info):
    main.add_command(command)
