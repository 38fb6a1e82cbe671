"""Errors over HTTP, each as {"error": what happened and where, "remedy": what to do}."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from models.errors import ModelopsError

_BUG = "this is a bug of modelops", "report it with what the log says; send the same again later"


def no(status: int, error: ModelopsError, headers: Mapping[str, str] | None = None) -> Response:
    """An error of ours as an answer."""
    return JSONResponse({"error": str(error), "remedy": error.remedy}, status, headers)


async def lost(request: Request, error: Exception) -> Response:
    """What answers to an address that there is not, or to a method that it does not know."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    allowed = (headers or {}).get("Allow", "")
    what = f"{request.method} {request.url.path}: " + ("it takes another method" if allowed else "nothing is here")
    return no(status, ModelopsError(what, f"send {allowed}" if allowed else "correct the address"), headers)


async def broken(_: Request, __: Exception) -> Response:
    """What answers where a program of ours is wrong."""
    return no(500, ModelopsError(*_BUG))
