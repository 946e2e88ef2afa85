"""What a Manim program of one's own finds in the layers. Runs in the bare root; the exit code is the verdict."""

import os
import sys
import tempfile
import time

# As the stage's own launcher has it: there are no fonts but the layer's.
os.environ["FONTCONFIG_FILE"] = "/opt/etc/fonts/fonts.conf"
start = time.perf_counter()
import manim  # noqa: E402

print(f"import manim: {time.perf_counter() - start:.2f} s")
import networkx  # noqa: E402
import numpy  # noqa: E402
from manim import DEGREES, RIGHT, Graph, MathTypst, Scene, Text, Typst, rotation_matrix, tempconfig  # noqa: E402

# The stand-in for scipy's Rotation, against known rotations and one that is all but none.
turned = rotation_matrix(90 * DEGREES, numpy.array([0.0, 0.0, 1.0]))
assert numpy.allclose(turned @ RIGHT, [0, 1, 0]), turned
third = rotation_matrix(120 * DEGREES, numpy.array([1.0, 1.0, 1.0]))
assert numpy.allclose(third, [[0, 0, 1], [1, 0, 0], [0, 1, 0]]), third
assert numpy.allclose(rotation_matrix(1e-12, numpy.array([1.0, 2.0, 3.0])), numpy.eye(3))


def refuses(what, job):
    """Whether `job` says where the whole of scipy is."""
    try:
        job()
    except ModuleNotFoundError as error:
        assert "container image" in str(error), error
        print(f"{what}: {error}")
    else:
        sys.exit(f"{what} works without scipy?")


def layout():
    networkx.kamada_kawai_layout(networkx.path_graph(4))


def module():
    import scipy.stats  # noqa: F401


refuses("kamada_kawai", layout)
refuses("import scipy.stats", module)


class Own(Scene):
    """Manim's own text and mathematics, and the layouts that need no scipy."""

    def construct(self):
        self.add(Text("Pango: Hello, ąęł, 你好, مرحبا").scale(0.5).to_edge(manim.UP))
        self.add(MathTypst("integral_0^oo e^(-x^2) dif x = sqrt(pi)/2"))
        self.add(Typst("*Typst* $x^2$").to_edge(manim.DOWN))
        self.wait(0.2)
        for name in ("circular", "spring", "spectral", "planar", "shell", "spiral", "random"):
            self.add(Graph([1, 2, 3, 4], [(1, 2), (2, 3), (3, 4), (4, 1)], layout=name).scale(0.2))
        self.wait(0.2)


media = tempfile.mkdtemp()
os.environ.setdefault("HOME", media)
with tempconfig({"quality": "low_quality", "media_dir": media, "progress_bar": "none", "verbosity": "ERROR"}):
    # Letters, and no boxes in their place, which would all look alike.
    for one, other in ("lo", "你好", "πΩ", "жы"):
        outlines = [Text(letter)[0].points for letter in (one, other)]
        assert outlines[0].shape != outlines[1].shape or not numpy.allclose(*outlines), f"{one} looks like {other}"
    Own().render()
clips = [name for _, _, names in os.walk(media) for name in names if name == "Own.mp4"]
assert clips, "Manim wrote no film"
print("Manim's own scene: drawn")
