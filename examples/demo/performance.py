"""How a demo is run as a program."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn

from models.errors import ModelopsError


def perform(playing: Coroutine[Any, Any, None], home: Path) -> NoReturn:
    """Exit status 0 when every act went as told."""
    logging.basicConfig(level=logging.ERROR)
    code = 0
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(playing)
    except ModelopsError as error:
        sys.stderr.write(f"The demo stopped: {error}\n{error.remedy}\nLogs: {home / 'logs'}\n")
        code = 1
    sys.stdout.flush()
    os._exit(code)
