"""Names of manim_voiceover's defaults."""

DEFAULT_VOICEOVER_CACHE_DIR = "voiceovers"
DEFAULT_VOICEOVER_CACHE_JSON_FILENAME = "cache.json"
