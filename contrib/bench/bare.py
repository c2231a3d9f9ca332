"""The limit: the least a Falcon application can do with one prepared statement in raw psycopg.

It knows nothing, checks nothing and records nothing. What IPCraft reaches is measured against it,
under the same gunicorn, on the same PostgreSQL, in the same minute.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from functools import lru_cache
from typing import Any

import falcon
import orjson
import psycopg

DATABASE_URL = "BENCH_DATABASE_URL"
"""The environment variable that names the database of the bare application."""

ROWS = 300_000

SCHEMA = """
CREATE TABLE addresses (
    id text PRIMARY KEY, subnet_id text NOT NULL, ip bytea NOT NULL, hostname text,
    mac_address text, description text, status text NOT NULL, owner text,
    created_at bigint NOT NULL, updated_at bigint NOT NULL
);
CREATE TABLE inserted (LIKE addresses INCLUDING ALL);
CREATE TABLE subnets (
    network bytea NOT NULL, prefix_length smallint NOT NULL, id text NOT NULL,
    name text NOT NULL, description text NOT NULL, section_id text, vrf_id text, gateway bytea,
    is_pool boolean NOT NULL, created_at bigint NOT NULL, PRIMARY KEY (network, prefix_length)
);
"""

FILL = """
INSERT INTO addresses
SELECT 'addr_' || lpad(n::text, 26, '0'), 'sub_' || lpad((n / 60)::text, 26, '0'),
       decode('040a' || lpad(to_hex(n), 6, '0'), 'hex'), 'host-' || n, NULL, '', 'active', NULL,
       1770000000, 1770000000
FROM generate_series(0, %(rows)s - 1) AS n
"""

_COLUMNS = (
    "id, ip, hostname, mac_address, description, status, owner, subnet_id, created_at, updated_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM addresses WHERE id = %s"
_FIFTY = f"SELECT {_COLUMNS} FROM addresses WHERE id >= %s ORDER BY id LIMIT 50"
_INSERT = """
INSERT INTO inserted (id, ip, hostname, description, status, subnet_id, created_at, updated_at)
VALUES (%s, %s, %s, '', 'active', %s, %s, %s)
"""
_SUBNETS = """
SELECT id, network, prefix_length, name, description, section_id, vrf_id, gateway, is_pool,
       created_at
FROM subnets ORDER BY network, prefix_length
"""

_local = threading.local()


def identifier(number: int) -> str:
    """Give the id of a row."""
    return f"addr_{number:026d}"


def connection() -> psycopg.Connection[tuple[Any, ...]]:
    """Give the thread's own connection."""
    found: psycopg.Connection[tuple[Any, ...]] | None = getattr(_local, "connection", None)
    if found is None:
        found = psycopg.connect(os.environ[DATABASE_URL], autocommit=True)
        _local.connection = found
    return found


@lru_cache(maxsize=4096)
def _time(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _ip(packed: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if packed[0] == 4 else socket.AF_INET6, packed[1:])


def _address(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "ip": _ip(row[1]),
        "hostname": row[2],
        "mac_address": row[3],
        "description": row[4],
        "status": row[5],
        "owner": row[6],
        "subnet_id": row[7],
        "created_at": _time(row[8]),
        "updated_at": _time(row[9]),
    }


def _subnet(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "id": row[0],
        "network": f"{_ip(row[1])}/{row[2]}",
        "name": row[3],
        "description": row[4],
        "section_id": row[5],
        "vrf_id": row[6],
        "gateway": None if row[7] is None else _ip(row[7]),
        "is_pool": row[8],
        "created_at": _time(row[9]),
    }


class Address:
    """Answer one row by its primary key."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, identifier: str) -> None:
        """Select one row."""
        row = connection().execute(_SELECT, (identifier,), prepare=True).fetchone()
        if row is None:
            raise falcon.HTTPNotFound
        resp.content_type = falcon.MEDIA_JSON
        resp.data = orjson.dumps(_address(row))


class Addresses:
    """Answer fifty rows; insert one."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Select fifty rows from one id on."""
        rows = connection().execute(_FIFTY, (req.params["from"],), prepare=True).fetchall()
        resp.content_type = falcon.MEDIA_JSON
        resp.data = orjson.dumps([_address(row) for row in rows])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Insert one row and commit."""
        body = orjson.loads(req.bounded_stream.read())
        new = f"addr_{time.time_ns():016x}{os.urandom(5).hex()}"
        packed = b"\x04" + socket.inet_aton(body["ip"])
        now = int(time.time())
        values = (new, packed, body["hostname"], "sub_0", now, now)
        connection().execute(_INSERT, values, prepare=True)
        resp.status = falcon.HTTP_201
        resp.content_type = falcon.MEDIA_JSON
        resp.data = orjson.dumps({"id": new, "ip": body["ip"], "hostname": body["hostname"]})


class Subnets:
    """Answer every subnet, without utilization."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Select and serialize all rows."""
        rows = connection().execute(_SUBNETS, prepare=True).fetchall()
        resp.content_type = falcon.MEDIA_JSON
        resp.data = orjson.dumps([_subnet(row) for row in rows])


class Health:
    """Answer when the process is up."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer 200."""
        resp.data = b"{}"


def create_app() -> falcon.App[falcon.Request, falcon.Response]:
    """Make the application; gunicorn calls it."""
    app: falcon.App[falcon.Request, falcon.Response] = falcon.App()
    app.add_route("/readyz", Health())
    app.add_route("/addresses/{identifier}", Address())
    app.add_route("/addresses", Addresses())
    app.add_route("/subnets", Subnets())
    return app
