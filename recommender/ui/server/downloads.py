"""`/trends/NAME.csv` and `.html`: a chart's table and its figure, to be taken away."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from recommender.charts.export import csv_of, page_of
from recommender.errors import QueryError
from recommender.service.answers import Service
from recommender.service.trends import DEMAND, RESULTS, Question
from recommender.trends.sections import NAMES

_MEDIA = {"csv": "text/csv; charset=utf-8", "html": "text/html; charset=utf-8"}


def download_route(service: Service) -> Route:
    """The route; `?ask=` is the JSON object of what `/trends` takes."""

    def file(name: str, kind: str, ask: str) -> str:
        try:
            parameters = json.loads(ask)
            if not isinstance(parameters, dict):
                raise TypeError
            question = Question.of(**parameters)
        except (ValueError, TypeError, RecursionError) as error:
            raise QueryError('ask is an object such as {"filters": {}}.') from error
        chart = service.trends.charts([name], question)[name]
        return csv_of(chart) if kind == "csv" else page_of({name: chart}, chart.title)

    async def download(request: Request) -> Response:
        name, _, kind = request.path_params["file"].rpartition(".")
        if name not in (*NAMES, RESULTS, *DEMAND) or kind not in _MEDIA:
            return PlainTextResponse("There is no such file.", status_code=404)
        try:
            ask = request.query_params.get("ask", "{}")
            text = await asyncio.to_thread(file, name, kind, ask)
        except QueryError as error:
            return PlainTextResponse(str(error), status_code=400)
        headers = {"content-disposition": f'attachment; filename="{name}.{kind}"'}
        return Response(text, media_type=_MEDIA[kind], headers=headers)

    return Route("/trends/{file}", download)
