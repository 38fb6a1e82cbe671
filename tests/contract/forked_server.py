"""An inference server in a process that is forked from one which has imported it already."""

import os
import sys
from collections.abc import Sequence

from worker.inference import main


def serve(arguments: Sequence[str], token: str) -> None:
    """What `python -m worker.inference` does, quietly."""
    os.environ["MODELOPS_DEPLOY_TOKEN"] = token
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, sys.stderr.fileno())
    os.close(quiet)
    sys.exit(main(arguments))
