"""`livesegments pull DIR`: the workspace's segments as files, one segment a file, which `apply` takes
back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from livesegments.cli import folder, output
from livesegments.cli.client import Client
from livesegments.cli.problem import Problem
from livesegments.cli.verb import Call, verb
from livesegments.client import segments

FolderArgument = Annotated[str, typer.Argument(metavar="DIR", help="The folder of the files.")]


@verb()
def pull(
    call: Call,
    directory: FolderArgument,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the files whose segments are gone. Without it they stay.")
    ] = False,
) -> None:
    """Write every segment into a file of its own, `ID.json`; archived ones have none. Files that are as they
    should be are not touched. Members of static segments are not in it."""
    place = Path(directory)
    there = {id_: each for id_, each in everything(call.client).items() if each["state"] != "archived"}
    told = [_write(place, id_, folder.text(each)) for id_, each in sorted(there.items())]
    for file in sorted(place.glob(f"*{folder.END}")):
        id_ = file.name.removesuffix(folder.END)
        if id_ not in there:
            if delete:
                file.unlink()
            told.append({"id": id_, "file": str(file), "what": "deleted" if delete else "no segment"})
    if call.printed(*told):
        return
    for each in told:
        if each["what"] == "no segment":
            output.say(f"{each['file']} has no segment here (any more); --delete would delete it")
        elif each["what"] != "unchanged":
            output.console.print(f"{each['what']} {each['file']}", markup=False)
    output.say(f"{len(there)} segment(s) in {place}")


def everything(client: Client) -> dict[str, Any]:
    """All segments by id, the archived ones, too; without those that rules make, and the rules' own."""
    found = [
        *client.each(segments.page(limit=1_000, sort="created")),
        *client.each(segments.page(limit=1_000, sort="created", state="archived")),
    ]
    return {each["id"]: each for each in found if each.get("rule") is None}


def _write(place: Path, id_: str, text: bytes) -> dict[str, str]:
    file = place / f"{id_}{folder.END}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        before = file.read_bytes() if file.exists() else None
        if before != text:
            file.write_bytes(text)
    except OSError as error:
        raise Problem(f"{file} can't be written: {error.strerror}", advice="give another folder") from error
    what = "unchanged" if before == text else "written" if before is None else "rewritten"
    return {"id": id_, "file": str(file), "what": what}
