"""The stage: one storyboard scene in, one silent clip with an exact frame count out.

What comes in: newline-delimited JSON requests over a Unix socket (`protocol`), read by a warm worker (`worker`)
that imported Manim once. What goes out: an H.264 clip per request, its ledger (first frame and frames of each
beat) and an audit of what was on screen. What it never does: run code of a document, open a network connection,
write outside the folder of the clip and the temporary folder, or let one scene's failure touch another scene.

    worker     one process, one thread, one forked child per render
    raw        somebody's own Manim program, in a process of its own
    scene      beats → pages → steps → frames
    plan       which elements share a page or a place, and for how long
    steps      what happens in a beat, and which frames it gets
    standing   what is on screen, and all that can happen to it
    marks morph heading            highlights, formulas that turn into others, the title
    layout placement               pages: what stands where
    elements   storyboard elements → pieces
    text equation code table panels image                    the makers of blocks
    plot curves numberline drawing graph arrangement chart   figures; labels finds room for their labels
    space solids                   three dimensions
    typeset    Typst source → measured sheets → Manim mobjects
    expression postfix expressions → numbers
    canvas painting                Manim's Cairo camera, and the entrances drawn with it
    clip       frames → H.264
    ledger     which frames belong to which beat
    audit      ink that covers other ink or leaves the frame, text too small to read
    theme      colours and sizes

Lengths are in frame units (the frame is 8 units high), times in frames, unless a name says otherwise.
"""
