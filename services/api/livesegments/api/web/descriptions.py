"""The meaning of properties and parameters in OpenAPI where their models don't say it; every name stands
once.

`segments` may mean another thing in another schema: `SCHEMA.property` goes before `property`.
"""

from __future__ import annotations

from typing import Any

PROPERTIES = {
    "absent": "Whether this last step must not have come by the end of `within`.",
    "accepted": "How many profiles were accepted.",
    "applied": "The next offset that the evaluator applies.",
    "attribute": "The name of the attribute that holds a point.",
    "attributes": "Name → value of every attribute that the profile has.",
    "channel": "The channel of the consent; null: of all of them.",
    "clock": "The partition's clock; null before the first event.",
    "code": "What is wrong, as a stable word for machines.",
    "consent": "The state of every pair of channel and topic that was ever given.",
    "count": "How many profiles are members now.",
    "created_at": "When it was created.",
    "definition": "The condition that a member fulfils; null for a static segment.",
    "ConditionBucket.from": "The percentage at which the bucket begins; two decimals at most.",
    "ConditionBucket.to": "The percentage before which it ends.",
    "ConditionTag.name": "The tag; without it any tag at all.",
    "description": "What its author says of it.",
    "done": "How many profiles are evaluated under the present definition.",
    "due": "How many due times lie before the partition's clock.",
    "end": "The offset after the last record of the partition.",
    "entered_at": "Since when the profile is a member; null: it is none.",
    "from": "The instant at which the window begins; with `period`, the first period, as a number from now.",
    "groups": "The groups that the profile is in, sorted.",
    "has": "The filters that all hold for the first or last event itself.",
    "id": "Its id.",
    "ignore_case": "Whether strings are compared without regard to upper and lower case.",
    "value_list": "The id of a value list, which stands instead of a value.",
    "in": "Whether the profile is a member now.",
    "item": "Instead of an op: the filters that some item of the list satisfies all of.",
    "keys": "The keys of the workspace, the oldest first.",
    "km": "The greatest distance in kilometres.",
    "last": "How far the window reaches back from now: `30d`, say.",
    "lat": "The latitude in degrees.",
    "lon": "The longitude in degrees.",
    "measure": "What of the events is compared; without it their number.",
    "members": "The ids of profiles that are members.",
    "memberships": "One answer for every profile that was asked for, in the same order.",
    "message": "What is wrong, and what would be right, as a sentence for people.",
    "name": "Its name.",
    "names": "The names of events that are counted together, in place of `name`.",
    "no_item": "Instead of an op: the filters that no item of the list satisfies all of.",
    "next_cursor": "Give it back as `cursor` for the next page; null: this is the last one.",
    "of": "What the node is made of.",
    "offsets": "The offset after the control record, by partition.",
    "op": "How it is compared; docs/conditions.md has a table.",
    "recounts": "How many profiles have events that are still to be taken back.",
    "handing": "Of how many commits merged profiles still hand their history over.",
    "outbox": "How many commits are not announced yet.",
    "partition": "The number of the partition.",
    "partitions": "The state of every partition.",
    "period": "The calendar periods that the window is made of: day, week, month, quarter or year.",
    "pointer": "Where: a JSON pointer into the body, or the name of a parameter, as in `query: limit`.",
    "profile": "The id of the profile.",
    "profiles": "The ids of profiles.",
    "progress": "How far the evaluation of the segment is.",
    "property": "The path of the event's property that is compared.",
    "revision": "A revision of the catalogue: of a partition the one that it has adopted, else the newest.",
    "same": "The path of a property of which all events of a sequence have one value in common.",
    "salt": "The name of the lot: with another one, every profile is in another bucket.",
    "scopes": "What the key may do.",
    "score": "The score of the profile; null: it has none.",
    "segments": "The segments of this page.",
    "skip": "How much of the window is left out at its near end.",
    "state": "`building` while profiles are still evaluated, then `ready`; `archived`: it is put aside.",
    "status": "`ok`.",
    "steps": "The events that follow one another.",
    "tags": "Labels.",
    "timezone": "The IANA time zone of the workspace's days and dates.",
    "to": "The instant at which it ends; with `period`, the last period, as a number from now.",
    "topic": "The topic of the consent; null: of all of them.",
    "total": "How many profiles there were to evaluate.",
    "type": "The kind of segment.",
    "updated_at": "When it was last edited.",
    "valid_until": "When the clock alone will change the membership; null: never, as things are.",
    "value": "What is compared with.",
    "when_missing": "What holds where there is nothing to compare.",
    "where": "The filters that all hold for an event that counts.",
    "which": "`first` or `last`: which event of this name is meant.",
    "window": "When the events happened; without it whenever they did.",
    "within": "How long after the first step the last one comes at the latest.",
    "workspaces": "The workspaces of this page, the oldest first.",
    "ConditionConsent.state": "The state that the consent has.",
    "ConditionMeasure.property": "The path of the property that is added up, or of which values are counted.",
    "ConditionSegmentRef.id": "The id of the segment whose members are meant.",
    "ConsentOut.state": "The last state that was given.",
    "ProfileOut.segments": "The segments that the profile is a member of.",
    "ProfileOut.tags": "The tags of the profile, sorted.",
}
PARAMETERS = {
    "id": "The id of the segment or workspace.",
    "key_id": "The id of the key.",
    "limit": "The most items in a page.",
    "order": "Upward or downward.",
    "sort": "By what the list is sorted.",
    "folder": "Only segments in this folder and those within it; empty: those in none.",
    "state": "Only segments in this state; without it all but the archived ones.",
    "tag": "Only segments with this tag.",
    "topic": "Only segments with this topic.",
    "type": "Only segments of this kind.",
}
NODE = "The kind of node."


def describe(document: dict[str, Any]) -> None:
    """Fills them in."""
    for schema, body in document["components"]["schemas"].items():
        for name, part in body.get("properties", {}).items():
            said = NODE if schema.startswith("Condition") and name == "type" else PROPERTIES.get(name)
            said = PROPERTIES.get(f"{schema}.{name}", said)
            if said is not None:
                part.setdefault("description", said)
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in PARAMETERS:
                    parameter.setdefault("description", PARAMETERS[parameter["name"]])
