"""A service from its settings to its end."""

import asyncio
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from ..errors import MedflatError
from ..files import locked
from ..loading import model_folder, model_identity
from ..runtime import usable_cpus
from .app import make_app
from .metrics import Metrics
from .observed import LOGGER
from .pool import Pool
from .process import WorkerProcess
from .protocol import TimedProtocol
from .service import Service
from .settings import ServeSettings
from .static import read_page
from .worker import WorkerSettings, work

# After the service has answered all with an error, uvicorn has so long to send it.
_LAST_SECONDS = 5


def serve(settings: ServeSettings, ready: Callable[[str, Service], None]) -> None:
    """Serve until the process is asked to stop, by SIGTERM or Ctrl-C; then finish what waits.

    settings (ServeSettings): see there.
    ready (callable): is told the address and the service when requests are taken.
    RAISES (MedflatError): the service cannot be started.
    """
    settings.check()
    page = read_page(settings.page)
    digest, _ = model_identity(model_folder(settings.model))
    with ExitStack() as stack:
        listener = stack.enter_context(_listen(settings))
        if not settings.read_only:
            for path in (settings.words, settings.corrections):
                if path is not None:
                    stack.enter_context(_own(path))
        _log_to_stderr()
        asyncio.run(_serve(settings, page, digest, listener, ready))


async def _serve(
    settings: ServeSettings, page: Any, digest: str, listener: socket.socket, ready: Callable[[str, Service], None]
) -> None:
    metrics = Metrics()
    told = WorkerSettings(settings.model, settings.gpu_id, settings.code, _threads_each(settings.workers))
    processes = [WorkerProcess(work, told) for _ in range(settings.workers)]
    pool = Pool(processes, settings.limits.seconds, metrics.restarts.inc)
    try:
        service = Service(settings, await pool.start(), digest, pool, metrics)
        await service.start()
        with _signals_kept():
            server = _Server(make_app(service, page), service, lambda: ready(_address(settings, listener), service))
            await server.serve([listener])
        await service.stop()
    finally:
        await pool.close()


def _threads_each(workers: int) -> int:
    """Threads of torch in each worker: as many as the variable of OpenMP says, or a share of the CPUs."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(told) if told.isdigit() else usable_cpus() // workers)


class _Server(uvicorn.Server):
    """uvicorn's, which says when it is ready, and answers what waits too long when it is asked to stop."""

    def __init__(self, app: Any, service: Service, ready: Callable[[], None]):
        limits = service.limits
        super().__init__(
            uvicorn.Config(
                app,
                http=TimedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=limits.connections,
                timeout_graceful_shutdown=int(limits.grace_seconds) + _LAST_SECONDS,
            )
        )
        self._service, self._ready = service, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._loop = asyncio.get_running_loop()
        self._ready()

    def handle_exit(self, sig: int, frame: Any) -> None:
        if not self.should_exit:
            self._loop.call_soon_threadsafe(self._begin_to_stop)
        super().handle_exit(sig, frame)

    def _begin_to_stop(self) -> None:
        LOGGER.info("stopping: %d texts wait", self._service.batcher.waiting_texts)

        async def stop() -> None:
            await asyncio.sleep(self._service.limits.grace_seconds)
            await self._service.stop()

        self._stopping = asyncio.ensure_future(stop())


@contextmanager
def _signals_kept() -> Iterator[None]:
    """uvicorn raises once more the signals that ended it, after it has ended in order; they are to do nothing then."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(settings: ServeSettings) -> socket.socket:
    host = settings.host.strip("[]")
    try:
        family = socket.getaddrinfo(host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, settings.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"cannot listen on {settings.host} port {settings.port}: {reason}; give another --host or --port"
        raise MedflatError(message) from error


@contextmanager
def _own(path: Path) -> Iterator[None]:
    """Let no other service write the file.

    RAISES (MedflatError): another one does, or its folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock")):
            yield
    except OSError as error:
        raise MedflatError(f"{path}: cannot be kept there: {error.strerror or error}") from error


def _address(settings: ServeSettings, listener: socket.socket) -> str:
    host = settings.host if ":" not in settings.host else f"[{settings.host.strip('[]')}]"
    return f"http://{host}:{listener.getsockname()[1]}"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    for name in (LOGGER.name, "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # The processes of workers write to the same place by themselves.
    multiprocessing.get_logger().setLevel(logging.WARNING)
