"""`python -m chalkreel_stage.raw`: see `program`."""

from __future__ import annotations

import sys

from .program import main

sys.exit(main())
