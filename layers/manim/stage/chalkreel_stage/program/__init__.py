"""A user's own Manim program, run to its end: its frames are the film's.

What comes in: requests over a Unix socket (`protocol.Run`, PROTOCOL.md). What goes out: a silent clip as long as the
program plays, with its segments (where words begin), chapters, captions, findings and warnings. What it never does: cut
a program silently, hold a picture after a movement that only takes away, or let an error of the program take the
pictures that came before it.

    __main__     the command `chalkreel-raw`
    server       imports Manim once, and forks for each request
    run          one program: reads it, lets it play, tells what came of it
    channel      the socket: answers, and questions about speech
    source       the program's text: what it imports, `# say:` comments, its shape
    hooks        where Manim's scenes and renderers report to a run
    footage      frames → clip: limits, held pictures, movements that take away
    timeline     when words begin and end: segments, chapters, captions
    narration    which words belong to which part
    findings     what is wrong with the picture, by its ink
    formulas     TeX's classes, set by our typesetter
    pieces       ink of a formula → the pieces that TeX has
    failures     an exception → what happened, where, what to do
    old_names    names of older Manims
    stand_ins    what is not here: files, fonts, sounds, input
    imports      modules of our own, and those that can't be had
    metadata     modes, owners and times of a confined program's files
    modules/     manim_voiceover and manim_slides, as programs import them
"""
