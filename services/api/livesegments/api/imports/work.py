"""An import while it is done: the file's rows go to ingest as changes of profiles, piece by piece.

The id of a row's change is `import-JOB-ROW`. So a process that dies over an import, or a broker that is away
for a while, makes nobody's change twice: the job goes on behind the last row that it told of, and what was
sent but not told of is sent again under the same ids. What is refused is judged anew then, because its file
was not finished.

Behind the last row it waits until ingest and the evaluators have come there, too (`arrival`): so the rows
that they refuse are in the file as well, and `done` means that all the others are applied.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import IO, Any

import msgspec
from msgspec import Struct

from livesegments.api.imports.arrival import Arrivals, Way, prefix_of
from livesegments.api.imports.mapping import Plan, Reader, typed
from livesegments.api.imports.table import HEAD_BYTES, Form, Joined, Row, Unsuitable, form_of, rows
from livesegments.api.jobs.jobs import Doing, Failed, Jobs, Waits
from livesegments.api.web.inbound import Inbound
from livesegments.core.fault import Fault
from livesegments.history.export_files import ExportFiles
from livesegments.history.exported import neutral
from livesegments.store.catalog import Catalog
from livesegments.store.erasures import Notes
from livesegments.store.jobs import Job, spec

KIND = "import"
PIECE = 1_000
PATIENCE_MS = 43_200_000
"""An import waits at most so long (half a day) for ingest and the evaluators: its file is kept no longer."""
REFUSED_BYTES = 256 << 20
"""Of the file of refused rows; what is beyond is counted only."""


class Asked(Struct, frozen=True, omit_defaults=True):
    """A file that is sent in parts (`parts`: where each begins, in bytes), and what becomes of it.

    erased   per partition, the newest erasure in the workspace when it began (store.erasures)
    refused  bytes of the file of refused rows; 0: there is none
    way      how far its rows have to come, once all are sent
    whole    whether the file has the rows, too, that were refused on their way
    """

    file_name: str
    bytes: int = 0
    parts: tuple[int, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    plan: Plan | None = None
    erased: tuple[int, ...] = ()
    refused: int = 0
    way: Way | None = None
    whole: bool = False


def asked(job: Job) -> Asked:
    return msgspec.json.decode(job.spec, type=Asked)


class Files:
    """Where the parts of the files are, and the refused rows. All of it blocks, but for `of`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._files: ExportFiles | None = None

    async def of(self) -> Files:
        """Itself, once its place is open."""
        if self._files is None:
            self._files = await asyncio.to_thread(ExportFiles, self._url)
        return self

    @property
    def _open(self) -> ExportFiles:
        assert self._files is not None
        return self._files

    def put(self, job: Job, at: int, data: bytes) -> None:
        self._open.put(job.workspace, _part(job, at), io.BytesIO(data))

    def whole(self, job: Job) -> IO[bytes]:
        """Raises FileNotFoundError, when it is read, where it is gone."""
        parts = asked(job).parts
        return io.BufferedReader(
            Joined(self._open.open(job.workspace, _part(job, at)) for at in parts), 1 << 16
        )

    def form(self, job: Job) -> Form:
        """Raises Unsuitable, or FileNotFoundError."""
        told = asked(job)
        with self.whole(job) as file:
            return form_of(file.read(HEAD_BYTES), told.encoding, told.delimiter)

    def put_refused(self, job: Job, whole: IO[bytes]) -> int:
        return self._open.put(job.workspace, _refused(job), whole)

    def refused(self, job: Job) -> IO[bytes]:
        """Raises FileNotFoundError."""
        return self._open.open(job.workspace, _refused(job))

    def remove(self, job: Job, refused: bool = True) -> None:
        for at in asked(job).parts:
            self._open.remove(job.workspace, _part(job, at))
        if refused:
            self._open.remove(job.workspace, _refused(job))

    def tidy(self, until_s: float) -> None:
        """What was written before an instant (seconds since 1970) goes."""
        for workspace, name in self._open.older(until_s):
            self._open.remove(workspace, name)


def _part(job: Job, at: int) -> str:
    return f"{job.id}-{at:012}"


def _refused(job: Job) -> str:
    return f"{job.id}-refused.csv"


class Refused:
    """The file of refused rows: the row's number, the reasons, and the cells as they came."""

    def __init__(self, form: Form) -> None:
        self.count = 0
        self._raw = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self._text = io.TextIOWrapper(self._raw, "utf-8", "replace", newline="", write_through=True)
        self._writer = csv.writer(self._text)
        self._writer.writerow(["row", "reason", *map(neutral, form.header)])

    def add(self, row: Row, faults: Sequence[Fault]) -> None:
        self.told(
            row,
            "; ".join(f"{each.pointer}: {each.message}" if each.pointer else each.message for each in faults),
        )

    def told(self, row: Row, why: str) -> None:
        self.again([str(row.number), neutral(why), *map(neutral, row.cells)])

    def again(self, record: Sequence[str]) -> None:
        """As another file of refused rows has it."""
        self.count += 1
        if self._raw.tell() < REFUSED_BYTES:
            self._writer.writerow(record)

    def finish(self) -> IO[bytes]:
        self._text.flush()
        self._raw.seek(0)
        return self._raw

    def close(self) -> None:
        self._text.close()


class Imports:
    """Does imports."""

    def __init__(
        self,
        catalog: Catalog,
        files: Files,
        inbound: Inbound,
        erasures: Notes,
        jobs: Jobs,
        arrivals: Arrivals,
        now_ms: Callable[[], int],
    ) -> None:
        self.files = files
        self._catalog, self._inbound, self._erasures = catalog, inbound, erasures
        self._arrivals, self._now_ms = arrivals, now_ms
        jobs.does(KIND, self._run)

    async def _run(self, doing: Doing) -> None:
        files = await self.files.of()
        try:
            if asked(doing.job).way is None:
                await self._send(doing, files)
            await self._arrived(doing)
            await self._late(doing, files)
        except FileNotFoundError as error:
            raise Failed("its file is gone: send it again") from error
        except (Unsuitable, KeyError) as error:
            raise Failed(str(error)) from error
        await asyncio.to_thread(files.remove, doing.job, False)

    async def _send(self, doing: Doing, files: Files) -> None:
        job, told = doing.job, asked(doing.job)
        assert told.plan is not None
        plan = typed(told.plan, await self._catalog.declarations(job.workspace))
        if plan.segment:
            segment = await self._catalog.segment(job.workspace, plan.segment)
            if segment is None or segment.definition is not None or segment.archived_ms:
                raise Failed(f"there is no static segment '{plan.segment}' to put anybody into any more")
        if not told.erased:
            told = msgspec.structs.replace(told, erased=await self._erasures.newest(job.workspace))
            await doing.tell(spec=spec(told))
        form = await asyncio.to_thread(files.form, job)
        refused = Refused(form)
        try:
            await self._through(doing, files, form, Reader(plan, form.header), refused)
            size = 0
            if refused.count:
                size = await asyncio.to_thread(files.put_refused, job, refused.finish())
            told = msgspec.structs.replace(told, refused=size, way=await self._arrivals.way())
            await doing.tell(spec=spec(told), total=doing.job.done)
        finally:
            refused.close()

    async def _arrived(self, doing: Doing) -> None:
        """Returns once ingest and the evaluators have come behind the last row. Raises Waits or Failed."""
        told = asked(doing.job)
        assert told.way is not None
        left = await self._arrivals.further(told.way)
        if left is None:
            return
        if left != told.way:
            await doing.tell(spec=spec(msgspec.structs.replace(told, way=left)))
        if self._now_ms() - doing.job.begun_ms > PATIENCE_MS:
            raise Failed(
                f"all rows are sent, but {'ingest has' if not left.events else 'evaluators have'} not come "
                "to all of them in time: see that it runs; what it refuses is in `livesegments rejected`"
            )
        raise Waits("all rows are sent: it waits until they are applied")

    async def _late(self, doing: Doing, files: Files) -> None:
        """Rows that were refused on their way join the file of the refused ones."""
        job, told = doing.job, asked(doing.job)
        if told.whole:
            return
        late = await self._arrivals.refused(job.workspace, job.id, job.begun_ms)
        if not late:
            return
        form = await asyncio.to_thread(files.form, job)
        refused = Refused(form)
        try:
            count = job.counts.get("refused", 0)
            count += await asyncio.to_thread(_join, files, job, form, refused, late)
            size = await asyncio.to_thread(files.put_refused, job, refused.finish())
            told = msgspec.structs.replace(told, refused=size, whole=True)
            await doing.tell(spec=spec(told), counts={"accepted": job.done - count, "refused": count})
        finally:
            refused.close()

    async def _through(
        self, doing: Doing, files: Files, form: Form, reader: Reader, refused: Refused
    ) -> None:
        job, sent = doing.job, int(doing.job.place or 0)
        with await asyncio.to_thread(files.whole, job) as file:
            found = rows(file, form)
            done = 0
            while piece := await asyncio.to_thread(_piece, found, reader, refused, job.id, sent):
                last, changes = piece
                await self._inbound.send(job.workspace, changes)
                done = last
                if last > sent:
                    counts = {"accepted": done - refused.count, "refused": refused.count}
                    await doing.tell(done=done, total=max(job.total, done), counts=counts, place=str(last))


def _join(files: Files, job: Job, form: Form, refused: Refused, late: Mapping[int, str]) -> int:
    """Writes the file of refused rows anew, with those that came late; how many these are."""
    count = 0
    with ExitStack() as stack:
        early: Iterator[list[str]] = iter(())
        if asked(job).refused:
            text = io.TextIOWrapper(stack.enter_context(files.refused(job)), "utf-8", newline="")
            early = csv.reader(text)
            next(early)
        following = next(early, None)
        for row in rows(stack.enter_context(files.whole(job)), form):
            count += row.number in late
            if following is not None and row.number == int(following[0]):
                refused.again(following)
                following = next(early, None)
            elif row.number in late:
                refused.told(row, late[row.number])
    return count


def _piece(
    found: Iterator[Row], reader: Reader, refused: Refused, job: str, sent: int
) -> tuple[int, list[dict[str, Any]]] | None:
    """The number of the last of the next rows, and the changes of those behind `sent`; None at the end."""
    last = 0
    changes: list[dict[str, Any]] = []
    for row in islice(found, PIECE):
        last = row.number
        read = reader.read(row)
        if isinstance(read, list):
            refused.add(row, read)
        elif row.number > sent:
            changes.append({"id": f"{prefix_of(job)}{row.number:09}", **read})
    return (last, changes) if last else None
