"""`python -m chalkreel_stage.raw`: with `--channel` the server of programs, otherwise one clip by arguments."""

from __future__ import annotations

import sys

if sys.argv[1:] == ["--channel"]:
    from ..program.server import main
else:
    from .program import main

sys.exit(main())
