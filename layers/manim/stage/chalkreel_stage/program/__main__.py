"""`python -m chalkreel_stage.program`, which is `chalkreel-raw`: serves the caller at the other end of its socket."""

from __future__ import annotations

import argparse
import sys


def main() -> int:
    """Serves; the exit code."""
    parser = argparse.ArgumentParser(
        prog="chalkreel-raw",
        description="Runs scene classes of Manim programs, for a caller that has started it. What is said over the "
        "socket is described in layers/manim/stage/PROTOCOL.md.",
    )
    parser.add_argument(
        "--channel",
        action="store_true",
        required=True,
        help="serve the socket whose number is in CHALKREEL_STAGE_FD (3 when unset)",
    )
    parser.parse_args()
    # Manim takes seconds to import: not for those who ask for help.
    from . import server

    return server.main()


sys.exit(main())
