"""Pictures → clips: canvas, encoder, and the frames that belong to each beat."""
