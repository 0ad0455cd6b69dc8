"""Logs of the same form and size as the real ones, for a machine without a registry: seeded, always the same.

They need not look like real customers; every segment must have members in them.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from datetime import date, datetime, timedelta
from pathlib import Path

SEED = 19_970_101
CUSTOMERS, FIRST_DAY, COHORT_DAYS, LAST_DAY = 23_570, date(1997, 1, 1), 84, date(1998, 6, 30)
VISITORS, OPENED, CLOSED = 600, datetime(2024, 1, 4), datetime(2024, 6, 29, 22)

PATHS = (
    ("home", "catalog", "product_view", "search", "product_view"),
    ("search", "filter_results", "product_view", "product_view", "wishlist_add"),
    ("promo_page", "product_view", "compare", "product_view", "catalog"),
    ("catalog", "product_view", "add_to_cart", "cart", "error_page", "support_chat"),
    ("product_view", "add_to_cart", "cart", "shipping_details", "payment_details", "purchase"),
    ("product_view", "add_to_cart", "cart", "payment_details", "payment_error", "checkout_bug"),
    ("account_page", "review_page", "home", "catalog", "catalog"),
)
CHANNELS = ("organic", "paid_search", "email", "social", "direct")
PLATFORMS = ("desktop", "mobile", "tablet")


def cdnow(to: Path) -> None:
    """Purchases in CDNOW's fixed columns."""
    chance = random.Random(SEED)
    lines = [" customer_id  date number_of_cds  dollar_value"]
    for customer in range(1, CUSTOMERS + 1):
        day = FIRST_DAY + timedelta(days=chance.randrange(COHORT_DAYS))
        pause_days = chance.choice((40, 150, 400, 2_000, 2_000, 2_000))
        while day <= LAST_DAY:
            cds = min(99, 1 + int(chance.expovariate(0.7)))
            lines.append(
                f" {customer:05} {day:%Y%m%d} {cds:2} {cds * chance.randrange(799, 1799) / 100:7.2f}"
            )
            day += timedelta(days=int(chance.expovariate(1 / pause_days)))
    to.write_bytes(("\r\n".join(lines) + "\r\n").encode("ascii"))


def shop(to: Path) -> None:
    """Clicks in the shop's columns, visitor by visitor."""
    chance = random.Random(SEED)
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        (
            "user_id",
            "session_id",
            "event",
            "timestamp",
            "platform",
            "acquisition_channel",
            "user_cohort",
            "user_lifecycle",
        )
    )
    session = 0
    for visitor in range(VISITORS):
        channel, platforms = chance.choice(CHANNELS), chance.sample(PLATFORMS, chance.choice((1, 1, 2)))
        at = OPENED + timedelta(seconds=chance.randrange(140 * 86_400))
        paths = PATHS[:3] if visitor % 5 == 0 else PATHS  # every fifth only looks
        cohort, pause_days, lifecycle = f"{at:%Y-%m}", chance.choice((9, 30, 90)), "new"
        while at < CLOSED:
            session += 1
            platform = chance.choice(platforms)
            for _ in range(chance.randint(1, 3)):
                for event in chance.choice(paths):
                    if at < CLOSED:
                        rows.writerow(
                            (
                                f"user_{visitor:04}",
                                f"sess_{session:06}",
                                event,
                                at,
                                platform,
                                channel,
                                cohort,
                                lifecycle,
                            )
                        )
                    at += timedelta(seconds=chance.randint(0, 90))
            lifecycle = (
                "loyal" if lifecycle != "new" and chance.random() < 0.3 else max(lifecycle, "returning")
            )
            at += timedelta(seconds=int(chance.expovariate(1 / (pause_days * 86_400))))
    with to.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write(text.getvalue().encode())
