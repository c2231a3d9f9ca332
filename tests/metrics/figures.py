"""Reading the page of metrics as Prometheus does."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def figures(page: str) -> Figures:
    """Give each number by its name and labels; buckets are left out."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if not sample.name.endswith("_bucket")
    }


def figure(page: str, name: str, **labels: str) -> float | None:
    """Give one number, or None where there is none."""
    return figures(page).get((name, frozenset(labels.items())))
