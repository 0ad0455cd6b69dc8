"""Decisions about a declaration of an attribute, on one snapshot of a workspace: they may be repeated."""

from __future__ import annotations

from livesegments.api.web.problems import QUOTA, Problem, not_found
from livesegments.core.check import OTHER_NODES, check
from livesegments.core.computed import PREFIX
from livesegments.core.declared import MAX_CHOICES, Declared
from livesegments.core.definition import Attribute, Near, Node
from livesegments.core.fault import Fault, Faults, join
from livesegments.core.ids import fault_of
from livesegments.core.tree import walk
from livesegments.core.typed import Misfit, form_fault, read
from livesegments.core.value_list import shown
from livesegments.history.asking import FitFound
from livesegments.store.changes import Put
from livesegments.store.places import gone, put
from livesegments.store.snapshot import Snapshot
from livesegments.wire.catalog import DeclaredField, Workspace

MAX_FIELDS = 1_000
QUOTA_FIELDS = f"{QUOTA}fields"
ALWAYS = {"created_at": "date", "score": "number", "groups": "list"}


def faults_of(name: str, declared: Declared) -> list[Fault]:
    """Every fault of a declaration."""
    faults = Faults()
    told = fault_of(name)
    if told is not None:
        faults.add("/name", *told)
    if name in OTHER_NODES or name.startswith(PREFIX):
        faults.add("/name", "reserved_name", f"{name!r} is no attribute that is sent")
    if (always := ALWAYS.get(name, declared.type)) != declared.type:
        faults.add("/type", "wrong_type", f"{name!r} is always a {always}")
    if declared.form and (told_form := form_fault(declared.form)):
        faults.add("/format", "bad_format", told_form)
    for at, given in (("/format", declared.form), ("/timezone", declared.zone)):
        if given and declared.type != "date":
            faults.add(at, "no_meaning", "only dates have it")
    if declared.choices and declared.type not in ("text", "number", "list"):
        faults.add("/choices", "no_meaning", "only texts, numbers and lists have choices")
    elif len(declared.choices) > MAX_CHOICES:
        faults.add("/choices", "too_long", f"has {len(declared.choices)}; at most {MAX_CHOICES} are allowed")
    elif declared.type != "list":
        _choices(faults, declared)
    return faults.found


def _choices(faults: Faults, declared: Declared) -> None:
    bare = Declared(declared.type)
    for at, choice in enumerate(declared.choices):
        try:
            same = read(bare, choice) == choice
        except Misfit:
            same = False
        if not same:
            faults.add(join("/choices", at), "wrong_type", f"must be a {declared.type}")


def replacing(
    snapshot: Snapshot,
    workspace: Workspace,
    name: str,
    declared: Declared,
    label: str,
    description: str,
    now_ms: int,
) -> list[Put]:
    """Nothing where it is just so. Raises Problem 409."""
    old = snapshot.fields.get(name)
    if old is not None and (old.declared, old.label, old.description) == (declared, label, description):
        return []
    if old is None and len(snapshot.fields) >= MAX_FIELDS:
        told = f"the workspace has {MAX_FIELDS} declared attributes, the most: delete some"
        raise Problem(409, "The workspace has all it may have.", [Fault("", QUOTA_FIELDS, told)])
    entry = DeclaredField(
        workspace.id,
        name,
        1 if old is None else old.version + 1,
        now_ms if old is None else old.created_ms,
        now_ms if old is None else max(now_ms, old.updated_ms),
        declared,
        label,
        description,
    )
    return [put(entry)]


def deleting(snapshot: Snapshot, name: str) -> list[Put]:
    """Raises Problem 404."""
    return [gone(existing(snapshot, name))]


def existing(snapshot: Snapshot, name: str) -> DeclaredField:
    found = snapshot.fields.get(name)
    if found is None:
        raise not_found("declared attribute", name)
    return found


def unfit(snapshot: Snapshot, name: str, declared: Declared) -> list[str]:
    """The segments with conditions that would not fit, by id. They stay as they are until they are edited."""
    types = {name: declared}
    found = []
    for id_, each in sorted(snapshot.segments.items()):
        if each.definition is None or name not in _asked(each.definition):
            continue
        if check(shown(each.definition), computed=snapshot.measures, declared=types)[1]:
            found.append(id_)
    return found


def _asked(root: Node) -> set[str]:
    """The attributes that a definition asks about."""
    nodes = [node for _, node in walk(root)]
    names = {node.name for node in nodes if isinstance(node, Attribute)}
    return names | {node.attribute for node in nodes if isinstance(node, Near)}


def refusal(found: FitFound) -> Problem:
    """Why a declaration is refused that some values would not fit, unless that is accepted."""
    total = found.fit + found.read + found.odd
    told = f"{found.odd} of {total} profiles that have the attribute have values that would not fit it."
    faults = [
        Fault("/type", "would_not_fit", f"{each.value} of {each.profiles} profile(s): {each.told}")
        for each in found.sample
    ]
    accept = "They stay if you declare it with `accept_misfits` (`--accept-misfits`)."
    return Problem(409, f"{told} {accept}", faults)
