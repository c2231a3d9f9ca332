"""Networks of clouds: what the command lines of AWS and Azure, and Azure's IPAM, print as JSON.

Sources: https://docs.aws.amazon.com/cli/latest/reference/ec2/ (describe-vpcs, describe-subnets,
get-ipam-pool-allocations, get-ipam-resource-cidrs), https://learn.microsoft.com/cli/azure/network/vnet
and https://azure.github.io/ipam/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ipcraft_interchange.entries import Entry, Found, Problem
from ipcraft_interchange.files.documents import Document, keys_of
from ipcraft_interchange.files.json_items import Item
from ipcraft_interchange.importers import Importer, Mapped

_AWS_LISTS: Mapping[str, str] = {
    "Vpcs": "CidrBlock",
    "Subnets": "CidrBlock",
    "IpamPoolAllocations": "Cidr",
    "IpamResourceCidrs": "ResourceCidr",
}
_AWS_USED = {
    "CidrBlock",
    "CidrBlockAssociationSet",
    "Ipv6CidrBlockAssociationSet",
    "Cidr",
    "ResourceCidr",
    "Tags",
    "ResourceTags",
    "ResourceName",
    "Description",
    "VpcId",
    "SubnetId",
    "ResourceId",
    "IpamPoolAllocationId",
}


def _recognizes_aws(document: Document) -> bool:
    return any(
        item.index is not None and _AWS_LISTS.get(item.key) in keys_of(item.value)
        for item in document.sample
    )


def _read_aws(document: Document, mapped: Mapped) -> Iterator[Found]:
    for item in document.items():
        if item.key not in _AWS_LISTS or item.index is None:
            continue
        if not isinstance(item.value, dict):
            yield _no_object(item)
            continue
        value = item.value
        tags = _tags(value.get("Tags") or value.get("ResourceTags"))
        own_id = next(
            (
                value[key]
                for key in ("SubnetId", "VpcId", "ResourceId", "IpamPoolAllocationId")
                if value.get(key)
            ),
            None,
        )
        name = tags.get("Name") or value.get("ResourceName") or own_id
        described = value.get("Description") or (own_id if own_id != name else None)
        lost = [key for key in value if key not in _AWS_USED and value[key] not in (None, "", [])]
        lost += [f"tag {key}" for key in tags if key != "Name"]
        yield from _networks(item, _aws_networks(item.key, value), name, described, lost)


def _aws_networks(key: str, value: Mapping[str, Any]) -> Iterator[object]:
    yield value.get(_AWS_LISTS[key])
    for group, name in (
        ("CidrBlockAssociationSet", "CidrBlock"),
        ("Ipv6CidrBlockAssociationSet", "Ipv6CidrBlock"),
    ):
        yield from (each.get(name) for each in _objects(value.get(group)))


def _tags(tags: object) -> dict[str, str]:
    if not isinstance(tags, list):
        return {}
    return {
        str(tag.get("Key")): str(tag.get("Value", "")) for tag in tags if isinstance(tag, Mapping)
    }


def _recognizes_azure(document: Document) -> bool:
    return any("addressSpace" in keys_of(item.value) for item in document.sample)


def _read_azure(document: Document, mapped: Mapped) -> Iterator[Found]:
    for item in document.items():
        value = item.value
        if not isinstance(value, Mapping) or "addressSpace" not in value:
            continue
        space = value.get("addressSpace")
        prefixes = space.get("addressPrefixes") if isinstance(space, Mapping) else None
        location = value.get("location")
        yield from _networks(item, _listed(prefixes), value.get("name"), location, [])
        for subnet in _objects(value.get("subnets")):
            inner = subnet.get("properties")
            fields = {**subnet, **inner} if isinstance(inner, Mapping) else subnet
            found = _listed(fields.get("addressPrefixes")) or [fields.get("addressPrefix")]
            yield from _networks(item, found, fields.get("name"), None, [])


def _recognizes_azure_ipam(document: Document) -> bool:
    return any({"name", "blocks"} <= keys_of(item.value) for item in document.sample)


def _read_azure_ipam(document: Document, mapped: Mapped) -> Iterator[Found]:
    for item in document.items():
        if not isinstance(item.value, Mapping):
            yield _no_object(item)
            continue
        space = item.value
        folder = str(space.get("name") or "")
        yield Entry("folder", {"name": folder, "description": space.get("desc")}, item.line)
        for block in _objects(space.get("blocks")):
            yield from _networks(item, [block.get("cidr")], block.get("name"), None, [], folder)
            for vnet in _objects(block.get("vnets")):
                prefixes = _listed(vnet.get("prefixes"))
                yield from _networks(item, prefixes, vnet.get("name"), None, [], folder)
                yield from _named_prefixes(item, vnet.get("subnets"), "prefix", folder)
            for external in _objects(block.get("externals")):
                yield from _named_prefixes(item, [external], "cidr", folder)
                yield from _external(item, external, folder)
            for reserved in _objects(block.get("resv")):
                described = reserved.get("desc") or "reserved"
                yield from _networks(item, [reserved.get("cidr")], described, None, [], folder)


def _external(item: Item, external: Mapping[str, Any], folder: str) -> Iterator[Found]:
    for subnet in _objects(external.get("subnets")):
        yield from _named_prefixes(item, [subnet], "cidr", folder)
        for endpoint in _objects(subnet.get("endpoints")):
            values = {
                "ip": endpoint.get("ip"),
                "hostname": endpoint.get("name"),
                "description": endpoint.get("desc"),
                "subnet": subnet.get("cidr"),
            }
            yield Entry("address", _told(values), item.line)


def _named_prefixes(item: Item, found: object, key: str, folder: str) -> Iterator[Found]:
    for each in _objects(found):
        described = each.get("desc")
        yield from _networks(item, [each.get(key)], each.get("name"), described, [], folder)


def _networks(
    item: Item,
    networks: Iterable[object],
    name: object,
    description: object,
    lost: Sequence[str],
    section: str | None = None,
) -> Iterator[Found]:
    # What is no text is no network; it is refused where it is read.
    distinct = {each if isinstance(each, str) else repr(each): each for each in networks if each}
    for network in distinct.values():
        values = {
            "network": network,
            "name": name,
            "description": description,
            "section": section,
        }
        yield Entry("subnet", _told(values), item.line, lost=lost)
    if not distinct:
        yield Problem(item.line, f"{item.path} has no network", str(item.column))


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "")}


def _listed(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else ()


def _objects(found: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(found, list):
        yield from (each for each in found if isinstance(each, Mapping))


def _no_object(item: Item) -> Problem:
    return Problem(item.line, f"{item.path} is no object", str(item.column))


CLOUDS: Sequence[Importer] = (
    Importer("aws", "AWS, JSON of its command line", _recognizes_aws, _read_aws, repeats=True),
    Importer("azure", "Azure, virtual networks", _recognizes_azure, _read_azure, repeats=True),
    Importer(
        "azure-ipam", "Azure IPAM, spaces", _recognizes_azure_ipam, _read_azure_ipam, repeats=True
    ),
)
