import msgspec

from livesegments.core.definition import Event, Filter, Node, Not, Window


def test_a_definition_reads_from_json_and_writes_back_the_same() -> None:
    document = (
        b'{"type":"not","of":{"type":"event","name":"order_placed",'
        b'"where":[{"property":"total","op":"gt","value":5}],"window":{"from":"2022-07-01"}}}'
    )
    node = msgspec.json.decode(document, type=Node)
    assert node == Not(
        of=Event(
            name="order_placed",
            where=(Filter("total", "gt", 5),),
            window=Window(from_="2022-07-01"),
        )
    )
    assert msgspec.json.encode(node) == document
