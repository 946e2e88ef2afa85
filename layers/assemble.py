"""Makes the layers of what was built under /opt: `assemble.py OPT OUT`, in the build root.

Goes out: OUT/layers/{manim,ffmpeg,voice}, each as it lies under /opt, a zip of each and of OUT/function, and OUT/sizes.txt. Fails
when function and layers are larger than Lambda takes, when anything needs a glibc that Lambda hasn't, or when a library is
missing.
"""

import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

OPT, OUT = Path(sys.argv[1]), Path(sys.argv[2])
RECIPE = Path(__file__).parent
LIMIT = 262_144_000
"""Bytes that function and layers may have together, unzipped."""
GLIBC = (2, 34)
"""Of provided.al2023."""
SYSTEM = re.compile(r"(ld-linux-x86-64|libc|libm|libdl|librt|libpthread|libutil|libresolv|libmvec)\.so\.\d+$")
"""What Lambda's own system has: glibc and nothing else."""

STDLIB = (
    "config-3.13-x86_64-linux-gnu curses dbm ensurepip idlelib pydoc_data sqlite3 tkinter turtle.py turtledemo venv wsgiref xmlrpc"
)
"""Of Python itself: nothing that draws films has a use for them."""
EXTENSIONS = "_codecs_* _curses* _dbm* _hashlib* _ssl* _testinternal* _test* _lsprof* readline* xxlimited* _ctypes_test*"
"""OpenSSL alone is 4 MB, and children have no network."""
PACKAGES = "pip pip-* test moderngl-stubs scipy scipy-*"
"""Of site-packages. `test` is a package's mistake."""
FILES = "*.pyi *.pxd *.pyx *.c *.h *.hpp *.a *.lib *.whl"


def elves(folder: Path) -> Iterator[Path]:
    """Every ELF file under `folder`."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def size(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def copy(source: Path, target: Path) -> None:
    """A file or a folder, links followed: a zip may be unpacked where there are none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def manim(layer: Path) -> None:
    """Python, Manim, the stage and the fonts."""
    copy(OPT / "manim/bin/python3.13", layer / "manim/bin/python3")
    library = layer / "manim/lib/python3.13"
    copy(OPT / "manim/lib/python3.13", library)
    site = library / "site-packages"
    for folder, patterns in ((library, STDLIB), (library / "lib-dynload", EXTENSIONS), (site, PACKAGES)):
        remove(path for pattern in patterns.split() for path in folder.glob(pattern))
    remove(path for pattern in FILES.split() for path in library.rglob(pattern))
    remove(path for path in library.rglob("*") if path.is_dir() and path.name in ("tests", "_tests"))
    # Numpy's are for its own tests.
    remove([*site.glob("numpy/_core/_simd*.so"), site / "numpy/_core/include", site / "numpy/_core/lib", site / "numpy/f2py"])
    # Pillow's AVIF codec; no lesson's picture is one.
    remove([*site.glob("PIL/_avif*.so"), *site.glob("pillow.libs/libavif*")])
    copy(RECIPE / "manim/scipy", site / "scipy")
    for name in ("chalkreel-stage", "chalkreel-raw", "manim"):
        copy(OPT / "bin" / name, layer / "bin" / name)
    copy(OPT / "fonts", layer / "fonts")
    settings = layer / "etc/fonts/fonts.conf"
    copy(OPT / "etc/fonts/fonts.conf", settings)
    # Debian 11's fontconfig knows no folders relative to the file, and would find no font at all.
    there, absolute = '<dir prefix="relative">../../fonts</dir>', "<dir>/opt/fonts</dir>"
    if settings.read_text().count(there) != 1:
        sys.exit(f"assemble: {settings} does not name its folder as it did")
    settings.write_text(settings.read_text().replace(there, absolute))


def remove(paths: Iterator[Path] | list[Path]) -> None:
    """Whatever of these there is."""
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()


def ffmpeg(layer: Path) -> None:
    """ffmpeg, ffprobe and their libraries, under the names by which they are looked for."""
    for name in ("ffmpeg", "ffprobe"):
        copy(OPT / "bin" / name, layer / "bin" / name)
    for library in sorted((OPT / "lib").glob("lib*.so.*")):
        if re.fullmatch(r"lib(av|sw)\w+\.so\.\d+", library.name):
            copy(library, layer / "lib" / library.name)


def voice(layer: Path) -> None:
    """espeak-ng, told where its data lies."""
    copy(OPT / "voice/bin/espeak-ng", layer / "libexec/espeak-ng")
    copy(OPT / "voice/lib/libespeak-ng.so.1", layer / "lib/libespeak-ng.so.1")
    copy(OPT / "voice/share/espeak-ng-data", layer / "share/espeak-ng-data")
    wrapper = layer / "bin/espeak-ng"
    wrapper.parent.mkdir(parents=True)
    wrapper.write_text(
        '#!/bin/sh\nhere=$(CDPATH= cd -- "${0%/*}/.." && pwd -P) || exit 127\n'
        'ESPEAK_DATA_PATH=$here/share exec "$here/libexec/espeak-ng" "$@"\n'
    )
    wrapper.chmod(0o755)


def dynamic(path: Path) -> tuple[list[str], list[tuple[int, ...]]]:
    """The libraries that an ELF file needs, and the versions of glibc's symbols in it."""
    text = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True).stdout
    needed = re.findall(r"^\s+NEEDED\s+(\S+)", text, re.M)
    versions = [tuple(map(int, found.split("."))) for found in re.findall(r"\bGLIBC_([\d.]+)", text)]
    return needed, versions


def libraries(layers: dict[str, Path]) -> None:
    """Copies what the layers need of the build root. What ffmpeg has is not copied again: manim stands on ffmpeg's layer."""
    known = {
        match[1]: Path(match[2])
        for match in re.finditer(
            r"^\s+(\S+) \(libc6,x86-64.*\) => (\S+)", subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout, re.M
        )
    }
    for layer in (layers["ffmpeg"], layers["voice"], layers["manim"]):
        there = {path.name for one in layers.values() for path in one.rglob("*.so*")}
        waiting = list(elves(layer))
        while waiting:
            for name in dynamic(waiting.pop())[0]:
                if name in there or SYSTEM.match(name):
                    continue
                if name not in known:
                    sys.exit(f"assemble: {name} is needed and not found")
                copy(known[name].resolve(), layer / "lib" / name)
                there.add(name)
                waiting.append(layer / "lib" / name)


def whole(path: Path) -> bool:
    """Whether every loaded segment still lies as the kernel wants it."""
    data = path.read_bytes()
    at, entry, count = struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)
    for number in range(count):
        kind, _, offset, address, _, _, _, align = struct.unpack_from("<IIQQQQQQ", data, at + number * entry)
        if kind == 1 and align > 1 and (address - offset) % align:
            return False
    return True


def strip(folder: Path) -> None:
    """Takes symbols and debugging information away, where that does no harm: strip corrupts OpenBLAS, among others."""
    for path in elves(folder):
        backup = path.with_name(path.name + ".whole")
        shutil.copy2(path, backup)
        done = subprocess.run(["strip", "--strip-unneeded", path], capture_output=True)
        if done.returncode or not whole(path):
            shutil.copy2(backup, path)
            print(f"not stripped, since that breaks it: {path}")
        backup.unlink()


def compile_python(layer: Path) -> None:
    """Byte code that is believed whatever the files' times are: zips change them. Templates that are no Python fail, rightly.

    Manim and the stage keep their source, for tracebacks that somebody reads; all else is there as byte code alone.
    """
    library = layer / "manim/lib"
    kept = [library / "python3.13/site-packages" / name for name in ("manim", "chalkreel_stage")]
    command = [sys.executable, "-I", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(library), "-p", "/opt/manim/lib"]
    subprocess.run([*command, "-b", library], stdout=subprocess.DEVNULL)
    for folder in kept:
        remove(folder.rglob("*.pyc"))
        subprocess.run([*command, folder], stdout=subprocess.DEVNULL)
        if not list(folder.glob("__pycache__/*.pyc")):
            sys.exit(f"assemble: there is no byte code of {folder.name}")
    for source in library.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()


def gate(parts: dict[str, Path]) -> str:
    """The sizes, as a table; ends the build when something would not run on Lambda."""
    lines, total, highest, faults = [], 0, (0,), []
    for name, folder in parts.items():
        bytes_ = size(folder)
        total += bytes_
        lines.append(f"{name:10} {bytes_:>12,}")
        for path in elves(folder):
            for version in dynamic(path)[1]:
                highest = max(highest, version)
                if version > GLIBC:
                    faults.append(f"{path.relative_to(OUT)} needs GLIBC_{'.'.join(map(str, version))}")
        faults += [f"{path.relative_to(OUT)} is a link" for path in folder.rglob("*") if path.is_symlink()]
    lines.append(f"{'together':10} {total:>12,} of {LIMIT:,} bytes, {LIMIT - total:,} left; highest GLIBC {'.'.join(map(str, highest))}")
    if total > LIMIT:
        faults.append(f"function and layers are {total - LIMIT:,} bytes too large")
    table = "\n".join(lines) + "\n"
    if faults:
        sys.exit(table + "\n".join(sorted(set(faults))))
    return table


def pack(folder: Path, archive: Path) -> None:
    """A zip, the same for the same files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), (1980, 1, 1, 0, 0, 0))
                entry.external_attr = (0o100755 if path.stat().st_mode & 0o100 else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                out.writestr(entry, path.read_bytes())


def main() -> None:
    """All of it."""
    layers = {name: OUT / "layers" / name for name in ("manim", "ffmpeg", "voice")}
    manim(layers["manim"])
    ffmpeg(layers["ffmpeg"])
    voice(layers["voice"])
    libraries(layers)
    for layer in layers.values():
        strip(layer)
    compile_python(layers["manim"])
    parts = {**layers, "function": OUT / "function"}
    # As they will lie under /opt, so what runs there says its versions itself.
    merged = Path("/work/merged")
    remove([merged])
    for layer in layers.values():
        copy(layer, merged)
    command = [merged / "manim/bin/python3", "-I", "-B", RECIPE / "versions.py", merged]
    versions = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    (layers["manim"] / "versions.json").write_text(versions)
    for path in OUT.rglob("*"):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    (OUT / "sizes.txt").write_text(gate(parts))
    for name, folder in parts.items():
        pack(folder, OUT / f"{name}.zip")
    remove([merged])


if __name__ == "__main__":
    main()
