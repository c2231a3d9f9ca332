"""Rate limits over all workers: in shared memory, and in Redis, which may go away."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import redis
import requests

from ipcraft.plugin import RateLimit, StartError
from ipcraft.testing import Client, make_application, make_organization
from ipcraft.testing.organizations import make_session
from ipcraft.testing.services import FaultProxy
from ipcraft.testing.services import Redis as RedisServer
from ipcraft.testing.serving import Org, Served
from ipcraft_local import LocalRateLimiter
from ipcraft_redis.connection import connect
from ipcraft_redis.rate_limits import RedisRateLimiter

LIMIT = RateLimit(name="test", requests=3, seconds=60)
WORKERS = 4
RATE = 30
"""Requests a second that the plan `pro` allows."""


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Give a Redis that may be killed."""
    with RedisServer() as server:
        yield server


def limiter(url: str, *, timeout: float = 5.0, pause: float = 0.0) -> RedisRateLimiter:
    """Make a limiter."""
    client = connect(url, timeout=timeout)
    return RedisRateLimiter(client, prefix="t", pause=pause, fallback=LocalRateLimiter())


def test_limiters_of_one_server_count_together(own_redis: RedisServer) -> None:
    """Whoever counts, the key has one count; each key its own."""
    one, other = limiter(own_redis.url), limiter(own_redis.url)
    taken = [each.take("org", LIMIT) for each in (one, other, one, other)]
    assert [(each.allowed, each.remaining) for each in taken] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
    ]
    assert 59 < taken[-1].seconds <= 60
    assert one.take("another", LIMIT).remaining == 2


def test_a_count_ends_with_its_window(own_redis: RedisServer) -> None:
    """Nothing stays in Redis longer than it counts, and no name in it tells a secret."""
    limiter(own_redis.url).take("org_1", LIMIT)
    with closing(redis.Redis.from_url(own_redis.url)) as client:
        [key] = client.keys()
        assert key == b"t:rate:org_1"
        assert 0 < client.pttl(key) <= 60_000


def test_without_redis_a_process_counts_alone(own_redis: RedisServer) -> None:
    """Requests are served and limited while it is away; then it counts again."""
    counting = limiter(own_redis.url)
    assert counting.take("org", LIMIT).remaining == 2
    own_redis.kill()
    assert [counting.take("org", LIMIT).allowed for _ in range(4)] == [True, True, True, False]
    assert "Redis cannot be used" in (counting.check() or "")
    own_redis.resume()
    assert counting.check() is None
    assert counting.take("org", LIMIT).remaining == 2


def test_a_silent_redis_slows_few_requests(own_redis: RedisServer) -> None:
    """One request waits for its answer, the next ones do not even ask."""
    with FaultProxy("127.0.0.1", own_redis.port) as proxy:
        url = proxy.url("redis://127.0.0.1:1/0")
        counting = limiter(url, timeout=0.2, pause=60)
        assert counting.take("org", LIMIT).allowed
        proxy.black_hole()
        started = time.monotonic()
        for _ in range(50):
            counting.take("other", LIMIT)
        assert time.monotonic() - started < 2


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
@pytest.mark.parametrize("where", ["memory", "redis"])
def test_all_workers_count_together(
    database_url: str, tmp_path: Path, redis: RedisServer, where: str
) -> None:
    """In each second no more requests are let through than the plan allows, whoever answers."""
    environ = {"IPCRAFT_REDIS_URL": redis.url} if where == "redis" else {}
    with Served(database_url, tmp_path, workers=WORKERS, environ=environ) as served:
        org = served.organization(plan="pro")
        begun = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            statuses = Counter(pool.map(lambda _: ask(served, org), range(8 * RATE)))
        windows = int(time.monotonic() - begun) + 2
    assert statuses.keys() == {200, 429}
    assert RATE <= statuses[200] <= windows * RATE


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_redis_holds_no_secret(database_url: str, own_redis: RedisServer) -> None:
    """Neither keys, cookies nor addresses of people, whatever requests bring."""
    sections = {"redis": {"url": own_redis.url}}
    app = make_application(database_url, sections=sections)
    organization = make_organization(app, plan="pro")
    session = make_session(app, organization.email)
    organization.client.get("/api/v1/auth/me")
    organization.client.post("/api/v1/sections", json={"name": organization.key})
    Client(app, session=session).get("/api/v1/auth/me")
    Client(app, f"{organization.key[:-1]}x").get("/api/v1/auth/me")
    app.storage.close()
    with closing(redis.Redis.from_url(own_redis.url)) as client:
        keys = client.keys()
        dump = repr([(key, client.dump(key)) for key in keys])
    assert organization.id in dump
    for canary in (organization.key, organization.key[4:20], session, organization.email):
        assert canary not in dump


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_settings_name_the_limiter(database_url: str, own_redis: RedisServer) -> None:
    """With a URL it is Redis unless another is named; an unknown name stops the start."""
    sections = {"redis": {"url": own_redis.url}}
    assert make_application(database_url, sections=sections).rate_limiter.name == "redis"
    assert make_application(database_url).rate_limiter.name == "local"
    local = make_application(database_url, sections=sections, settings={"rate_limiter": "local"})
    assert local.rate_limiter.name == "local"
    with pytest.raises(StartError, match=r"there is no redis .*known: local"):
        make_application(database_url, settings={"rate_limiter": "redis"})


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_readyz_tells_that_redis_is_gone(
    database_url: str, tmp_path: Path, own_redis: RedisServer
) -> None:
    """Requests go on; the operator sees why limits are no longer exact."""
    environ = {"IPCRAFT_REDIS_URL": own_redis.url}
    with Served(database_url, tmp_path, workers=1, environ=environ) as served:
        org = served.organization(plan="pro")
        ready = requests.get(f"{served.url}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        own_redis.kill()
        assert ask(served, org) == 200
        ready = requests.get(f"{served.url}/readyz", timeout=10)
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert "Redis cannot be used" in ready.json()["checks"]["rate_limits"]


def ask(served: Served, org: Org) -> int:
    """Send one request with the organization's key."""
    return requests.get(
        f"{served.url}/api/v1/sections",
        headers={"Authorization": f"Bearer {org.key}"},
        timeout=30,
    ).status_code
