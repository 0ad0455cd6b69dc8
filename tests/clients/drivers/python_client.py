"""Runs one of the Python libraries, which all have the same calls: `python_client.py FOLDER MODULE URL KEY WHAT`.

FOLDER has the library; WHAT is `everything` or `odd`. It prints one JSON object: the status of every answer that
the library got, and the errors that it reported; on standard error a line for every answer as it comes. Ending at all shows that `flush()` returned.
"""

from __future__ import annotations

import importlib
import json
import sys
from datetime import datetime, timezone
from typing import Any

folder, module, url, key, what = sys.argv[1:]
sys.path.insert(0, folder)

requests: Any = importlib.import_module("requests")  # the library's own
statuses: list[int] = []
errors: list[dict[str, Any]] = []
send = requests.Session.send


def counted(session: Any, request: Any, **options: Any) -> Any:
    answer = send(session, request, **options)
    statuses.append(answer.status_code)
    print(f"status {answer.status_code}", file=sys.stderr, flush=True)
    return answer


requests.Session.send = counted


def failed(error: Any, _: Any) -> None:
    errors.append({name: getattr(error, name, None) for name in ("status", "code", "message")})


client: Any = importlib.import_module(module).Client(key, host=url, on_error=failed, max_retries=3)
if what == "everything":
    traits = {"email": "ann@example.com", "age": 31, "address": {"city": "Berlin"}, "langs": ["de", "en"]}
    client.identify("ann", traits)
    at = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)  # noqa: UP017  (as programs of the library's age say it)
    client.track("ann", "Order Placed", {"total": 59.9, "products": [{"id": "p1"}]}, timestamp=at)
    client.track("ann", "Seen")
    client.page("ann", "Shop", "Home", {"url": "https://example.com/"})
    client.screen("ann", "Shop", "Cart", {"items": 2})
    client.group("ann", "initech", {"plan": "pro"})
    client.alias("a-1", "ann")
else:
    client.track("ann", "$reserved")
    client.identify("ann", {"email": "ann@example.com", "companies": [{"id": "c1"}]})
    client.track("ann", "Seen")
client.flush()
client.join()
print(json.dumps({"statuses": statuses, "errors": errors}))
