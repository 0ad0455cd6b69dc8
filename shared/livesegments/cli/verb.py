"""What all verbs that ask the api share: its address, the key, the workspace, and `--json`.

Example:

    @verb()
    def count(call: Call, segment: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        found = call.client.ask(segments.count(segment))
        if not call.printed(found):
            output.console.print(found["count"])

The command has the options `--api`, `--key`, `--workspace`, `--data` and `--json` after its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec
from zoneinfo import ZoneInfo

from livesegments.cli import context, output
from livesegments.cli.client import Client, no_such
from livesegments.client import BadId, workspaces

Reach = Literal["workspace", "stack", "admin"]
"""What a verb asks about: the key's workspace (or the one that an admin key names), what all workspaces
share, or the workspaces themselves, which needs an admin key."""
P = ParamSpec("P")


class Call:
    """One call of a verb: the client, made when it is first asked for, and how the answer is printed."""

    def __init__(
        self,
        reach: Reach,
        api: str | None,
        key: str | None,
        data: Path,
        workspace: str | None = None,
        as_json: bool = False,
    ) -> None:
        self.data, self.as_json = data, as_json
        self._reach, self._api, self._key, self._workspace = reach, api, key, workspace

    @cached_property
    def client(self) -> Client:
        """Raises Problem where the address or the key is not known."""
        if self._reach == "admin":
            target = context.admin(self._api, self._key, self.data)
        else:
            target = context.api(self._api, self._key, self._workspace, self.data)
        return Client(target.url, target.key, target.workspace)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The workspace's own, in which people read its times. Its text is its name: `Europe/Berlin`."""
        return ZoneInfo(self.client.ask(workspaces.own())["timezone"])

    def printed(self, *documents: Any) -> bool:
        """Whether `--json` was given: then the documents are printed by this, one a line."""
        if self.as_json:
            for each in documents:
                output.json(each)
        return self.as_json

    def tabled(self, found: Sequence[Any], nothing: str) -> bool:
        """Whether a table is to be made: it is not printed as JSON, and not empty, which `nothing` says."""
        if self.printed(*found):
            return False
        if not found:
            output.say(nothing)
        return bool(found)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


def verb(
    reach: Reach = "workspace", *, json: bool = True
) -> Callable[[Callable[Concatenate[Call, P], None]], Callable[..., None]]:
    """Makes a command of a function, which is given the `Call`. Without `json` it has no option `--json`."""
    shared = _options(reach, json)

    def decorate(function: Callable[Concatenate[Call, P], None]) -> Callable[..., None]:
        given = signature(function, eval_str=True)

        @wraps(function)
        def command(*arguments: P.args, **options: P.kwargs) -> None:
            common = {each.name: options.pop(each.name, each.default) for each in shared}
            call = Call(reach, **common)  # type: ignore[arg-type]
            try:
                function(call, *arguments, **options)
            except BadId as error:
                raise no_such(error) from error
            finally:
                call.close()

        _, *own = given.parameters.values()
        parameters = [*own, *shared]
        command.__signature__ = given.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        return command

    return decorate


def _options(reach: Reach, json: bool) -> list[Parameter]:
    """In the order of the help text."""
    options: dict[str, tuple[Any, Any]] = {
        "api": (context.ApiOption, None),
        "key": (context.AdminKeyOption if reach == "admin" else context.KeyOption, None),
    }
    if reach == "workspace":
        options["workspace"] = (context.WorkspaceOption, None)
    options["data"] = (context.DataOption, context.DATA)
    if json:
        options["as_json"] = (context.JsonOption, False)
    return [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
