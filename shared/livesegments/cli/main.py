"""The console script. A command's module is imported when that command is called, and no other's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from livesegments.cli.problem import Problem

COMMANDS = {
    "up": "livesegments.cli.up:up",
    "demo": "livesegments.cli.demo.command:demo",
    "send": "livesegments.cli.send:send",
    "settle": "livesegments.cli.settle:settle",
    "lag": "livesegments.cli.lag:lag",
    "clock": "livesegments.cli.clock:clock",
    "segments": "livesegments.cli.segments:app",
    "templates": "livesegments.cli.templates:app",
    "rules": "livesegments.cli.rules:app",
    "pull": "livesegments.cli.pull:pull",
    "apply": "livesegments.cli.apply:apply",
    "value-lists": "livesegments.cli.value_lists:app",
    "computed": "livesegments.cli.computed:app",
    "subscriptions": "livesegments.cli.subscriptions:app",
    "fields": "livesegments.cli.fields:app",
    "sources": "livesegments.cli.sources:app",
    "members": "livesegments.cli.members:members",
    "audience": "livesegments.cli.audience:app",
    "list-jobs": "livesegments.cli.list_jobs:app",
    "import": "livesegments.cli.importing:import_",
    "mass": "livesegments.cli.mass:app",
    "export": "livesegments.cli.export:export",
    "exports": "livesegments.cli.exports:app",
    "explain": "livesegments.cli.explain:explain",
    "forecast": "livesegments.cli.forecast:forecast",
    "flow": "livesegments.cli.flow:flow",
    "overlap": "livesegments.cli.overlap:overlap",
    "timeline": "livesegments.cli.timeline:timeline",
    "count": "livesegments.cli.count:count",
    "check": "livesegments.cli.check:check",
    "profile": "livesegments.cli.profile:profile",
    "profiles": "livesegments.cli.profiles:profiles",
    "merge": "livesegments.cli.merge:merge",
    "erase": "livesegments.cli.erase:erase",
    "erasures": "livesegments.cli.erasures:app",
    "was": "livesegments.cli.was:was",
    "preview": "livesegments.cli.preview:preview",
    "names": "livesegments.cli.names:names",
    "rejected": "livesegments.cli.rejected:rejected",
    "audit": "livesegments.cli.audit:audit",
    "watch": "livesegments.cli.watch:watch",
    "workspaces": "livesegments.cli.workspaces:app",
    "keys": "livesegments.cli.keys:app",
}
"""Each command's name, with the module and the attribute that has it: a function, or a `Typer` of several."""


class Commands(TyperGroup):
    """A group that knows its commands' names, and imports a command only to run it or to show its help."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:  # the error suggests a similar name from `self.commands`
            self.commands = dict.fromkeys(COMMANDS, self)
            return None
        return loaded(cmd_name)

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        with enough():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:
        with enough():
            return super().invoke(ctx)


@contextmanager
def enough() -> Iterator[None]:
    """A reader of our output that has enough (`| head -1`) ends the command with status 0."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None


def loaded(name: str) -> Any:
    """The command of this name, ready to be run."""
    module, _, attribute = COMMANDS[name].partition(":")
    found = getattr(import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command = typer.main.get_command(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = typer.main.get_command(alone)
    command.name = name
    return command


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  (slow: for this option alone)

        typer.echo(f"livesegments {version('livesegments')}")
        raise typer.Exit


app = typer.Typer(
    cls=Commands,
    help="Live customer segments: exact, prompt, cheap and explainable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Live customer segments: exact, prompt, cheap and explainable."""


def main() -> None:
    """Exit status: 0 done, 1 refused or failed (said on standard error), 2 wrong usage, 130 interrupted."""
    # httpx would import a command line of its own with all that it shows: a tenth of what a command costs
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        app()
    except Problem as problem:
        from livesegments.cli import output  # noqa: PLC0415  (slow: only where it is needed)

        output.problem(problem)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
