"""Every error as one JSON shape, with its HTTP status."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from transcoder_tui.errors import (
    Conflict,
    Fault,
    HostFault,
    InvalidInput,
    NoSuchChannel,
    NotPermitted,
    SourceFault,
    StoreUnavailable,
    TranscoderError,
)
from transcoder_tui.models.faults import faults_from

STATUS: dict[type[TranscoderError], int] = {
    InvalidInput: 422,
    NoSuchChannel: 404,
    Conflict: 409,
    NotPermitted: 403,
    StoreUnavailable: 503,
    HostFault: 409,
    SourceFault: 502,
}
"""Status of each class; the others are 500."""

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Makes the app answer every error in our shape."""

    @app.exception_handler(TranscoderError)
    async def ours(request: Request, error: TranscoderError) -> JSONResponse:
        return JSONResponse(error.document(), STATUS.get(type(error), 500))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [
            Fault(fault.fault, fault.remedy or "see /openapi.json", "" if fault.field.startswith("[") else fault.field)
            for fault in faults_from(error.errors(), skip=1)
        ]
        document = InvalidInput(faults).document()
        return JSONResponse(document, STATUS[InvalidInput])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        where = f"{request.method} {request.url.path}"
        return JSONResponse(
            TranscoderError(f"{error.detail}: {where}", "see /openapi.json").document(), error.status_code
        )

    @app.exception_handler(Exception)
    async def defect(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        fault = TranscoderError(f"the worker failed on this: {type(error).__name__}", "see the worker's log")
        return JSONResponse(fault.document(), 500)
