"""The console script: every command is a small module beside this one."""

from __future__ import annotations

import os
import sys

import typer

from livesegments.cli import clock, members, output, profile, rejected, segments, send, settle, up, watch
from livesegments.cli.client import Problem
from livesegments.cli.demo import command as demo

app = typer.Typer(
    help="Live customer segments: exact, prompt, cheap and explainable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("send")(send.send)
app.command("settle")(settle.settle)
app.command("clock")(clock.clock)
app.add_typer(segments.app, name="segments")
app.command("members")(members.members)
app.command("profile")(profile.profile)
app.command("rejected")(rejected.rejected)
app.command("watch")(watch.watch)


def main() -> None:
    """Exit status: 0 done, 1 refused or failed (said on standard error), 2 wrong usage, 130 interrupted."""
    try:
        app()
    except Problem as problem:
        output.problem(problem)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output (head, less) has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
