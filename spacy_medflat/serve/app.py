"""The application: routes, the guards before them, and errors as answers."""

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from .. import __version__
from ..errors import MedflatError
from . import answer_schema as shown
from .answers import ServeError, error_answer, invalid, json_bytes
from .export import EXPORTS, export
from .guards import Bodies, Doors
from .messages import TextJob
from .metrics import CONTENT_TYPE
from .observed import NOTES, Observed
from .schema import AddWordsRequest, AnnotateRequest, RecordsRequest, RemoveWordsRequest
from .service import Service, result_fields
from .static import INDEX, PageFile

_DESCRIPTION = (
    "Nested entities of Chinese clinical text. Offsets are characters (Unicode code points), `end` exclusive; every "
    "answer has `versions`, every error `error.code` and `error.message`."
)
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": shown.ErrorAnswer, "description": about}
    for status, about in {
        400: "Not JSON, or not UTF-8.",
        401: "Without the right token.",
        403: "By another name, or from the page of another address.",
        408: "The body did not arrive in time.",
        409: "Nothing can be changed here.",
        413: "More than a limit allows.",
        415: "Not `application/json`.",
        422: "Fields or values that do not exist.",
        429: "Too much waits; see `Retry-After`.",
        503: "The service stops, or no worker is alive.",
        504: "It took too long.",
        507: "No room on the disk.",
    }.items()
}


def make_app(service: Service, page: dict[str, PageFile]) -> FastAPI:
    """Make the application of a service.

    service (Service): what the routes work with.
    page (dict of PageFile): files of the page by name.
    """
    routes = frozenset(
        ["/", "/health", "/metrics", "/openapi.json", "/pipeline", "/annotate", "/lexicon", "/corrections", "/export"]
    )
    settings = service.settings
    app = FastAPI(
        title="spacy_medflat",
        version=__version__,
        description=_DESCRIPTION,
        # Its pages of documentation take scripts from the network.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=_ERRORS,
        middleware=[
            Middleware(Observed, routes, service.metrics, service.versions),
            Middleware(Doors, settings.host_names, settings.token, service.versions),
            Middleware(Bodies, settings.limits, service.versions),
        ],
    )
    _add_errors(app, service)
    _add_page(app, page)
    _add_state(app, service)
    _add_annotate(app, service)
    _add_lexicon(app, service)
    _add_records(app, service)
    return app


def _answer(service: Service, fields: dict[str, Any], status: int = 200) -> Response:
    return Response(json_bytes({**fields, "versions": service.versions()}), status, media_type="application/json")


def _add_page(app: FastAPI, page: dict[str, PageFile]) -> None:
    def answer(request: Request, name: str) -> Response:
        file = page.get(name)
        if file is None:
            raise ServeError(404, "not_found", "there is no such file")
        headers = {"etag": file.tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.data, media_type=file.media_type, headers=headers)

    @app.get("/", include_in_schema=False)
    async def index(request: Request) -> Response:
        return answer(request, INDEX)

    @app.get("/page/{name}", include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        return answer(request, name)


def _add_state(app: FastAPI, service: Service) -> None:
    @app.get("/health", responses={200: {"model": shown.HealthAnswer}}, summary="Whether a worker is alive")
    async def health() -> Response:
        alive = service.workers.alive
        workers = {"alive": alive, "wanted": service.workers.wanted}
        status = "ok" if alive else "no_worker"
        fields = {"status": status, "workers": workers, "waiting": service.batcher.waiting_texts}
        return _answer(service, fields, 200 if alive else 503)

    @app.get("/metrics", summary="What the service counts, for Prometheus")
    async def metrics() -> Response:
        return Response(service.metrics.text(), headers={"content-type": CONTENT_TYPE})

    @app.get("/pipeline", responses={200: {"model": shown.PipelineAnswer}}, summary="What the pipeline is")
    async def pipeline() -> Response:
        return _answer(service, service.about())


def _add_annotate(app: FastAPI, service: Service) -> None:
    @app.post("/annotate", responses={200: {"model": shown.AnnotateAnswer}}, summary="The entities of texts")
    async def annotate(request: Request, body: AnnotateRequest) -> Response:
        items = body.items()
        texts = [text for _, text in items]
        service.check_texts(texts)
        request.scope[NOTES].update(texts=len(texts), characters=sum(map(len, texts)))
        labels = service.check_labels(body.labels)
        jobs = [TextJob(text, body.floor, labels, body.words) for text in texts]
        outcomes = await service.read(jobs, _leaving(request))
        if outcomes is None:
            # Nobody reads it.
            return Response(status_code=499)
        results = [result_fields(identifier, outcome) for (identifier, _), outcome in zip(items, outcomes, strict=True)]
        return _answer(service, {"results": results})


def _leaving(request: Request) -> Any:
    async def gone() -> None:
        # The body was read; what comes next is that the client leaves.
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return gone


def _add_lexicon(app: FastAPI, service: Service) -> None:
    words = service.words

    @app.get("/lexicon", responses={200: {"model": shown.LexiconAnswer}}, summary="Words that have something in them")
    async def search(
        query: Annotated[str, Query(max_length=200)] = "",
        offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> Response:
        found, total = words.search(query, offset, limit)
        return _answer(service, {"words": found, "total": total})

    @app.post("/lexicon", responses={200: {"model": shown.AddedAnswer}}, summary="Add words, which act at once")
    async def add(body: AddWordsRequest) -> Response:
        return _answer(service, {"added": await words.add((item.word, item.type) for item in body.words)})

    @app.delete("/lexicon", responses={200: {"model": shown.RemovedAnswer}}, summary="Remove words that users added")
    async def remove(body: RemoveWordsRequest) -> Response:
        return _answer(service, {"removed": await words.remove(body.words)})


def _add_records(app: FastAPI, service: Service) -> None:
    @app.post("/corrections", responses={200: {"model": shown.StoredAnswer}}, summary="Keep corrected texts")
    async def store(request: Request, body: RecordsRequest) -> Response:
        _check_records(request, service, body)
        await service.store([record.fields() for record in body.records])
        return _answer(service, {"stored": len(body.records)})

    @app.post("/export", summary="Corrected texts as a file for annotation tools or training")
    async def download(
        request: Request, body: RecordsRequest, form: Annotated[str, Query(alias="format")] = "jsonl"
    ) -> Response:
        if form not in EXPORTS:
            raise invalid(f"the format is none of {', '.join(EXPORTS)}")
        _check_records(request, service, body)
        made = await run_in_threadpool(export, body.records, form)
        suffix, media_type = EXPORTS[form]
        headers = {
            "content-disposition": f'attachment; filename="corrections.{suffix}"',
            "x-medflat-left-out": str(made.left_out),
        }
        return Response(made.data, media_type=media_type, headers=headers)


def _check_records(request: Request, service: Service, body: RecordsRequest) -> None:
    texts = [record.text for record in body.records]
    service.check_texts(texts)
    request.scope[NOTES].update(records=len(texts), characters=sum(map(len, texts)))


def _add_errors(app: FastAPI, service: Service) -> None:
    def answer(error: ServeError) -> Response:
        status, headers, body = error_answer(error, service.versions())
        return Response(body, status, headers)

    @app.exception_handler(ServeError)
    async def refused(request: Request, error: ServeError) -> Response:
        return answer(error)

    @app.exception_handler(MedflatError)
    async def bad_input(request: Request, error: MedflatError) -> Response:
        return answer(invalid(str(error)))

    @app.exception_handler(RequestValidationError)
    async def not_valid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            where = f"at character {first['loc'][-1]:,}"
            return answer(ServeError(400, "bad_request", f"the body is no JSON, {where}: {first['ctx']['error']}"))
        place = ".".join(str(part)[:40] for part in first["loc"]) or "body"
        # Without the value, which may be a text.
        return answer(invalid(f"{place}: {first['msg'].removeprefix('Value error, ')[:300]}"))

    @app.exception_handler(HTTPException)
    async def of_http(request: Request, error: HTTPException) -> Response:
        codes = {400: "bad_request", 404: "not_found", 405: "not_allowed"}
        messages = {400: "the body cannot be read as JSON in UTF-8", 404: "there is no such address"}
        message = messages.get(error.status_code, str(error.detail))
        return answer(ServeError(error.status_code, codes.get(error.status_code, "refused"), message))
