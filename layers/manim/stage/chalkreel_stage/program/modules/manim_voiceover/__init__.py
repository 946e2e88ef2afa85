"""manim_voiceover as programs know it; the caller's voices speak, whatever service a program names."""

from .tracker import VoiceoverTracker
from .voiceover_scene import VoiceoverScene

__all__ = ["VoiceoverScene", "VoiceoverTracker"]
__version__ = "0.3.7"
