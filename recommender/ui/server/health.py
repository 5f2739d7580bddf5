"""`/healthz` and `/metrics`: for whoever keeps the server running."""

from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from recommender.service.live import Live
from recommender.service.metrics import ITEMS, WAITING


def health_routes(live: Live) -> list[Route]:
    """Both answer at once, whatever else is asked."""

    async def healthz(request: Request) -> Response:
        now = live.now
        told = {"status": "ok", "version": now.gallery.version, "items": len(now)}
        told["found_by"] = now.index.found_by
        return JSONResponse(told | {"memory_bytes": resident_bytes()})

    async def metrics(request: Request) -> Response:
        ITEMS.set(len(live.now))
        page = request.app.get_blocks()
        WAITING.set(len(page._queue) + page.turns.waiting)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/metrics", metrics)]


def resident_bytes() -> int | None:
    """What this process holds in memory; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmRSS"].split()[0]) * 1024
