"""Starts the worker: imports Manim, freezes what it has, and serves the socket named by CHALKREEL_STAGE_FD.

Environment: `CHALKREEL_STAGE_FD`, the number of an open Unix stream socket (3 when unset); `CHALKREEL_STAGE_FONTS`, a
folder of fonts (unset: the system's). Exit code 0 when the caller has gone or said quit, 2 when there is no socket.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import time


def main() -> int:
    """Runs until the caller goes."""
    began = time.monotonic()
    try:
        caller = socket.socket(fileno=int(os.environ.get("CHALKREEL_STAGE_FD", "3")))
        os.set_inheritable(caller.fileno(), False)
    except (OSError, ValueError) as error:
        print(f"chalkreel-stage: no socket to serve: {error}", file=sys.stderr)
        return 2
    # Whatever a library prints while it is imported is no part of the protocol.
    os.dup2(2, 1)

    import logging

    import manim

    from .typesetting import native
    from .typesetting.typesetter import Typesetter
    from .worker.server import Worker

    logging.getLogger("manim").setLevel(logging.ERROR)
    setter = Typesetter(os.environ.get("CHALKREEL_STAGE_FONTS") or None)
    # The patterns by which chemistry is read are compiled at first use: a tenth of a second that no scene need take.
    native.typeset(r"\ce{H2O}")
    gc.collect()
    gc.freeze()
    gc.disable()
    ready = {
        "event": "ready",
        "pid": os.getpid(),
        "manim": manim.__version__,
        "import_s": round(time.monotonic() - began, 3),
    }
    Worker(caller, setter, ready).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
