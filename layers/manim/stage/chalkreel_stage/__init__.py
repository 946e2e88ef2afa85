"""The stage: one storyboard scene in, one silent clip with an exact frame count out.

What comes in: newline-delimited JSON requests over a Unix socket (`protocol`), read by a warm worker (`worker`)
that imported Manim once. What goes out: an H.264 clip per request, its ledger (first frame and frames of each
beat) and an audit of what was on screen. What it never does: run code of a document, open a network connection,
write outside the folder of the clip and the temporary folder, or let one scene's failure touch another scene.

    worker/       one process, one thread, one forked child per render: server, scene_process
    program/      a user's own Manim program, run to its end in a process of its own (PROTOCOL.md)
    protocol      what is said over the socket
    scene/        beats → pages → steps → frames: scene (the story, and the fade at its end), plan (which elements
                  share a page or a place), steps (what happens in a beat, and which frames it gets), heading
    screen/       what is on screen, and all that can happen to it; highlights; formulas that turn into others
    elements/     storyboard elements → pieces: one file for each kind, chosen by maker
    geometry/     what figures are made of: expressions, curves, solids, axes, arrows, places of nodes and labels
    layout/       pages: blocks, page (all on one), placement (wanted places), pagination (spread over several)
    typesetting/  typesetter (Typst source → measured sheets), native (LaTeX → ink), formulas (ink → stretches of
                  sheets), outlines (sheets → Manim mobjects), rich_text
    frames/       canvas (Manim's Cairo camera), painting, clip (frames → H.264), ledger (frames of each beat)
    audit         ink that covers other ink or leaves the frame, text too small to read, or gone too soon
    theme         colours and sizes

Lengths are in frame units (the frame is 8 units high), times in frames, unless a name says otherwise.
"""
