"""``/metrics``: the numbers of all processes, as Prometheus reads them.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import falcon

from ipcraft import __version__
from ipcraft.contributions import Route
from ipcraft.http.operations import Content, operation
from ipcraft.metrics.access import Access
from ipcraft.metrics.counting import PREFIX, Metrics
from ipcraft.metrics.folder import FOLDER
from ipcraft.metrics.gauges import Reading, Readings

if TYPE_CHECKING:
    from prometheus_client import Metric

PATH = "/metrics"


def metrics_route(metrics: Metrics, readings: Readings, access: Access) -> Route:
    """Give the route. It is public: `access` says who may read."""
    return Route(PATH, MetricsPage(metrics, readings, access), public=True)


class MetricsPage:
    """Answer with what was counted, in all processes, and with what is read now."""

    def __init__(self, metrics: Metrics, readings: Readings, access: Access) -> None:
        self._metrics = metrics
        self._readings = readings
        self._access = access

    @operation(
        answers={
            200: Content(str, media_type="text/plain", also={"application/openmetrics-text": str})
        },
        errors={401: "The token is missing or wrong.", 403: "It may not be read from there."},
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Show the metrics."""
        from prometheus_client.exposition import choose_encoder

        self._access.check(req)
        read, unread = self._readings.read()
        encode, resp.content_type = choose_encoder(req.get_header("Accept") or "")
        resp.data = encode(_Page(self._metrics, read, unread))


class _Page:
    """Be what `prometheus_client` collects."""

    def __init__(self, metrics: Metrics, read: list[Reading], unread: int) -> None:
        self._metrics = metrics
        self._read = read
        self._unread = unread

    def collect(self) -> Iterator[Metric]:
        """Give every family."""
        from prometheus_client.metrics_core import GaugeMetricFamily

        yield from _counted(self._metrics)
        for reading in self._read:
            gauge = reading.gauge
            family = GaugeMetricFamily(
                f"{PREFIX}_{gauge.name}", gauge.description, labels=gauge.labels
            )
            for values, number in sorted(reading.values.items()):
                family.add_metric(values, number)
            yield family
        yield GaugeMetricFamily(
            f"{PREFIX}_gauges_unread",
            "Gauges that could not be read in time, for want of the database for example.",
            value=self._unread,
        )
        build = GaugeMetricFamily(f"{PREFIX}_build_info", "The version.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build


def _counted(metrics: Metrics) -> Iterator[Metric]:
    """Give what this process counts or, where processes share a folder, what all of them do."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        yield from metrics.begin().collect()
        return
    from prometheus_client.multiprocess import MultiProcessCollector

    collector: Any = MultiProcessCollector(None, path=folder)  # type: ignore[no-untyped-call]
    yield from sorted(collector.collect(), key=lambda family: family.name)
