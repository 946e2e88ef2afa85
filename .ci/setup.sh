#!/usr/bin/env bash
# What the build needs of the system: a C compiler, Rust, and Rust's WebAssembly target.
#
# Comes in: any Debian 12 or 13 or Ubuntu 24.04 with bash, git and make. Goes out: a system on which `cargo build` works.
# Never: anything that is there already; run again, it only looks. What the layers need is in layers/, what the tests
# need in tests/setup.sh.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=packages.sh
source "$root/.ci/packages.sh"
export PATH=$HOME/.cargo/bin:$PATH

# ring compiles C; the registries are reached over HTTPS.
command -v cc >/dev/null && [[ -f /usr/include/stdio.h ]] || need_packages gcc libc6-dev
[[ -e /etc/ssl/certs/ca-certificates.crt ]] || need_packages ca-certificates

wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

if ! command -v cargo >/dev/null; then
    # Debian 12 has no rustup package, and its own Rust is too old.
    if command -v apt-get >/dev/null && { offers rustup || { refresh && offers rustup; }; }; then
        need_packages rustup
    else
        die "Rust $wanted or newer is needed, and this release has no rustup package. Get it with:" \
            "  apt-get install curl && curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy,rustfmt" \
            "and run this again."
    fi
fi
if command -v rustup >/dev/null && ! rustc --version >/dev/null 2>&1; then
    say "installing the stable Rust toolchain"
    rustup default stable >&2 || die "the toolchain could not be installed: run \`rustup default stable\`"
fi

have=$(rustc --version | cut -d' ' -f2)
if [[ $(printf '%s\n' "$wanted" "$have" | sort -V | head -1) != "$wanted" ]]; then
    die "Rust $wanted or newer is needed, and rustc is $have. Get it with: rustup update stable"
fi

# The built-in planner is compiled for this target and embedded.
target=wasm32-wasip1
if [[ ! -d $(rustc --print sysroot)/lib/rustlib/$target/lib ]]; then
    command -v rustup >/dev/null ||
        die "Rust's target $target is missing. With rustup: rustup target add $target; else see your system's packages (Debian: libstd-rust-dev-wasm32)"
    say "adding Rust's target $target"
    rustup target add "$target" >&2 || die "it could not be added: run \`rustup target add $target\` where the network is"
fi
