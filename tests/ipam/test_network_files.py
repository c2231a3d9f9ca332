"""Files that list networks are read, or refused with the place of what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipcraft.plugin import Invalid
from ipcraft_ipam.network_files import ListedNetwork, read_networks
from ipcraft_ipam.networks import parse_network

TWO = ["10.0.0.0/8", "192.0.2.0/24"]

READABLE = {
    "one column without a name": "192.0.2.0/24\n10.0.0.0/8\n",
    "a header": "network\n192.0.2.0/24\n10.0.0.0/8\n",
    "semicolons": "site;prefix\nA;192.0.2.0/24\nB;10.0.0.0/8\n",
    "tabs": "site\tcidr\nA\t192.0.2.0/24\nB\t10.0.0.0/8\n",
    "pipes": "site|subnet\nA|192.0.2.0/24\nB|10.0.0.0/8\n",
    "quotes and a mark": '\ufeff"site","Network"\r\n"A, B",192.0.2.0/24\r\n"C",10.0.0.0/8\r\n',
    "several columns without names": "A,192.0.2.0/24\nB,10.0.0.0/8\n",
    "empty lines and blanks": "network\n\n 192.0.2.0/24 \n\n10.0.0.0/8\n\n",
    "a network twice": "10.0.0.0/8\n192.0.2.0/24\n10.0.0.0/8\n",
    "a JSON list of texts": '["192.0.2.0/24", "10.0.0.0/8"]',
    "a JSON list of objects": '[{"cidr": "192.0.2.0/24"}, {"cidr": "10.0.0.0/8"}]',
    "a JSON object with a list": '{"date": "x", "nets": ["192.0.2.0/24", "10.0.0.0/8"]}',
    "lists of both families": (
        '{"prefixes": [{"ipv4Prefix": "192.0.2.0/24"}, {"ipv4Prefix": "10.0.0.0/8"}]}'
    ),
}


def read(tmp_path: Path, text: str, *, column: str | None = None) -> list[ListedNetwork]:
    """Read a file of this text."""
    path = tmp_path / "file"
    path.write_text(text, encoding="utf-8")
    return read_networks(path, column=column)


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE)
def test_a_file_is_read_for_its_distinct_networks(tmp_path: Path, text: str) -> None:
    """JSON and CSV in their usual shapes give each network once, in order."""
    assert [str(each.network) for each in read(tmp_path, text)] == TWO


def test_containers_come_before_what_they_contain(tmp_path: Path) -> None:
    """The order lets each subnet find its parent."""
    found = read(tmp_path, "10.0.0.0/24\n2001:db8::/32\n10.0.1.0/24\n10.0.0.0/8\n10.0.0.0/16\n")
    assert [str(each.network) for each in found] == [
        "10.0.0.0/8",
        "10.0.0.0/16",
        "10.0.0.0/24",
        "10.0.1.0/24",
        "2001:db8::/32",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "network,Name,description\n10.0.0.0/8,Lab,All of it\n",
        '[{"network": "10.0.0.0/8", "name": "Lab", "description": "All of it"}]',
    ],
)
def test_name_and_description_are_taken_along(tmp_path: Path, text: str) -> None:
    """Columns of these names go with the network."""
    listed = ListedNetwork(parse_network("10.0.0.0/8"), "Lab", "All of it")
    assert read(tmp_path, text) == [listed]


def test_the_first_of_two_rows_of_a_network_counts(tmp_path: Path) -> None:
    """A repetition changes nothing."""
    (listed,) = read(tmp_path, "network,name\n10.0.0.0/8,one\n10.0.0.0/8,two\n")
    assert listed.name == "one"


@pytest.mark.parametrize(
    "text",
    ["network,range\n192.0.2.0/24,10.0.0.0/8\n", '[{"network": "x", "range": "10.0.0.0/8"}]'],
)
def test_the_column_may_be_named(tmp_path: Path, text: str) -> None:
    """`column` wins over the usual names."""
    (listed,) = read(tmp_path, text, column="range")
    assert str(listed.network) == "10.0.0.0/8"


REFUSED = {
    "host bits in CSV": (
        "network\n10.0.0.0/8\n10.0.0.1/8\n",
        None,
        "line 3, column network: '10.0.0.1/8' has host bits set: did you mean 10.0.0.0/8?",
    ),
    "a short row": (
        "name,network\na,10.0.0.0/8\nb\n",
        None,
        "line 3, column network: '' has no prefix length: write it like 10.0.1.0/24",
    ),
    "host bits in JSON": (
        '{\n "nets": [\n  {"cidr": "10.0.0.1/8"}\n ]\n}',
        None,
        (
            "line 3, column 12 (nets[0].cidr): "
            "'10.0.0.1/8' has host bits set: did you mean 10.0.0.0/8?"
        ),
    ),
    "a number in JSON": ('{"nets": [5]}', None, "nets[0]: 5 is no network"),
    "broken JSON": ('[\n "10.0.0.0/8",\n]', None, "is not JSON"),
    "deep JSON": ("[" * 100_000, None, "is nested too deeply"),
    "JSON without a list": ('{"a": 1}', None, "has no list of networks in it"),
    "an object without a network": ('[{"a": "b"}]', None, "has no column of networks (network, "),
    "a misspelled column in JSON": (
        '[{"range": "10.0.0.0/8"}]',
        "rnage",
        'has no rnage; did you mean "range"?',
    ),
    "no column of networks": (
        "site,vlan\nA,5\n",
        None,
        (
            "line 1: there is no column of networks (network, prefix, cidr, subnet, ip_prefix, "
            "ipv6_prefix, ipv4prefix, ipv6prefix): name it with --column; the columns are site"
        ),
    ),
    "a misspelled column": (
        "network,range\n",
        "rnage",
        "line 1: there is no column 'rnage'; did you mean \"range\"?; the columns are network, ",
    ),
}


@pytest.mark.parametrize(("text", "column", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_named_with_its_place(
    tmp_path: Path, text: str, column: str | None, complaint: str
) -> None:
    """The error begins with the file and tells what to mend."""
    with pytest.raises(Invalid) as caught:
        read(tmp_path, text, column=column)
    assert str(caught.value).startswith(str(tmp_path / "file"))
    assert complaint in str(caught.value)


def test_many_complaints_are_cut_short(tmp_path: Path) -> None:
    """Ten are shown, the rest counted."""
    with pytest.raises(Invalid) as caught:
        read(tmp_path, "network\n" + "nonsense\n" * 30)
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[-1]) == (11, "and 20 more")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """What the system says goes along."""
    with pytest.raises(Invalid, match="gone: cannot be read: No such file or directory"):
        read_networks(tmp_path / "gone")


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    """Only UTF-8 is read."""
    path = tmp_path / "file"
    path.write_bytes(b"network,name\n10.0.0.0/8,\xfcber\n")
    with pytest.raises(Invalid, match=r"is not UTF-8 text \(byte 24\)"):
        read_networks(path)


def test_an_empty_file_lists_nothing(tmp_path: Path) -> None:
    """Nothing in it is no mistake."""
    assert read(tmp_path, "") == []
