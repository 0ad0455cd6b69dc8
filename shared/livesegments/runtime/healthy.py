"""`python -m livesegments.runtime.healthy PORT`: whether a service on this machine is ready, for the health
check of a container. Its exit status is 0 where `/readyz` answers 200; else it says why not.
"""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_S = 4.0


def main(arguments: list[str]) -> str | None:
    """What is wrong; None: it is ready."""
    if len(arguments) != 1 or not arguments[0].isdecimal():
        return "usage: python -m livesegments.runtime.healthy PORT"
    connection = HTTPConnection("127.0.0.1", int(arguments[0]), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read(1_000).decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"it does not answer: {error!r}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"it is not ready: {answer.status} {said}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
