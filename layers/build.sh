#!/usr/bin/env bash
# Builds what AWS Lambda gets: build.sh [--tests], into target/lambda beside this folder; with --tests their test program as well.
#
# Comes in: the pins (manim/requirements.txt, sources.txt), the stage, the workspace, Debian's archive and the registries of Python and
# Rust. Goes out: layers/{manim,ffmpeg,voice}, each as it lies under /opt, function/bootstrap, and a zip of each. Everything is compiled
# in a root of Debian 11, whose glibc (2.31) is older than Lambda's (2.34). Never: anything outside target/lambda but system packages
# that are missing. Run again, it does only the steps whose inputs have changed.
set -euo pipefail

layers=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
repository=$(cd -- "$layers/.." && pwd -P)
# shellcheck disable=SC2034
who=layers
lambda=$repository/target/lambda
build=$lambda/build stamps=$lambda/build/.stamps
root=$build/root opt=$build/opt work=$build/work
# shellcheck source=steps.sh
source "$layers/steps.sh"

((EUID == 0)) || die "only root can make the root of Debian 11 that everything is compiled in: debootstrap needs mknod and chroot." \
    "Run it with sudo, or in a container as root. What works without: make tools, for this machine."
[[ $(uname -m) == x86_64 ]] || die "the layers are for x86_64, and this is $(uname -m)"
grep -qx 'ID=debian' /etc/os-release || die "Debian 12 or 13 is needed: sources and fonts are taken from Debian's own archive"
mkdir -p "$stamps" "$opt" "$work"

# The fonts are those of `make tools`, and so is what puts the stage in.
dest=$opt
# shellcheck source=manim/tools.sh
source "$layers/manim/tools.sh"
mapfile -t fonts < <(printf '%s\n' "${manim_packages[@]}" | grep ^fonts-)
need_packages debootstrap bubblewrap ca-certificates "${fonts[@]}"

# Rust's own toolchains run on any glibc since 2.17, so the machine's is used in the root; a distribution's may not.
sysroot=$(rustc --print sysroot)
[[ $sysroot != /usr ]] || die "Rust must be rustup's: Debian's own does not run in Debian 11"
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$cargo_home"

# The mirror that this machine itself uses.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' | awk '$2 == "Debian" {print $1; exit}')
[[ -n $mirror ]] || die "apt has no mirror of Debian in its configuration"

# Runs a command in the root of Debian 11: /opt is what will be shipped, /work is scratch, /repository this one.
in_root() {
    local settings=() name
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY "${!PIP_@}" "${!CARGO_HTTP_@}" "${!CARGO_REGISTRIES_@}"; do
        [[ -z ${!name:-} ]] || settings+=(--setenv "$name" "${!name}")
    done
    [[ ! -f /etc/pip.conf ]] || settings+=(--ro-bind /etc/pip.conf /etc/pip.conf)
    nice -n 10 bwrap --die-with-parent --bind "$root" / --bind "$opt" /opt --bind "$work" /work --ro-bind "$repository" /repository \
        --ro-bind "$sysroot" /rust --bind "$cargo_home" /cargo --dev-bind /dev /dev --proc /proc --tmpfs /tmp \
        --ro-bind /etc/resolv.conf /etc/resolv.conf --ro-bind /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt \
        --clearenv --setenv PATH /opt/manim/bin:/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin --setenv HOME /tmp --setenv LANG C.UTF-8 \
        --setenv PIP_CERT /etc/ssl/certs/ca-certificates.crt --setenv PIP_DISABLE_PIP_VERSION_CHECK 1 \
        --setenv PIP_ROOT_USER_ACTION ignore --setenv CARGO_HOME /cargo --setenv CARGO_HTTP_CAINFO /etc/ssl/certs/ca-certificates.crt \
        --setenv JOBS "$(nproc)" "${settings[@]}" --chdir /work "$@"
}

# step NAME HASH COMMAND…: does it unless it was done from these inputs; its words go to a log that is shown when it fails.
step() {
    local name=$1 inputs=$2 start=$SECONDS
    shift 2
    if fresh "$name" "$inputs"; then
        say "$name: as before"
        return
    fi
    say "$name …"
    rm -f "$stamps/$name"
    # Not in a condition: that would turn `set -e` off inside.
    set +e
    (set -e; "$@") </dev/null >"$build/$name.log" 2>&1
    local code=$?
    set -e
    ((code == 0)) || { tail -n 30 "$build/$name.log" >&2; die "$name failed; all it said is in $build/$name.log"; }
    done_with "$name" "$inputs"
    say "$name: $((SECONDS - start)) s"
}
hash() { printf '%s\n' "$@" | sha256sum | cut -c1-16; }

root_packages=(ca-certificates gcc g++ make perl pkg-config xz-utils bzip2 nasm autoconf automake libtool libc6-dev zlib1g-dev libbz2-dev
    liblzma-dev libffi-dev libexpat1-dev libssl-dev libcairo2-dev libpango1.0-dev libx264-dev libmp3lame-dev libopus-dev libvpx-dev
    libass-dev)
make_root() {
    rm -rf "$root"
    local packages
    packages=$(IFS=,; echo "${root_packages[*]}")
    debootstrap --variant=minbase --include="$packages" bullseye "$root" "$mirror"
    # Only the toolchain is wanted of it.
    rm -rf "$root/var/cache/apt/archives" "$root/usr/share/doc" "$root/usr/share/man"
    mkdir -p "$root/opt" "$root/work" "$root/repository" "$root/rust" "$root/cargo"
    touch "$root/etc/resolv.conf" "$root/etc/pip.conf"
}

# Original tarballs, by an apt of its own that knows Debian's newer releases; apt checks Debian's signatures.
fetch_sources() {
    local apt=$build/apt name series version sum offered candidate pick
    rm -rf "$build/sources"
    mkdir -p "$build/sources" "$apt/lists/partial" "$apt/cache/archives/partial"
    printf "deb-src $mirror %s main\n" trixie forky sid >"$apt/sources.list"
    cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists"; Dir::Cache "$apt/cache"; APT::Sandbox::User "root"; Acquire::Languages "none";
CONF
    export APT_CONFIG=$apt/apt.conf
    apt-get update
    cd "$build/sources"
    while read -r name series version sum; do
        [[ -z $name || $name == \#* ]] && continue
        # Epoch and Debian's revision are not part of the source's own version.
        offered=$(apt-cache showsrc --only-source "$name" | awk '/^Version:/ {print $2}' | sort -rV)
        pick=
        for candidate in $(awk -v want="$version" '{v = $0; sub(/^[0-9]+:/, "", v); sub(/-[^-]*$/, "", v)} v == want' <<<"$offered") \
            $(awk -v series="$series" '{v = $0; sub(/^[0-9]+:/, "", v)} index(v, series) == 1' <<<"$offered"); do
            apt-get source --download-only --tar-only "$name=$candidate" && pick=$candidate && break
        done
        [[ -n $pick ]] || { echo "Debian carries no $name $series any more, only: $offered"; return 1; }
        mkdir "$name"
        tar --extract --file "$(echo "$name"_*.orig.tar.*[zZ2])" --directory "$name" --strip-components 1
        if [[ ${pick#*:} == "$version"-* ]]; then
            sha256sum --check --strict <<<"$sum  $(echo "$name"_*.orig.tar.*[zZ2])"
        else
            say "Debian no longer carries $name $version: $pick is built in its place (enter it in layers/sources.txt)" 2>&3
        fi
    done <"$layers/sources.txt"
}
compiled() { # COMPILED NAME: compiles a source with the build.sh of its part, in the root
    rm -rf "$work/$1"
    cp -a "$build/sources/$1" "$work/$1"
    in_root bash "/repository/layers/$2"
    rm -rf "${work:?}/$1"
}
make_python() { rm -rf "$opt/manim" "$stamps/packages"; compiled python3.13 manim/python.sh; }
make_ffmpeg() { rm -rf "$opt"/bin/ff* "$opt"/{include,lib}; compiled ffmpeg ffmpeg/build.sh; }
make_voice() { rm -rf "$opt/voice"; compiled espeak-ng voice/build.sh; }
make_packages() { in_root bash /repository/layers/manim/packages.sh; }
make_wheel() { in_root bash /repository/layers/manim/wheel.sh "$1"; }
# Optimizing over crates takes minutes, and nothing else makes the function so small; it needs no store of its own and few commands. The
# tests can't be linked with what that makes: they are compiled as everywhere.
cargo_in_root() {
    in_root env CARGO_TARGET_DIR=/work/cargo CHALKREEL_GUEST_PROFILE=guest-shipped \
        cargo "$1" --manifest-path /repository/Cargo.toml --locked --package handler "${@:2}"
}
make_function() { cargo_in_root build --profile function --no-default-features --features packed --bin chalkreel; }
make_native() { # the stage's native library
    in_root env CARGO_TARGET_DIR=/work/cargo \
        cargo build --manifest-path /repository/Cargo.toml --locked --profile function --package native
}
make_tests() {
    local program
    program=$(cargo_in_root test --release --no-run --test layers --message-format json-render-diagnostics |
        sed -n 's|.*"executable":"/work/\(cargo/release/deps/layers-[^"]*\)".*|\1|p')
    cp "$work/$program" "$build/tests"
}
assemble() {
    local part
    stamps=$opt/.stamps # the stage and the fonts go in as they do for `make tools`
    mkdir -p "$opt/bin" "$stamps"
    fonts_part "$layers/manim"
    # shellcheck disable=SC2034
    native=$work/cargo/function/libchalkreel_native.so
    stage_part "$layers/manim"
    rm -rf "$work/out" "$lambda/layers" "$lambda/function" "$lambda"/*.zip
    mkdir -p "$work/out/function"
    cp "$work/cargo/function/chalkreel" "$work/out/function/bootstrap"
    strip --strip-all "$work/out/function/bootstrap"
    in_root /opt/manim/bin/python3 -I -B /repository/layers/assemble.py /opt /work/out
    for part in "$work"/out/*; do mv "$part" "$lambda/"; done
}

exec 3>&2 # past the log of a step
start=$SECONDS
rust=$(rustc --version)
on_root=$(hash "${root_packages[@]}")
on_sources=$(hash_of "$layers/sources.txt")
on_python=$(hash "$on_root" "$on_sources" "$(hash_of "$layers/manim/python.sh")")
on_ffmpeg=$(hash "$on_root" "$on_sources" "$(hash_of "$layers/ffmpeg/build.sh")")
on_voice=$(hash "$on_root" "$on_sources" "$(hash_of "$layers/voice/build.sh")")
pin() { grep "^$1==" "$layers/manim/requirements.txt"; }
on_av=$(hash "$on_python" "$on_ffmpeg" "$(hash_of "$layers/manim/wheel.sh")" "$(pin av)")
on_typst=$(hash "$on_python" "$rust" "$(hash_of "$layers/manim/wheel.sh")" "$(pin typst)")
on_numpy=$(hash "$on_python" "$(hash_of "$layers/manim/wheel.sh")" "$(pin numpy)")
on_packages=$(hash "$on_python" "$on_av" "$on_numpy" "$on_typst" "$(hash_of "$layers/manim/requirements.txt" "$layers/manim/packages.sh")")
mapfile -t crates < <(find "$repository/handler" "$repository/planner-wasm" -path '*/fuzz' -prune -o -type f -print | sort)
on_function=$(hash "$on_root" "$rust" "$(declare -f cargo_in_root)" "$(hash_of "$repository/Cargo.toml" "$repository/Cargo.lock" "$layers/manim/stage/chalkreel_stage/frames/encoder.json" "${crates[@]}")")
on_tests=$(hash "$on_function" "$(hash_of "$repository"/tests/layers.rs "$repository"/tests/{layers,interfaces}/*.rs)")
on_native=$(hash "$on_root" "$rust" "$(declare -f make_native)" "$(native_inputs "$layers/manim")")
mapfile -t stage < <(find "$layers/manim/stage" "$layers/manim/scipy" -name '*.py' -o -name '*.json' | sort)
on_all=$(hash "$on_packages" "$on_ffmpeg" "$on_voice" "$on_function" "$on_native" "${stage[@]#"$layers"}" "$(dpkg-query -W -f '${Version} ' "${fonts[@]}")" \
    "$(hash_of "$layers/assemble.py" "$layers/versions.py" "$layers/manim/"{tools.sh,fonts.conf,fonts.txt} "${stage[@]}")")

step root "$on_root" make_root
step sources "$on_sources" fetch_sources
step python "$on_python" make_python
step ffmpeg "$on_ffmpeg" make_ffmpeg
step voice "$on_voice" make_voice
step av "$on_av" make_wheel av
step numpy "$on_numpy" make_wheel numpy
step typst "$on_typst" make_wheel typst
step packages "$on_packages" make_packages
step native "$on_native" make_native
step function "$on_function" make_function
step assemble "$on_all" assemble
[[ ${1:-} != --tests ]] || step tests "$on_tests" make_tests
cat "$lambda/sizes.txt"
say "made $lambda in $((SECONDS - start)) s"
