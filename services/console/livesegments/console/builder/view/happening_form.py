"""Which events: their names, and what their properties must be."""

from __future__ import annotations

from livesegments.console.builder import operands, seen, values
from livesegments.console.builder.view import compare_form, inputs
from livesegments.console.builder.view.context import Place
from livesegments.console.parts.button import button
from livesegments.console.parts.tag import Tag

MOST_FILTERS, MOST_DEEP = 20, 3


def names(place: Place, text: str = "Event") -> None:
    """One name in a line; several as chips, which are counted together."""
    called = [each if isinstance(each, str) else "" for each in seen.called(place.node)]
    offers = place.offers(lambda seen: dict.fromkeys(seen.events, ""))

    def change(to: list[str]) -> None:
        place.become(seen.with_names(place.node, list(dict.fromkeys(to))), reshaped=True)

    if len(called) > 1:
        inputs.chips(f"{text}s, counted together", called, change, offers, "Another event", "wide")
        return

    def rename(to: str) -> None:
        place.become(seen.with_names(place.node, [to]))
        place.named(to in place.seen.events)

    inputs.line(text, called[0], rename, offers)
    with inputs.more("Or another event", classes="wide"):

        def add(to: str) -> None:
            change([*(each or "" for each in seen.called(place.node)), to])

        inputs.line("Another one, counted together with it", "", add, offers, when_left=True, classes="inner")


def filters(place: Place, field: str, text: str, events: Place) -> None:
    """`where` or `has`; `events`: the part that names the events, whose properties are offered."""
    tests = place.node.get(field)
    tests = tests if isinstance(tests, list) else []
    with Tag("div", "", "wide where"):
        for index in range(len(tests)):
            _filter(place.at(field, index), place, field, index, events, "", 0)

        def add() -> None:
            now = place.node.get(field)
            new = {"property": "", "op": "eq"}
            place.field(field, [*(now if isinstance(now, list) else []), new], reshaped=True)

        if len(tests) < MOST_FILTERS:
            button(text, add, "quiet", "filter_list")


def _within(known: seen.Seen, events: Place, above: str) -> dict[str, seen.Path]:
    """The properties of the events; of the items of a list, `above`, those of one."""
    return {
        path.removeprefix(f"{above}."): each
        for path, each in known.properties(seen.called(events.node)).items()
        if not above or path.startswith(f"{above}.")
    }


def _filter(
    place: Place, around: Place, field: str, index: int, events: Place, above: str, deep: int
) -> None:
    within = _within(place.seen, events, above)
    node = place.node
    path = node.get("property") if isinstance(node.get("property"), str) else ""
    inner = next((name for name in ("item", "no_item") if name in node), None)

    def take_away() -> None:
        rest = [each for at, each in enumerate(around.node.get(field, [])) if at != index]
        if rest or field in ("item", "no_item"):
            around.field(field, rest, reshaped=True)
        else:
            around.without(field, reshaped=True)

    def turn(to: str) -> None:
        kept = {"property": place.node.get("property", "")}
        if to == "op":
            place.become({**kept, "op": "eq"}, reshaped=True)
        else:
            tests = place.node.get(inner or "", [{"property": "", "op": "eq"}])
            place.become({**kept, to: tests}, reshaped=True)

    found = within.get(path or "", seen.Path())

    def now_known(known: seen.Seen) -> seen.Path | None:
        return _within(known, events, above).get(values.shown(place.node.get("property")))

    def offered(known: seen.Seen) -> dict[str, str]:
        return dict.fromkeys(seen.offered((now_known(known) or seen.Path()).values), "")

    def rename(to: str) -> None:
        place.field("property", to)
        place.named(now_known(place.seen) is not None)

    def known_meanwhile(_: dict[str, str]) -> bool:
        """The form is made for the property's types: it is made anew where they are others by now."""
        if not line.is_deleted:
            now = now_known(place.seen)
            if now is not None and now.types != found.types:
                place.reshape()
        return not line.is_deleted

    with Tag("div", "", "where-one", role="group", aria_label=f"Filter {index + 1}"):
        with Tag("div", "", "fields"):
            names = place.offers(lambda known: seen.described(_within(known, events, above)))
            line = inputs.line("Property", path or "", rename, names, hint=", ".join(found.types))
            names.then(known_meanwhile)
            kinds = {
                "op": "compare it",
                "item": "some item of the list has",
                "no_item": "no item of the list has",
            }
            if deep < MOST_DEEP:
                inputs.select("Look at", inner or "op", kinds, turn)
            if inner is None:
                ops = operands.fitting(found.types, node.get("op"))
                compare_form.form(place, ops, found, place.offers(offered))
            button("", take_away, "quiet", "close", f"Take filter {index + 1} away").classes("away")
        if inner is not None:
            tests = node[inner] if isinstance(node[inner], list) else []
            below = f"{above}.{path}" if above else path or ""
            with Tag("div", "", "where inner"):
                for at in range(len(tests)):
                    _filter(place.at(inner, at), place, inner, at, events, below, deep + 1)

                def add() -> None:
                    new = {"property": "", "op": "eq"}
                    place.field(inner, [*place.node.get(inner, []), new], reshaped=True)

                button("And of the same item", add, "quiet", "filter_list")
