"""What the service counts, in the form of Prometheus. No text and no word stands in it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "medflat_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "medflat_request_seconds",
            "From a request to its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.texts = Counter("medflat_texts", "Texts taken.", registry=self.registry)
        self.failed_texts = Counter("medflat_failed_texts", "Texts answered with an error.", registry=self.registry)
        self.characters = Counter("medflat_characters", "Characters of texts taken.", registry=self.registry)
        self.batch_texts = Histogram(
            "medflat_batch_texts", "Texts that a worker is given at once.", buckets=_TEXTS, registry=self.registry
        )
        self.restarts = Counter("medflat_worker_restarts", "Workers that died.", registry=self.registry)
        # Else they would not be there before the first time.
        self.restarts.inc(0)

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Add a number that is asked for whenever it is read.

        name (str): without `medflat_`.
        """
        Gauge(f"medflat_{name}", about, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """All of them as text."""
        return generate_latest(self.registry)
