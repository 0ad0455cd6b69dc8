"""The process that works on archive files for an evaluator: `python -m livesegments.history.worker URL`.

Requests and answers are those of `protocol`. It gives way to other processes.
"""

from __future__ import annotations

import gc
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import BinaryIO

from livesegments.history import checkpoints, companion, pasts, pruning, retaining, schema
from livesegments.history.archive import Archive
from livesegments.history.lives import lives
from livesegments.history.protocol import (
    Answer,
    Discard,
    Done,
    Failed,
    Forget,
    List,
    Lives,
    Load,
    Marks,
    Merge,
    Prune,
    Purge,
    Read,
    Remove,
    Request,
    Retain,
    Save,
    Scan,
    Seek,
    Write,
    encode,
    requests,
)
from livesegments.history.scan import scan
from livesegments.store.history import Histories
from livesegments.store.tail import applied

NICE = 10


def work(archive: Archive, request: Request) -> Done:
    match request:
        case Write(partition, of, entries):
            events = schema.events_table(each for commit, entry in entries for each in applied(commit, entry))
            told = schema.transitions_table((commit, entry.transitions) for commit, entry in entries)
            return Done(written=archive.write(partition, of, events, told))
        case Merge(partition, parts, of):
            return Done(written=archive.merge(partition, parts, of))
        case Remove(partition, ranges):
            archive.remove(partition, ranges)
            return Done()
        case List(partition, older_s):
            return Done(ranges=archive.ranges(partition, time.time() - older_s))
        case Scan(partition, ranges, wanted, into):
            return Done(scan(archive, partition, ranges, wanted, Path(into)))
        case Lives(partition, ranges, entries, wanted_lives, into):
            return Done(lives(archive, partition, ranges, entries, wanted_lives, Path(into)))
        case Read(partition, of, store, into):
            return Done(pasts.read(archive, _histories(store), partition, of, Path(into)))
        case Save(mark, scanned, images):
            return Done(saved=checkpoints.save(archive, mark, Path(scanned), Path(images)))
        case Marks(partition):
            return Done(marks=checkpoints.marks(archive, partition))
        case Load(mark, into):
            return Done(checkpoints.load(archive, mark, Path(into)))
        case Forget(partition, older_s, but):
            old = checkpoints.older(archive, partition, time.time() - older_s)
            checkpoints.remove(archive, partition, set(old) - set(but))
            return Done()
        case Prune(partition, registered, persons, by, key):
            return Done(pruning=pruning.prune(archive, partition, registered, persons, by, key))
        case Retain(partition, registered, before, by):
            return Done(pruning=retaining.retain(archive, partition, registered, before, by))
        case Purge(partition, topic, persons, fields, by):
            return Done(purged=pruning.purge(archive, partition, topic, persons, fields, by))
        case Seek(partition, registered, digests, key):
            return Done(persons=pruning.seek(archive, partition, registered, digests, key))
        case Discard(partition, names):
            checkpoints.remove(archive, partition, names)
            return Done()


@cache
def _histories(store: str) -> Histories:
    return Histories(store)


def serve(archive: Archive, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    for message in companion.messages(incoming):
        gc.disable()  # rows are no garbage, and looking through a million costs a quarter of the time
        try:
            answer: Answer = work(archive, requests.decode(message))
        except OSError as error:
            answer = Failed(str(error), isinstance(error, FileNotFoundError))
        gc.enable()
        gc.collect()
        companion.put(outgoing, encode(answer))


def main() -> None:
    os.nice(NICE)
    gc.freeze()
    serve(Archive(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
