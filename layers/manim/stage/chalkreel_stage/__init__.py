"""The stage: one storyboard scene in, one silent clip with an exact frame count out.

What comes in: newline-delimited JSON requests over a Unix socket (`protocol`), read by a warm worker (`worker`)
that imported Manim once. What goes out: an H.264 clip per request, its ledger (first frame and frames of each
beat) and an audit of what was on screen. What it never does: run code of a document, open a network connection,
write outside the folder of the clip and the temporary folder, or let one scene's failure touch another scene.

    worker     one process, one thread, one forked child per render
    scene      beats → pages → steps → frames
    layout     pages: what stands where
    elements   storyboard elements → blocks
    typeset    Typst source → measured sheets → Manim mobjects
    text code plot expression   the makers of blocks
    canvas     Manim's Cairo camera, and the entrances drawn with it
    clip       frames → H.264
    ledger     which frames belong to which beat
    audit      overlaps, boxes outside the frame, text too small to read
    theme      colours and sizes

Lengths are in frame units (the frame is 8 units high), times in frames, unless a name says otherwise.
"""
