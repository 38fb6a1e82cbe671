"""How the inference server says what is wrong: {"error": "..."} with the status of that kind of error."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from models.errors import (
    ConflictError,
    InvalidInputError,
    ModelopsError,
    NotPermittedError,
    UnavailableError,
    UnknownNameError,
)

UNAUTHORIZED = 401

_STATUS = {
    UnavailableError: 503,
    UnknownNameError: 404,
    ConflictError: 409,
    NotPermittedError: UNAUTHORIZED,
    InvalidInputError: 400,
    ModelopsError: 500,
}


async def our_error(request: Request, error: Exception) -> Response:
    """The error, as a response."""
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    remedy = error.remedy if isinstance(error, ModelopsError) else ""
    asks = {"www-authenticate": "Bearer"} if status == UNAUTHORIZED else None
    return JSONResponse({"error": f"{error}: {remedy}" if remedy else str(error)}, status, asks)


async def http_error(request: Request, error: Exception) -> Response:
    """The error, as a response."""
    status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, str(error))
    return JSONResponse({"error": f"{request.method} {request.url.path}: {detail}"}, status)
