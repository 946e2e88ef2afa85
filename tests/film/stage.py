"""A stage whose scenes are black, with a white flash of two frames at the start of each beat. It speaks the real protocol on
descriptor 3 and writes its clips with the real stage's own encoder."""

import json
import os
import socket
from pathlib import Path

import numpy as np
from chalkreel_stage.frames.clip import Clip

FLASH = 2

caller = socket.socket(fileno=3)
requests = caller.makefile("r", encoding="utf-8")


def reply(**fields):
    caller.sendall((json.dumps(fields) + "\n").encode())


def render(request):
    width, height = request["width"], request["height"]
    black = np.zeros((height, width, 4), np.uint8)
    black[..., 3] = 255
    reply(event="started", id=request["id"])
    clip = Clip(Path(request["out"]), width, height, request["fps"])
    for beat in request["beats"]:
        flash = min(FLASH, beat["frames"] - 1)
        clip.write(np.full_like(black, 255), flash)
        clip.write(black, beat["frames"] - flash)
    clip.close()
    audit = {"overlaps": 0, "outside": 0, "too_small": 0}
    reply(event="done", id=request["id"], beats=request["beats"], audit=audit, warnings=[], render_s=0.1)


reply(event="ready", pid=os.getpid(), manim="0", import_s=0.0)
for line in requests:
    request = json.loads(line)
    if request["op"] == "render":
        render(request)
    elif request["op"] == "quit":
        break
