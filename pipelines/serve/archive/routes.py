"""The paths of the archive's dialect."""

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from pipelines.serve.archive import days, feeds, replay
from pipelines.serve.archive.exchanges import exchange
from pipelines.serve.archive.packing import coding_of, packed
from pipelines.serve.given import only
from pipelines.serve.service import Service, now
from warehouse.lake import Lake

FOR_GOOD = "private, max-age=60"


async def exchanges(request: Request) -> Response:
    """Answer /v1/exchanges."""
    only(request.query_params.multi_items(), ())
    service: Service = request.app.state.service
    return _json(await service.readers.read(service.exchanges.all))


async def details(request: Request, name: str) -> Response:
    """Answer /v1/exchanges/NAME. Raises ProblemError."""
    only(request.query_params.multi_items(), ())
    service, one = request.app.state.service, exchange(name)
    return _json(await service.readers.read(lambda lake: service.exchanges.details(lake, one)))


async def feed(request: Request, name: str) -> Response:
    """Answer /v1/data-feeds/NAME. Raises ProblemError."""
    service: Service = request.app.state.service
    one, wanted = exchange(name), feeds.asked(only(request.query_params.multi_items(), feeds.KNOWN))

    def work(lake: Lake) -> bytes:
        feeds.check(one, wanted, service.standings.of(lake, is_now=True).data_to, service.exchanges.details(lake, one))
        found = feeds.lines(lake, one, wanted, service.most_bytes, feeds.after_its_time)
        return packed(b"".join(found), coding)

    coding = coding_of(request.headers.get("accept-encoding", ""))
    body = await service.readers.read(work)
    headers = {
        "Content-Encoding": coding, "Vary": "Accept-Encoding, Authorization",
        "Cache-Control": FOR_GOOD, "x-slice-size": str(wanted.minutes),
        "x-suggested-slice-size": str(feeds.SUGGESTED),
    }  # fmt: skip
    return Response(body, 200, headers, "application/x-ndjson")


async def replayed(request: Request) -> Response:
    """Answer /replay?options={…}. Raises ProblemError."""
    service: Service = request.app.state.service
    given = only(request.query_params.multi_items(), ("options",))
    wanted = replay.asked(given.get("options", ""))
    await replay.checked(service, wanted)
    return StreamingResponse(
        replay.told(service, wanted), 200, {"Cache-Control": "no-store"}, "application/x-json-stream"
    )


async def day(request: Request, name: str, kind: str, year: str, month: str, day: str, file: str) -> Response:
    """Answer /v1/NAME/KIND/YYYY/MM/DD/SYMBOL.csv.gz. Raises ProblemError."""
    only(request.query_params.multi_items(), ("retryAttempt",))
    service, one, wanted = request.app.state.service, exchange(name), days.day_of(year, month, day)
    body = await service.readers.read(lambda lake: days.table(lake, one, kind, wanted, file, now()))
    return Response(body, 200, {"Cache-Control": FOR_GOOD}, "application/gzip")


def _json(told: object) -> Response:
    return Response(orjson.dumps(told), 200, {"Cache-Control": FOR_GOOD}, "application/json")
