"""Where a customer's webhook may not go, in all the ways that an address can be written."""

from __future__ import annotations

import pytest

from livesegments.runtime.addresses import fault_of, hosts, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.7", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "nonsense",
    ],
)  # fmt: skip
def test_no_private_loopback_link_local_or_mapped_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://[::1]:80/",
        "http://localhost:8000/", "http://a.localhost/", "ftp://example.com/", "https:///x", "https://u:p@a.com/",
        "https://a.com/\r\nX: 1", "https://a.com/" + "x" * 2_000, "http://[::ffff:10.0.0.1]/", "gopher", "http://a:0/",
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str) -> None:
    assert fault_of(url, ()) is not None


def test_a_host_that_the_setting_names_may_be_reached() -> None:
    permitted = hosts("localhost, 127.0.0.1")
    assert fault_of("http://127.0.0.1:8000/x", permitted) is None
    assert fault_of("http://LOCALHOST:8000/x", permitted) is None
    assert fault_of("http://127.0.0.2:8000/x", permitted) is not None
    assert fault_of("https://hooks.example.com/x?y=1", ()) is None
