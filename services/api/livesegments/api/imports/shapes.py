"""Imports as bodies have them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from livesegments.api.imports.mapping import EMAIL, RESERVED, Column, Plan
from livesegments.api.imports.table import MAX_COLUMNS, Form
from livesegments.api.profiles.profiles import ConsentOut
from livesegments.api.web import shapes
from livesegments.api.web.problems import Problem
from livesegments.api.web.texts import AttributeName, Name, SegmentId
from livesegments.core.declared import MAX_FORM, Declared, FieldType
from livesegments.core.fault import Fault
from livesegments.core.typed import form_fault

Optional = SkipJsonSchema[None]
Encoding = Literal[
    "utf-8", "utf-16", "windows-1252", "iso-8859-1", "iso-8859-15", "windows-1250", "windows-1251"
]
ImportState = Literal["uploading", "waiting", "running", "done", "failed"]


class NewImport(shapes.In):
    """A file that is going to be sent."""

    file_name: Name = Field("import.csv", description="How people know it.", examples=["customers.csv"])
    encoding: Encoding | Optional = Field(
        None, description="Without it: by its byte order mark, else UTF-8 if it is that, else windows-1252."
    )
    delimiter: Literal[",", ";", "\t", "|"] | Optional = Field(
        None, description="Without it: the one that the first line has most of."
    )


class ColumnIn(shapes.In):
    """Where a column goes."""

    column: str = Field(min_length=1, max_length=1_000, description="Its name in the first line.")
    to: Literal["attribute", "tags", "consent"] = Field(
        "attribute",
        description="`tags`: its cells are tags, with `;` or `,` between them. `consent`: its cells are what "
        "was said to `channel`, `topic` or the pair: `opted_in` or yes, `opted_out` or no, `none`; an empty "
        "one says nothing.",
    )
    attribute: AttributeName | Optional = Field(
        None, description="The attribute's name; without it, the column's."
    )
    type: FieldType = Field(
        "text", description="By which its cells are read; the type of a declared field holds instead."
    )
    format: str = Field("", max_length=MAX_FORM, description="How dates are written: `DD/MM/YYYY`.")
    timezone: shapes.Timezone | Literal[""] = Field(
        "", description="The zone of dates with a time of day that name no offset."
    )
    channel: Name | Optional = Field(None, description="Of a `consent`.", examples=["email"])
    topic: Name | Optional = Field(
        None, description="Of a `consent`: what is written about; channel, topic or both are given."
    )


class ImportPlan(shapes.In):
    """What becomes of the rows."""

    id_column: str = Field(min_length=1, max_length=1_000, description="The column with the profiles' ids.")
    by_email: bool = Field(
        False,
        description="The column has e-mail addresses: in lower case they are the ids, and as they are the "
        "attribute `email`.",
    )
    columns: list[ColumnIn] = Field(
        default_factory=list, max_length=MAX_COLUMNS, description="The columns that are taken."
    )
    empty: Literal["skip", "remove"] = Field(
        "skip", description="`remove`: an empty cell takes the attribute away; else it says nothing."
    )
    segment: SegmentId | Optional = Field(
        None, description="The id of a static segment into which all of them are put."
    )


class ImportStart(ImportPlan):
    """What becomes of the rows, and where they are put."""

    new_segment: Name | Optional = Field(
        None, description="Instead of `segment`: the name of a static segment that is made for them."
    )


class ImportOut(BaseModel):
    """An import, and how far it is."""

    id: str = Field(description="The id of the import.")
    file_name: str = Field(description="How people know the file.")
    state: ImportState = Field(
        description="`uploading` (it waits for the file, or to be started), `waiting`, `running` (another "
        "process goes on where the one that did it died), `done`: all accepted rows are applied; "
        "`failed`: `reason` says why."
    )
    reason: str | None = Field(description="Why it failed, or why it waits.")
    bytes: int = Field(description="So much of the file has come: it goes on at this `offset`.")
    segment: str | None = Field(description="The id of the segment into which they are put.")
    done: int = Field(description="Rows that were looked at.")
    total: int = Field(description="Rows of the file, as far as is known.")
    accepted: int = Field(description="Rows that were taken, or are on their way.")
    refused: int = Field(
        description="Rows that are in the file of the refused ones: they can't be taken, or not as a whole."
    )
    refused_file: str | None = Field(
        description="The path of a CSV file with the refused rows and their reasons, once it is `done`."
    )
    created_at: shapes.Instant = Field(description="When it was made.")
    ended_at: shapes.Instant | None = Field(description="When it was `done` or `failed`.")


class ImportsOut(BaseModel):
    """The workspace's imports of the last day."""

    imports: list[ImportOut] = Field(description="The newest first.")


class ImportColumn(BaseModel):
    """A column of the file."""

    name: str = Field(description="Its name in the first line.")
    samples: list[str] = Field(description="Some of its cells.")
    type: Literal["number", "boolean", "date", "text"] = Field(description="What its first cells look like.")
    declared: FieldType | None = Field(
        description="The type of the declared field of this name; null: there is none."
    )


class ImportFault(BaseModel):
    """Why a row can't be taken."""

    row: int = Field(description="The row, from 1; the line of the names doesn't count.")
    column: str = Field(description="The column; empty: it is about the whole row.")
    code: str = Field(description="Which fault it is: `wrong_type`, `bad_email`, `unreadable` and so on.")
    message: str = Field(description="What is wrong.")


class ImportReason(BaseModel):
    """A fault that rows have."""

    column: str = Field(description="The column; empty: it is about whole rows.")
    code: str = Field(description="Which fault it is.")
    rows: int = Field(description="How many rows have it.")


class ImportRow(BaseModel):
    """What becomes of a row."""

    profile: str = Field(description="The id of the profile.")
    attributes: dict[str, Any] = Field(description="The attributes that it sets; null takes one away.")
    tags: list[str] = Field(description="The tags that it adds.")
    consent: list[ConsentOut] = Field(description="The consents that it sets.")


class ImportCheck(BaseModel):
    """What would become of the file. Nothing has been done."""

    encoding: str = Field(description="How the file is written.")
    delimiter: str = Field(description="What stands between its cells.")
    columns: list[ImportColumn] = Field(description="Its columns.")
    rows: int = Field(description="Rows that were looked at; 0 without a plan.")
    whole: bool = Field(description="Whether these are all of them: of a long file the first 200,000.")
    accepted: int = Field(description="Rows that would be sent to ingest.")
    refused: int = Field(description="Rows that would be refused.")
    preview: list[ImportRow] = Field(description="What would become of the first 10 accepted ones.")
    faults: list[ImportFault] = Field(description="The first faults, 20 at most.")
    reasons: list[ImportReason] = Field(description="The most frequent faults, 20 at most.")


def plan_of(asked: ImportPlan, form: Form) -> Plan:
    """Raises Problem 422 with all faults: columns that the file has not, attributes that can't be."""
    known, faults = set(form.header), list[Fault]()
    if asked.id_column not in known:
        faults.append(Fault("/id_column", "unknown_column", _unknown(asked.id_column, form)))
    columns: list[Column] = []
    consents: set[tuple[str, str]] = set()
    taken: set[str] = {EMAIL} if asked.by_email else set()
    for at, each in enumerate(asked.columns):
        where = f"/columns/{at}"
        name = each.attribute or each.column
        if each.column not in known:
            faults.append(Fault(f"{where}/column", "unknown_column", _unknown(each.column, form)))
        if each.format and (wrong := form_fault(each.format)):
            faults.append(Fault(f"{where}/format", "bad_format", wrong))
        if each.to != "consent" and (each.channel or each.topic):
            told = 'only a consent has a channel and a topic: `"to": "consent"`'
            faults.append(Fault(where, "conflict", told))
        if each.to == "tags":
            columns.append(Column(each.column, "tags"))
            continue
        if each.to == "consent":
            pair = each.channel or "", each.topic or ""
            if not any(pair):
                faults.append(Fault(where, "missing_field", "needs 'channel', 'topic' or both"))
            elif pair in consents:
                faults.append(Fault(where, "taken", "this consent is filled by another column"))
            consents.add(pair)
            columns.append(Column(each.column, "consent", channel=pair[0], topic=pair[1]))
            continue
        if name in RESERVED:
            told = f'\'{name}\' is no attribute: name another, or say `"to": "tags"` or `"to": "consent"`'
            faults.append(Fault(f"{where}/attribute", "reserved_name", told))
        if name in taken:
            faults.append(Fault(f"{where}/attribute", "taken", f"'{name}' is filled by another column"))
        taken.add(name)
        type_ = "date" if name == "created_at" else each.type
        columns.append(
            Column(each.column, "attribute", name, Declared(type_, (), each.format, each.timezone))
        )
    if faults:
        raise Problem(422, f"{len(faults)} fault(s) in the request.", faults)
    return Plan(asked.id_column, asked.by_email, tuple(columns), asked.empty == "remove", asked.segment or "")


def _unknown(name: str, form: Form) -> str:
    known = ", ".join(each for each in form.header[:20] if each)
    return f"the file has no column '{name[:60]}'; it has {known}"
